"""The shared files of one account: who holds which device, and who waits.

Whatever is decided here is decided by one process at a time, under the pool's lock. A device is held by the kernel lock
on its file, so a claim ends with its process; the record beside it only says whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import DeviceFarmError
from pytest_devicefarm.core.files import (
    acquired,
    exclusively,
    is_locked,
    kernel_lock,
    private_folder,
    read_value,
    remove_leftovers,
    remove_unlocked,
    safe_name,
    values_in,
    write_value,
)
from pytest_devicefarm.core.owners import Owner, is_alive, is_elsewhere
from pytest_devicefarm.core.tickets import Ticket

if TYPE_CHECKING:
    from filelock import FileLock


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """A lease as others see it; times are seconds since the epoch.

    Attributes:
        account: `Farm.account`.
        device: The device, for people.
        expires: Until when other machines take it for held; this machine looks at the lock instead.
        alive: Whether its owner still lives, as far as the reader knows.
    """

    account: str
    udid: str
    device: str
    token: str
    owner: Owner
    since: float
    heartbeat: float
    expires: float
    alive: bool = True

    @property
    def run(self) -> str:
        """The run that holds it."""
        return self.owner.run

    @property
    def pid(self) -> int:
        """The process that holds it."""
        return self.owner.pid

    @property
    def host(self) -> str:
        """The host it is held on."""
        return self.owner.host


@dataclass(frozen=True, slots=True)
class Claim:
    """A record with the lock that makes it true."""

    record: LeaseRecord
    lock: FileLock = field(repr=False)


class Pool:
    """The files of one account; its folder is made when something is first written."""

    def __init__(self, state: Path, name: str, clock: Clock) -> None:
        self.state = state
        self.clock = clock
        self._name = name
        self._folder = state / "pools" / name

    @classmethod
    def of(cls, state: Path, account: str, clock: Clock) -> Pool:
        """The pool of an account."""
        return cls(state, safe_name(account), clock)

    @classmethod
    def all(cls, state: Path, clock: Clock) -> list[Pool]:
        """Every pool there is."""
        return [cls(state, folder.name, clock) for folder in sorted((state / "pools").glob("*")) if folder.is_dir()]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Decide something while no other process does."""
        for part in ("devices", "queue"):
            private_folder(self.state, "pools", self._name, part)
        with exclusively(self._folder / "pool.lock"):
            yield

    # devices

    def record(self, udid: str) -> LeaseRecord | None:
        """Who holds or held a device; ``None`` also for a record that is not readable."""
        try:
            return read_value(self._record_path(udid), LeaseRecord)
        except (OSError, ValueError):
            return None

    def records(self) -> list[LeaseRecord]:
        """Who holds or held which device."""
        return [record for _, record in values_in(self._folder / "devices", LeaseRecord)]

    def is_free(self, udid: str) -> bool:
        """Whether nobody holds a device; ask it `alone`."""
        return not self._is_held_elsewhere(udid) and not is_locked(self._lock_path(udid))

    def claim(self, record: LeaseRecord) -> Claim:
        """A claim to be taken."""
        return Claim(record, kernel_lock(self._lock_path(record.udid)))

    def take(self, claim: Claim) -> bool:
        """Make a claim true if nobody holds the device; do it `alone`."""
        if self._is_held_elsewhere(claim.record.udid) or not acquired(claim.lock):
            return False
        self.write(claim.record)
        return True

    def write(self, record: LeaseRecord) -> None:
        """Write a record; do it `alone`."""
        write_value(self._record_path(record.udid), record, durable=False)

    def drop(self, claim: Claim) -> None:
        """End a claim, taken or not; do it `alone`."""
        udid = claim.record.udid
        try:
            if claim.lock.is_locked:
                record = self.record(udid)
                if record is None or record.token == claim.record.token:
                    self._record_path(udid).unlink(missing_ok=True)
                    # Safe only because every other process that could lock this file waits for us to leave.
                    self._lock_path(udid).unlink(missing_ok=True)
        except OSError:
            pass  # what counts is the lock; the record of a lock that nobody holds is not believed
        finally:
            claim.lock.release(force=True)

    def give_back(self, claim: Claim) -> None:
        """End a claim, taken or not."""
        try:
            if claim.lock.is_locked and self._folder.is_dir():
                with self.alone():
                    self.drop(claim)
        except DeviceFarmError:
            pass  # as above
        finally:
            claim.lock.release(force=True)

    def _is_held_elsewhere(self, udid: str) -> bool:
        record = self.record(udid)
        return record is not None and is_elsewhere(record.owner) and record.expires > self.clock.time()

    # waiters

    def queue(self) -> list[Ticket]:
        """Who waits, earliest first; removes the tickets of those who have ended, so ask it `alone`."""
        now = self.clock.time()
        waiting = []
        for path, ticket in values_in(self._folder / "queue", Ticket):
            if not is_alive(self.state, ticket.owner, now=now, expires=ticket.expires):
                path.unlink(missing_ok=True)
            elif ticket.expires > now:  # a process that was stopped does not keep others waiting for ever
                waiting.append(ticket)
        return sorted(waiting, key=lambda ticket: ticket.number)

    def enter(self, ticket: Ticket) -> None:
        """Put a ticket into the queue, or a changed one in its place; do it `alone`."""
        write_value(self._folder / "queue" / ticket.file_name, ticket, durable=False)

    def leave(self, ticket: Ticket) -> None:
        """Take a ticket out of the queue."""
        (self._folder / "queue" / ticket.file_name).unlink(missing_ok=True)

    # tidying

    def sweep(self) -> None:
        """Remove what processes that have ended left here."""
        with self.alone():
            self.queue()
            for path, record in values_in(self._folder / "devices", LeaseRecord):
                if self.is_free(record.udid):
                    path.unlink(missing_ok=True)
            for path in (self._folder / "devices").glob("*.lock"):
                if not path.with_suffix(".json").exists():
                    remove_unlocked(path)
            for folder in (self._folder / "devices", self._folder / "queue"):
                remove_leftovers(folder)

    def _record_path(self, udid: str) -> Path:
        return self._folder / "devices" / f"{safe_name(udid)}.json"

    def _lock_path(self, udid: str) -> Path:
        return self._folder / "devices" / f"{safe_name(udid)}.lock"
