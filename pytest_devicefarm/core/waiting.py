"""One waiter in the queue for devices: sees what is free here, asks the farm when it is its turn, takes all or none."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.owners import Owner
from pytest_devicefarm.core.pools import Claim, LeaseRecord, Pool
from pytest_devicefarm.core.tickets import Ticket, allot

Usable = Callable[[Sequence[Device]], Mapping[str, tuple[DeviceState, str]]]
"""Asks a farm for state and note of devices, by UDID."""

LEASE_SECONDS = 3600.0
"""How long another machine takes a record for true after its last heartbeat."""
_FOR_EVER = 1e9


class Waiter:
    """A place in the queue.

    Args:
        wants: For each device wanted, the devices that would do, best first.
        account: `Farm.account`.
        seconds: How long the waiter means to wait.
        poll_seconds: Shortest pause between two questions to the farm; an answer is believed for as long.
    """

    def __init__(
        self,
        pool: Pool,
        wants: Sequence[Sequence[Device]],
        *,
        account: str,
        owner: Owner,
        seconds: float,
        poll_seconds: float,
    ) -> None:
        self._pool = pool
        self._clock = pool.clock
        self._account = account
        self._devices = {device.udid: device for want in wants for device in want}
        self._poll_seconds = max(poll_seconds, 1.0)
        now = self._clock.time()
        self._ticket = Ticket(
            number=0,
            token=secrets.token_hex(6),
            owner=owner,
            wants=tuple(tuple(dict.fromkeys(device.udid for device in want)) for want in wants),
            since=now,
            # A little longer than the wait, so that the last look is still in its turn; JSON knows no infinity.
            expires=now + min(seconds, _FOR_EVER) + 5.0,
        )
        self._queued = self._ticket
        self._free: set[str] = set()
        self._ahead: list[Ticket] = []
        self._answers: dict[str, tuple[DeviceState, str]] = {}
        self._asked = (float("-inf"), 0.0)
        self._answered = False
        self._claims: list[Claim] = []
        self.may_ask = False
        """Whether enough is free here, so that the farm's word is all that is missing."""

    def attempt(self) -> list[Claim] | None:
        """Take a device for each want if that is possible and nobody earlier needs it; otherwise stand in the queue."""
        self._answered = self._clock.monotonic() - self._asked[0] < self._poll_seconds
        with self._pool.alone():
            self._stand_in_line()
            wants = [*(ticket.wants for ticket in self._ahead), self._ticket.wants]
            udids = {udid for waiter in wants for want in waiter for udid in want}
            free = {udid for udid in udids if self._pool.is_free(udid)}
            self._free = free & self._devices.keys()
            allotted = allot(free, wants, self._can_use)[-1]
            mine = [udid for udid in allotted if udid is not None]
            enough = len(mine) == len(self._ticket.wants)
            self.may_ask = enough and not self._answered
            return self._take(mine) if enough and self._answered else None

    def ask(self, usable: Usable) -> None:
        """Ask the farm which of the devices it gives now."""
        held_here = self._devices.keys() - self._free
        answers = dict(usable(list(self._devices.values())))
        self._asked = self._clock.monotonic(), self._clock.time()
        # A device that one of us holds is busy because of that; when it is given back, this answer is no more true.
        self._answers = {
            udid: answer
            for udid, answer in answers.items()
            if not (udid in held_here and answer[0] is DeviceState.BUSY)
        }
        barred = {udid: self._asked[1] for udid in self._devices if not self._gives(udid)}
        self._ticket = dataclasses.replace(self._ticket, barred=barred)

    def give_up(self) -> None:
        """Leave the queue with nothing, wherever the waiter stood."""
        if self._ticket.number:
            self._pool.leave(self._ticket)
        for claim in self._claims:
            self._pool.give_back(claim)

    @property
    def matching(self) -> int:
        """How many devices would do."""
        return len(self._devices)

    def obstacles(self) -> list[str]:
        """One line on each device that is not to be had: who holds it since when, or what the farm says."""
        lines = []
        for udid, device in self._devices.items():
            record = self._pool.record(udid)
            state, note = self._answers.get(udid, (DeviceState.FREE, ""))
            if udid not in self._free and record is not None:
                since = time.strftime("%H:%M:%S", time.localtime(record.since))
                lines.append(f"{device}: held by {record.owner} since {since}")
            elif state is not DeviceState.FREE:
                lines.append(f"{device}: {state} at the farm" + (f", {note}" if note else ""))
            elif udid not in self._free:
                lines.append(f"{device}: just taken by another process")
            else:
                earlier = next((ticket for ticket in self._ahead if any(udid in want for want in ticket.wants)), None)
                if earlier is not None:
                    lines.append(f"{device}: kept for {earlier.owner}, which came earlier")
        return lines

    def _stand_in_line(self) -> None:
        queue = self._pool.queue()
        if not self._ticket.number:
            number = max((ticket.number for ticket in queue), default=0) + 1
            self._ticket = dataclasses.replace(self._ticket, number=number)
        if self._queued != self._ticket or self._ticket.token not in {ticket.token for ticket in queue}:
            self._pool.enter(self._ticket)
            self._queued = self._ticket
        self._ahead = [ticket for ticket in queue if ticket.number < self._ticket.number]

    def _can_use(self, waiter: int, udid: str) -> bool:
        if waiter == len(self._ahead):
            return not self._answered or self._gives(udid)
        # What an earlier waiter was refused is open to us, unless our answer is much newer: then it may have changed,
        # and the earlier one shall hear of it first.
        barred = self._ahead[waiter].barred.get(udid)
        return barred is None or barred < self._asked[1] - self._poll_seconds / 2

    def _gives(self, udid: str) -> bool:
        return self._answers.get(udid, (DeviceState.FREE, ""))[0] is DeviceState.FREE

    def _take(self, udids: Sequence[str]) -> list[Claim] | None:
        now = self._clock.time()
        claims = [
            self._pool.claim(
                LeaseRecord(
                    account=self._account,
                    udid=udid,
                    device=str(self._devices[udid]),
                    token=secrets.token_hex(8),
                    owner=self._ticket.owner,
                    since=now,
                    heartbeat=now,
                    expires=now + LEASE_SECONDS,
                )
            )
            for udid in udids
        ]
        self._claims = claims
        if all(self._pool.take(claim) for claim in claims):
            self._pool.leave(self._ticket)
            return claims
        for claim in claims:
            self._pool.drop(claim)
        return None
