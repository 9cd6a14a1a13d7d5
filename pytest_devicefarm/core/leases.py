"""Our claims on devices, which keep the processes of one host apart: how one is had, kept and given back.

Decisions are made in the order of arrival, and a waiter takes all its devices at once or none: nobody holds one while
waiting for another, so waiters cannot block each other.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_devicefarm.core.clock import Clock, SystemClock
from pytest_devicefarm.core.errors import ConfigurationError, DeviceWaitTimeout, LeaseLost
from pytest_devicefarm.core.journal import JournalEntry, orphans
from pytest_devicefarm.core.model import Device, Reservation
from pytest_devicefarm.core.owners import OwnerLock, is_alive
from pytest_devicefarm.core.pools import Claim, LeaseRecord, Pool
from pytest_devicefarm.core.tickets import allot
from pytest_devicefarm.core.waiting import LEASE_SECONDS, Usable, Waiter

TOUCH_SECONDS = 30.0
REPORT_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.2


@dataclass(frozen=True, slots=True)
class Want:
    """One device wanted: any of the candidates, best first."""

    candidates: Sequence[Device]


@dataclass(frozen=True, slots=True)
class WaitReport:
    """What a waiter waits for.

    Attributes:
        matching: How many devices would do.
        busy: How many of them are not to be had now.
        holders: One line on each of those: who holds it since when, or what the farm says.
        waited: Seconds so far.
    """

    matching: int
    busy: int
    holders: tuple[str, ...]
    waited: float


class Lease:
    """A device that is ours until it is released or lost.

    Attributes:
        since: Seconds since the epoch.
        token: Tells this lease from every other.
        inherited: What a dead owner left on this device; it has to be ended before the device is used.
        reservation: The farm's booking that goes with it, for whoever books.
        role: Name of the device in a test that uses several.
    """

    def __init__(self, device: Device, claim: Claim, pool: Pool, inherited: Sequence[JournalEntry] = ()) -> None:
        self.device = device
        self.since = claim.record.since
        self.token = claim.record.token
        self.inherited = tuple(inherited)
        self.reservation: Reservation | None = None
        self.role = ""
        self._claim = claim
        self._pool = pool
        self._guard = threading.Lock()
        self._lost = ""

    def check(self) -> None:
        """Make sure that the device is still ours.

        Raises:
            LeaseLost: It was taken over, given back, or said to be lost.
        """
        reason = self._lost or self._why_not_ours()
        if reason:
            raise LeaseLost(
                f"the lease of {self.device} is lost: {reason}. "
                "The test cannot go on with this device; `devicefarm leases` shows who holds it now."
            )

    def lost(self, reason: str) -> None:
        """Say that the device is not ours any more; the first reason stays."""
        self._lost = self._lost or reason

    def touch(self) -> None:
        """Tell other machines that the lease is in use; costs nothing within half a minute of the last time."""
        now = self._pool.clock.time()
        with self._guard:
            if now - self._claim.record.heartbeat < TOUCH_SECONDS or not self._claim.lock.is_locked:
                return
            with self._pool.alone():
                if not self._why_not_ours():
                    record = dataclasses.replace(self._claim.record, heartbeat=now, expires=now + LEASE_SECONDS)
                    self._pool.write(record)
                    self._claim = dataclasses.replace(self._claim, record=record)

    def release(self) -> None:
        """Give the device back; harmless when that was done before."""
        with self._guard:
            self._pool.give_back(self._claim)

    def _why_not_ours(self) -> str:
        if not self._claim.lock.is_locked:
            return "it was given back"
        record = self._pool.record(self.device.udid)
        if record is None:
            return "its record was removed from the state folder"
        return "" if record.token == self.token else f"it was taken over by {record.owner}"


class LeaseBroker:
    """Leases devices of one account; methods may be called from any thread.

    Args:
        state: The state folder; made at the first lease.
        account: `Farm.account`; devices of different accounts are kept apart.
        poll_seconds: Shortest pause between two questions to the farm.
        owner: This process, shared with others that own things; made where it is not given.
    """

    def __init__(
        self,
        state: Path,
        *,
        account: str,
        run: str,
        clock: Clock,
        poll_seconds: float = 5.0,
        owner: OwnerLock | None = None,
    ) -> None:
        self._state = state
        self._account = account
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._owner = owner or OwnerLock(state, run=run)
        self._pool = Pool.of(state, account, clock)

    def lease(
        self,
        wants: Sequence[Want],
        *,
        timeout: float,
        usable: Usable,
        on_wait: Callable[[WaitReport], None] = lambda report: None,
    ) -> list[Lease]:
        """Lease a device for each want, all or none, first come first served among those who compete.

        Args:
            timeout: Longest wait, seconds; 0 takes what is there.
            usable: Asks the farm for state and note of devices by UDID; what it does not name counts as free.
            on_wait: Told when the wait begins, and every ten seconds.

        Raises:
            ConfigurationError: There are fewer devices than wants.
            DeviceWaitTimeout: Not all were free in time; says who holds them.
        """
        devices = {device.udid: device for want in wants for device in want.candidates}
        if None in allot(devices, [[[device.udid for device in want.candidates] for want in wants]])[0]:
            raise ConfigurationError(
                f"{len(wants)} devices are wanted at the same time, but only {len(devices)} match: "
                f"{', '.join(map(str, devices.values())) or 'none'}. Widen the marks or --farm-device."
            )
        waiter = Waiter(
            self._pool,
            [want.candidates for want in wants],
            account=self._account,
            owner=self._owner.hold(),
            seconds=timeout,
            poll_seconds=self._poll_seconds,
        )
        try:
            claims = self._wait(waiter, timeout, usable, on_wait)
            return [self._lease(devices[claim.record.udid], claim) for claim in claims]
        except BaseException:
            waiter.give_up()
            raise

    def contested(self, lease: Lease) -> bool:
        """Whether somebody is waiting for the device of a lease."""
        udid = lease.device.udid
        with self._pool.alone():
            return any(udid in want for ticket in self._pool.queue() for want in ticket.wants)

    def close(self) -> None:
        """Own nothing any more; release the leases first."""
        self._owner.release()

    def _wait(
        self, waiter: Waiter, timeout: float, usable: Usable, on_wait: Callable[[WaitReport], None]
    ) -> list[Claim]:
        start = self._clock.monotonic()
        pause, next_report = _FIRST_PAUSE, 0.0
        while True:
            claims = waiter.attempt()
            if claims is None and waiter.may_ask:
                waiter.ask(usable)
                claims = waiter.attempt()
            if claims is not None:
                return claims
            waited = self._clock.monotonic() - start
            if waited >= timeout:
                raise _timed_out(waiter, timeout)
            if waited >= next_report:
                obstacles = waiter.obstacles()
                on_wait(WaitReport(waiter.matching, len(obstacles), tuple(obstacles), waited))
                next_report = waited + REPORT_SECONDS
            self._clock.sleep(min(pause, timeout - waited))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _lease(self, device: Device, claim: Claim) -> Lease:
        inherited = orphans(self._state, self._account, udid=device.udid, clock=self._clock)
        return Lease(device, claim, self._pool, inherited)


def leases_on(state: Path, *, clock: Clock | None = None) -> list[LeaseRecord]:
    """Every lease of every account, also those whose owners have ended (``alive`` is false)."""
    clock = clock or SystemClock()
    return [
        dataclasses.replace(
            record,
            alive=is_alive(state, record.owner, now=clock.time(), expires=record.expires, patience=0.02),
        )
        for pool in Pool.all(state, clock)
        for record in pool.records()
    ]


def _timed_out(waiter: Waiter, timeout: float) -> DeviceWaitTimeout:
    obstacles = waiter.obstacles()
    lines = [f"no device became free within {timeout:g} s; {waiter.matching} would do:"]
    lines += [f"  {line}" for line in obstacles]
    lines.append("Raise --farm-wait to wait longer, or widen the mark or --farm-device so that more devices match.")
    return DeviceWaitTimeout("\n".join(lines), obstacles)
