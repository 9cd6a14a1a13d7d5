"""Ends at a farm what processes left there that have ended, by their journal; never anything else.

What a living process of another run owns is not touched, nor what belongs to another account, nor what no journal
lists.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import FarmUnreachable
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.files import acquired, kernel_lock, read_value
from pytest_devicefarm.core.journal import (
    JournalEntry,
    entry_path,
    owner_lives,
    remove_entry,
    remove_unfinished,
)
from pytest_devicefarm.core.owners import forget_the_dead, lives
from pytest_devicefarm.core.pools import Pool

_AT_A_TIME = 16
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class ReapReport:
    """What became of the entries.

    Attributes:
        ended: Known to be over at the farm now; forgotten.
        dropped: Never found at the farm and over by themselves since, or gone with their simulator; forgotten.
        kept: Still in the journal, each with the reason.
    """

    ended: list[JournalEntry] = field(default_factory=list)
    dropped: list[JournalEntry] = field(default_factory=list)
    kept: list[tuple[JournalEntry, str]] = field(default_factory=list)


def reap(
    farm: Farm,
    state: Path,
    entries: Iterable[JournalEntry],
    *,
    clock: Clock,
    deadline: float,
    hung_run: str = "",
) -> ReapReport:
    """End what entries list, all at the same time; every entry is tried whatever became of the others.

    Args:
        deadline: How long to look for what the farm does not show yet, seconds; each entry is tried at least once.
        hung_run: A run whose entries are ended though its processes still live.
    """
    entries = list(entries)
    report = ReapReport()
    if not entries:
        return report
    until = clock.monotonic() + deadline

    def work(entry: JournalEntry) -> None:
        end_entry(farm, state, entry, report, clock=clock, until=until, hung_run=hung_run)

    threads = ThreadPoolExecutor(min(len(entries), _AT_A_TIME), thread_name_prefix="devicefarm-reap")
    try:
        for _ in threads.map(work, entries):
            pass
    finally:
        # Whoever is interrupted here does not wait for a farm; what is under way ends by itself.
        threads.shutdown(wait=False, cancel_futures=True)
    return report


def end_entry(
    farm: Farm,
    state: Path,
    entry: JournalEntry,
    report: ReapReport,
    *,
    clock: Clock,
    until: float,
    hung_run: str = "",
) -> None:
    """End what one entry lists and add it to the report; other reapers keep away meanwhile.

    Args:
        until: When to stop looking, on the monotonic clock.
    """
    lock = kernel_lock(entry_path(state, entry).with_suffix(".lock"))
    try:
        if entry.run != hung_run and owner_lives(state, entry, clock):
            report.kept.append((entry, f"its owner is alive ({entry.owner})"))
        elif not acquired(lock):
            report.kept.append((entry, "another process is ending it"))
        elif (current := read_value(entry_path(state, entry), JournalEntry)) is None:
            report.ended.append(entry)
        else:
            _end(farm, state, current, report, clock=clock, until=until)
    except Exception as error:  # whatever it is, the other entries and the journal still get their turn
        report.kept.append((entry, str(error) or type(error).__name__))
    finally:
        if lock.is_locked:
            # The next reaper may hold a lock on the removed file; ending twice is harmless.
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release(force=True)


def tidy(state: Path, *, clock: Clock) -> None:
    """Remove what dead processes left in the state folder beside their journal: records, tickets, locks, half files."""
    if not state.is_dir():
        return
    for pool in Pool.all(state, clock):
        pool.sweep()
    remove_unfinished(state, clock=clock)
    for folder in (state / "runs").glob("*"):
        if not lives(state, folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    forget_the_dead(state)


def _end(farm: Farm, state: Path, entry: JournalEntry, report: ReapReport, *, clock: Clock, until: float) -> None:
    if (entry.farm, entry.account) != (farm.spec.name, farm.account):
        if entry.simulated and not _answers(entry.url):
            remove_entry(state, entry)
            report.dropped.append(entry)
        else:
            report.kept.append((entry, f"it belongs to another account ({entry.account})"))
        return
    end = _end_session if entry.kind == "session" else _cancel
    try:
        over = _until(lambda: end(farm, entry), clock, until)
    except FarmUnreachable:
        if not entry.simulated:
            raise
        over = False
        gone = True
    else:
        gone = clock.time() >= entry.expires
    if over or gone:
        remove_entry(state, entry)
        (report.ended if over else report.dropped).append(entry)
    else:
        report.kept.append((entry, "the farm does not show it yet; it may still come up"))


def _until(done: Callable[[], bool], clock: Clock, until: float) -> bool:
    while not done():
        remaining = until - clock.monotonic()
        if remaining <= 0:
            return False
        clock.sleep(min(_PAUSE, remaining))
    return True


def _end_session(farm: Farm, entry: JournalEntry) -> bool:
    return farm.end_session(entry.handle)


def _cancel(farm: Farm, entry: JournalEntry) -> bool:
    """Cancel a reservation; one whose id was never told is looked up by its token."""
    ids = [entry.reservation_id] if entry.reservation_id else []
    ids = ids or list(farm.find_reservations([entry.udid], token=entry.token, since=entry.since))
    for reservation in ids:
        farm.cancel(reservation)
    return bool(ids)


def _answers(url: str) -> bool:
    """Whether anything listens at an address; a simulator listens on the loopback of its own machine."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=1.0):
            return True
    except (OSError, ValueError):
        return False
