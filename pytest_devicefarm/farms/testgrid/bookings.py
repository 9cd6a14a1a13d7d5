"""Slots of devices: booked, continued by a following one, and ended in the way their time asks for.

TestGrid cannot prolong a slot, so one that is renewed consists of several; its id names them all, with commas between.
What is ours is told by a token in the comments.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import DeviceBusy, FarmAuthenticationError, FarmError, FarmRefused
from pytest_devicefarm.core.model import Device, Reservation
from pytest_devicefarm.farms.testgrid.api import TestGridAPI
from pytest_devicefarm.farms.testgrid.api.reservations import Reservation as Slot

START_SECONDS = 2
"""How far ahead a slot begins: one that would have begun when the call arrives is refused."""

_COMMENTS = "pytest-devicefarm "
_GRANTED = frozenset({"accepted", "approved"})
_TAKEN = re.compile(
    r"\b(overlap\w*|already|reserved|booked|unavailable|not (available|free)|conflict\w*|in use|taken|busy)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Held:
    udids: tuple[str, ...]
    expires: float
    comments: str


class Bookings:
    """The slots that this process has booked.

    Args:
        user_id: Gives the own user id, asked for only when something is booked.
        is_taken: Tells whether the farm says now that somebody else has a device.
    """

    def __init__(
        self, api: TestGridAPI, clock: Clock, *, user_id: Callable[[], str], is_taken: Callable[[Device], bool]
    ) -> None:
        self._api = api
        self._clock = clock
        self._user_id = user_id
        self._is_taken = is_taken
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def held(self) -> frozenset[str]:
        """UDIDs of devices that are booked by us now."""
        now = self._clock.time()
        with self._lock:
            return frozenset(udid for one in self._held.values() if one.expires > now for udid in one.udids)

    def reserve(self, devices: Sequence[Device], *, seconds: int, token: str) -> Reservation:
        """Book all devices or none.

        Raises:
            DeviceBusy: The farm did not grant every device, or wants somebody to approve it first.
        """
        return self._book(devices, self._soon(), seconds, f"{_COMMENTS}{token}", former=())

    def renew(self, reservation: Reservation, devices: Sequence[Device], *, seconds: int) -> Reservation:
        """Book the time behind a reservation.

        Raises:
            DeviceBusy: Somebody else has it, or the reservation was ended meanwhile.
        """
        with self._lock:
            held = self._held.get(reservation.id)
        former = tuple(reservation.id.split(","))
        comments = held.comments if held else self._comments_of(former)
        prolonged = self._book(devices, max(reservation.expires, self._soon()), seconds, comments, former=former)
        with self._lock:
            ended = held is not None and self._held.pop(reservation.id, None) is None
        if ended:
            self.cancel(prolonged.id)
            raise DeviceBusy("the reservation was ended while it was being prolonged")
        return prolonged

    def cancel(self, reservation_id: str) -> None:
        """End the slots of a reservation, also one that followed and was never told to us."""
        ids = reservation_id.split(",")
        with self._lock:
            held = self._held.pop(reservation_id, None)
        slots = self._slots_if_told()
        marks = {held.comments} if held else set()
        marks |= {slots[one].comments for one in ids if one in slots}
        ids += [one for one, slot in slots.items() if one not in ids and slot.comments in marks and _is_ours(slot)]
        problems = []
        for one in ids:
            try:
                self._end(one, slots.get(one))
            except FarmError as problem:
                problems.append(problem)
        if problems:
            raise problems[0]

    def find(self, token: str) -> Sequence[str]:
        """Ids of slots whose comments have the token."""
        return tuple(one for one, slot in self._slots().items() if slot.comments.strip() == f"{_COMMENTS}{token}")

    def _book(
        self, devices: Sequence[Device], start: float, seconds: int, comments: str, *, former: tuple[str, ...]
    ) -> Reservation:
        made: list[str] = []
        try:
            for device in devices:
                self._book_one(device, start, start + seconds, comments, made)
        except BaseException:
            self._give_back(made)
            raise
        reservation = Reservation(",".join((*former, *made)), tuple(device.udid for device in devices), start + seconds)
        with self._lock:
            self._held[reservation.id] = _Held(reservation.udids, reservation.expires, comments)
        return reservation

    def _book_one(self, device: Device, start: float, end: float, comments: str, made: list[str]) -> None:
        try:
            slot = self._api.reservations.create(
                user_id=self._user_id(), device_id=device.id, start=start, end=end, comments=comments
            )
        except FarmAuthenticationError:
            raise
        except FarmRefused as refusal:
            if refusal.status == 200 and (_TAKEN.search(refusal.answer) or self._is_taken(device)):
                raise DeviceBusy(f"TestGrid did not reserve {device}: {refusal.answer}") from refusal
            raise
        made.append(str(slot.device_reservation_id))
        if slot.reservation_status and slot.reservation_status.strip().lower() not in _GRANTED:
            raise DeviceBusy(
                f"TestGrid did not grant {device} at once: the reservation is {slot.reservation_status!r}. "
                "Ask an administrator to let this account book without approval, or give --farm-reserve=off."
            )

    def _give_back(self, ids: Iterable[str]) -> None:
        """End what was booked in vain; what cannot be ended ends with its time."""
        for one in ids:
            try:
                self._end(one, None, begun=False)
            except FarmError:
                continue

    def _end(self, slot_id: str, slot: Slot | None, *, begun: bool = True) -> None:
        """Release a slot that has begun, cancel one that has not; where that is refused the clocks differ."""
        if slot is not None and slot.start is not None:
            begun = slot.start <= self._clock.time()
        release, cancel = self._api.reservations.release, self._api.reservations.cancel
        first, second = (release, cancel) if begun else (cancel, release)
        try:
            first(slot_id)
        except FarmAuthenticationError:
            raise
        except FarmRefused:
            try:
                second(slot_id)
            except FarmAuthenticationError:
                raise
            except FarmRefused:
                if self._stands(slot_id):
                    raise

    def _stands(self, slot_id: str) -> bool:
        slot = self._slots().get(slot_id)
        return slot is not None and (slot.end is None or slot.end > self._clock.time())

    def _slots(self) -> dict[str, Slot]:
        return {str(slot.device_reservation_id): slot for slot in self._api.reservations.list().reservations}

    def _slots_if_told(self) -> Mapping[str, Slot]:
        try:
            return self._slots()
        except FarmAuthenticationError:
            raise
        except FarmError:
            return {}

    def _comments_of(self, ids: Iterable[str]) -> str:
        slots = self._slots()
        return next((slots[one].comments for one in ids if one in slots and slots[one].comments), _COMMENTS.strip())

    def _soon(self) -> float:
        return float(int(self._clock.time()) + START_SECONDS)


def _is_ours(slot: Slot) -> bool:
    return slot.comments.startswith(_COMMENTS)
