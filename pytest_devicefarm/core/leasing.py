"""From queries to leased devices: choose, claim, clean up after a dead owner, reserve; and all of it back again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import ConfigurationError, DeviceBusy, DeviceFarmError, DeviceWaitTimeout, LeaseError
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.files import acquired, kernel_lock, private_folder
from pytest_devicefarm.core.journal import Journal, JournalEntry, orphans
from pytest_devicefarm.core.leases import Lease, LeaseBroker, WaitReport, Want
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.query import DeviceQuery
from pytest_devicefarm.core.reaping import reap
from pytest_devicefarm.core.renewing import Renewer
from pytest_devicefarm.core.sessions import new_token

if TYPE_CHECKING:
    from filelock import FileLock

REAP_SECONDS = 10.0
PLACE_SECONDS = 0.1
Choose = Callable[[DeviceQuery, Sequence[Device]], Device | None]


class Leasing:
    """Leases and releases devices of one farm for one process.

    Args:
        reserve_seconds: Length of the farm-side booking that goes with a lease; 0 for none.
        wait: Longest wait for a device, seconds.
        limit: How many devices all processes of the run may hold together, ``None`` for any number.
        choose: Gives the device to try first, or ``None``.
        on_wait: Told who holds what while nothing is free.
    """

    def __init__(
        self,
        farm: Farm,
        journal: Journal,
        broker: LeaseBroker,
        state: Path,
        *,
        reserve_seconds: int,
        wait: float,
        limit: int | None,
        run: str,
        clock: Clock,
        choose: Choose,
        on_wait: Callable[[WaitReport], None],
    ) -> None:
        self._farm = farm
        self._journal = journal
        self._broker = broker
        self._state = state
        self._reserve_seconds = reserve_seconds
        self._wait = wait
        self._limit = limit
        self._run = run
        self._clock = clock
        self._choose = choose
        self._on_wait = on_wait
        self._bookings: dict[str, JournalEntry] = {}
        self._places: dict[str, FileLock] = {}
        self._renewer = Renewer(farm, clock)

    def lease(
        self, queries: Mapping[str, DeviceQuery], candidates: Mapping[str, Sequence[Device]], *, last: str = ""
    ) -> dict[str, Lease]:
        """Lease one device for each role, all or none.

        Args:
            queries: What each role asks for.
            candidates: Devices that match, by role.
            last: UDID of a device to take only if there is no other, because it just failed.

        Raises:
            DeviceWaitTimeout: Not all of them became free in time.
            FarmError: The farm failed meanwhile.
        """
        deadline = self._clock.monotonic() + self._wait
        avoid = {last} - {""}
        places = self._take_places(len(queries), deadline)
        try:
            while True:
                try:
                    leases = self._attempt(queries, candidates, avoid, deadline)
                except DeviceBusy as busy:
                    if self._clock.monotonic() >= deadline:
                        raise DeviceWaitTimeout(
                            f"no device could be booked in time: {busy}. Raise --farm-wait to wait longer."
                        ) from None
                    self._clock.sleep(1.0)
                else:
                    self._places |= {lease.token: place for lease, place in zip(leases, places, strict=False)}
                    return dict(zip(queries, leases, strict=True))
        except BaseException:
            for place in places:
                place.release(force=True)
            raise

    def contested(self, lease: Lease) -> bool:
        """Whether somebody is waiting for this very device."""
        return self._broker.contested(lease)

    def release(self, lease: Lease) -> Exception | None:
        """Give a device back: its booking first, then our claim; gives what went wrong instead of raising it."""
        problem: Exception | None = None
        self._renewer.forget(lease)
        entry = self._bookings.pop(lease.token, None)
        if entry is not None:
            try:
                self._farm.cancel(entry.reservation_id)
                self._journal.closed(entry)
            except DeviceFarmError as error:
                problem = error
        lease.reservation = None
        lease.release()
        if (place := self._places.pop(lease.token, None)) is not None:
            place.release(force=True)
        return problem

    def covers(self, lease: Lease) -> bool:
        """Whether the booking has enough left to start another test: at least a quarter of its length."""
        if lease.reservation is None or self._farm.spec.renew:
            return True
        return lease.reservation.expires - self._clock.time() > self._reserve_seconds / 4

    def _order(self, query: DeviceQuery, candidates: Sequence[Device], avoid: set[str]) -> list[Device]:
        ordered = sorted(candidates, key=lambda device: device.udid in avoid)
        first = self._choose(query, ordered)
        return ordered if first is None else [first, *(device for device in ordered if device.udid != first.udid)]

    def _states(self, devices: Sequence[Device]) -> Mapping[str, tuple[DeviceState, str]]:
        """What the farm says of devices, after what dead owners left on them has been ended; else they stay busy."""
        udids = {device.udid for device in devices}
        left = [entry for entry in orphans(self._state, self._farm.account, clock=self._clock) if entry.udid in udids]
        if left:
            reap(self._farm, self._state, left, clock=self._clock, deadline=REAP_SECONDS)
        return self._farm.device_states(devices)

    def _settle(self, lease: Lease) -> None:
        """End what a dead owner of this device left at the farm, before anything of ours starts there."""
        if not lease.inherited:
            return
        report = reap(self._farm, self._state, lease.inherited, clock=self._clock, deadline=REAP_SECONDS)
        if report.kept:
            reasons = "; ".join(reason for _, reason in report.kept)
            raise LeaseError(
                f"{lease.device} was left in use by a run that died, and that could not be ended: {reasons}. "
                "Try `devicefarm reap`."
            )

    def _reserve(self, lease: Lease) -> None:
        if not self._reserve_seconds or not self._farm.spec.reserve or not lease.device.reservable:
            return
        expires = self._clock.time() + self._reserve_seconds
        token = new_token()
        entry = self._journal.intend("reservation", lease.device, token, expires=expires)
        try:
            reservation = self._farm.reserve([lease.device], seconds=self._reserve_seconds, token=token)
        except DeviceBusy:
            self._journal.closed(entry)
            raise
        self._bookings[lease.token] = self._journal.opened(entry, reservation_id=reservation.id)
        lease.reservation = reservation
        if self._farm.spec.renew:
            self._renewer.watch(lease, seconds=self._reserve_seconds, renewed=partial(self._renewed, lease))

    def _renewed(self, lease: Lease, expires: float) -> None:
        if lease.token in self._bookings and lease.reservation is not None:
            self._bookings[lease.token] = self._journal.opened(
                self._bookings[lease.token], reservation_id=lease.reservation.id, expires=expires
            )

    def _attempt(
        self,
        queries: Mapping[str, DeviceQuery],
        candidates: Mapping[str, Sequence[Device]],
        avoid: set[str],
        deadline: float,
    ) -> list[Lease]:
        leases = self._broker.lease(
            [Want(self._order(queries[role], candidates[role], avoid)) for role in queries],
            timeout=max(0.0, deadline - self._clock.monotonic()),
            usable=self._states,
            on_wait=self._on_wait,
        )
        try:
            for role, lease in zip(queries, leases, strict=True):
                lease.role = role
                self._settle(lease)
                try:
                    self._reserve(lease)
                except DeviceBusy:
                    avoid.add(lease.device.udid)
                    raise
        except BaseException:
            for lease in leases:
                self.release(lease)
            raise
        return leases

    def _take_places(self, count: int, deadline: float) -> list[FileLock]:
        """As many of the run's places as devices are wanted, all or none; no places where there is no limit."""
        if self._limit is None:
            return []
        if count > self._limit:
            raise ConfigurationError(f"the test wants {count} devices, but --farm-max-devices allows {self._limit}")
        folder = private_folder(self._state, "runs", self._run)
        while True:
            locks = (kernel_lock(folder / f"place-{number}.lock") for number in range(self._limit))
            places = list(itertools.islice((lock for lock in locks if acquired(lock)), count))
            if len(places) == count:
                return places
            for place in places:
                place.release(force=True)
            if self._clock.monotonic() >= deadline:
                raise DeviceWaitTimeout(
                    f"this run may hold {self._limit} devices at a time (--farm-max-devices), and none came back in "
                    f"{self._wait:g} s. Raise --farm-wait or --farm-max-devices."
                )
            self._clock.sleep(PLACE_SECONDS)
