"""What this run has at a farm, on disk before it exists there, so that somebody can end it whatever happens to us.

An entry is written before the create is sent and removed when the thing is known to be over. Half-written files are
never read as truth, and nothing is written by reading.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_devicefarm.core.clock import Clock, SystemClock
from pytest_devicefarm.core.farm import SessionHandle
from pytest_devicefarm.core.files import private_folder, remove_leftovers, remove_unlocked, values_in, write_value
from pytest_devicefarm.core.model import Device
from pytest_devicefarm.core.owners import Owner, OwnerLock, is_alive

_LONGEST_WRITE = 60.0
Kind = Literal["session", "reservation"]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A session or reservation that we asked a farm for.

    Attributes:
        farm: Name of the farm; ``account`` is `Farm.account`, ``url`` its address.
        token: What the farm was told to show with it.
        state: ``intended`` until the answer to the create came.
        webdriver_id: W3C session id; this and the other ids are ``""`` until they are known.
        since: Seconds since the epoch, just before the create was sent.
        expires: Seconds since the epoch at which it is over by itself.
        simulated: Whether the farm was a simulator, which ends with its run.
    """

    id: str
    kind: Kind
    farm: str
    account: str
    url: str
    owner: Owner
    udid: str
    device_id: str
    token: str
    since: float
    expires: float
    state: Literal["intended", "open"] = "intended"
    webdriver_id: str = ""
    session_id: str = ""
    reservation_id: str = ""
    simulated: bool = False

    def __str__(self) -> str:
        known = self.session_id or self.webdriver_id or self.reservation_id or self.token
        return f"{self.kind} {known} on device {self.udid} of farm {self.farm}"

    @property
    def run(self) -> str:
        """The run that asked for it."""
        return self.owner.run

    @property
    def host(self) -> str:
        """The host that asked for it."""
        return self.owner.host

    @property
    def handle(self) -> SessionHandle:
        """What a farm needs to end this session."""
        return SessionHandle(
            token=self.token,
            udid=self.udid,
            since=self.since,
            webdriver_id=self.webdriver_id,
            session_id=self.session_id,
        )


class Journal:
    """The entries of this process for one account; methods may be called from any thread.

    Args:
        state: The state folder; made at the first entry.
        account: `Farm.account`.
        url: Address of the farm.
        owner: This process, shared with others that own things; made where it is not given.
    """

    def __init__(
        self,
        state: Path,
        *,
        run: str,
        farm: str,
        account: str,
        url: str,
        clock: Clock,
        simulated: bool = False,
        owner: OwnerLock | None = None,
    ) -> None:
        self._state = state
        self._farm = farm
        self._account = account
        self._url = url
        self._clock = clock
        self._simulated = simulated
        self._owner = owner or OwnerLock(state, run=run)
        self._guard = threading.Lock()
        self._mine: dict[str, JournalEntry] = {}

    def intend(self, kind: Kind, device: Device, token: str, *, expires: float) -> JournalEntry:
        """Write down that something is about to be asked for.

        Args:
            token: What goes into a field that the farm shows.
            expires: Seconds since the epoch at which the farm ends it by itself, or nobody need look for it any more.
        """
        entry = JournalEntry(
            id=secrets.token_hex(8),
            kind=kind,
            farm=self._farm,
            account=self._account,
            url=self._url,
            owner=self._owner.hold(),
            udid=device.udid,
            device_id=device.id,
            token=token,
            since=self._clock.time(),
            expires=expires,
            simulated=self._simulated,
        )
        self._write(entry)
        return entry

    def opened(
        self,
        entry: JournalEntry,
        *,
        webdriver_id: str = "",
        session_id: str = "",
        reservation_id: str = "",
        expires: float | None = None,
    ) -> JournalEntry:
        """Add what the farm told; ids that are not given stay as they were."""
        changed = dataclasses.replace(
            entry,
            state="open",
            webdriver_id=webdriver_id or entry.webdriver_id,
            session_id=session_id or entry.session_id,
            reservation_id=reservation_id or entry.reservation_id,
            expires=entry.expires if expires is None else expires,
        )
        self._write(changed)
        return changed

    def closed(self, entry: JournalEntry) -> None:
        """Forget an entry whose session or reservation is known to be over; harmless when it is gone already."""
        with self._guard:
            self._mine.pop(entry.id, None)
            remove_entry(self._state, entry)

    def mine(self) -> tuple[JournalEntry, ...]:
        """What this process asked for and has not closed."""
        with self._guard:
            return tuple(self._mine.values())

    def close(self) -> None:
        """End this process's ownership: entries that are still there may then be reaped by anyone."""
        self._owner.release()

    def _write(self, entry: JournalEntry) -> None:
        with self._guard:
            private_folder(self._state, "journal")
            write_value(entry_path(self._state, entry), entry)
            self._mine[entry.id] = entry


def journal_entries(state: Path, problems: list[str] | None = None) -> list[JournalEntry]:
    """Every entry of every process, oldest first; files that are not readable are named in ``problems``."""
    entries = [entry for path, entry in values_in(state / "journal", JournalEntry, problems) if path.stem == entry.id]
    return sorted(entries, key=lambda entry: (entry.since, entry.id))


def orphans(
    state: Path, account: str | None = None, *, udid: str | None = None, clock: Clock | None = None
) -> list[JournalEntry]:
    """Entries whose owner has ended, of one account and of one device where these are given."""
    clock = clock or SystemClock()
    return [
        entry
        for entry in journal_entries(state)
        if account in (None, entry.account) and udid in (None, entry.udid) and not owner_lives(state, entry, clock)
    ]


def owner_lives(state: Path, entry: JournalEntry, clock: Clock) -> bool:
    """Whether the process that wrote an entry has not ended."""
    return is_alive(state, entry.owner, now=clock.time(), expires=entry.expires, patience=0.02)


def remove_entry(state: Path, entry: JournalEntry) -> None:
    """Remove an entry's file."""
    entry_path(state, entry).unlink(missing_ok=True)


def entry_path(state: Path, entry: JournalEntry) -> Path:
    """The file of an entry."""
    return state / "journal" / f"{entry.id}.json"


def remove_unfinished(state: Path, *, clock: Clock) -> None:
    """Remove what processes that were killed while they wrote or ended an entry left beside the entries."""
    folder = state / "journal"
    remove_leftovers(folder, before=clock.time() - _LONGEST_WRITE)
    for lock in folder.glob("*.lock"):
        if not lock.with_suffix(".json").exists():
            remove_unlocked(lock)
