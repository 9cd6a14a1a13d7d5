"""Processes that own something, and whether they still live.

A process lives as long as the kernel holds its lock, whatever its pid says: pids are used again, and mean nothing in
another container. Only what another machine wrote, whose locks are not seen here, lives until it expires.
"""

from __future__ import annotations

import atexit
import os
import platform
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devicefarm.core.files import (
    is_locked,
    kernel_lock,
    private_folder,
    refuse_remote,
    remove_unlocked,
    safe_name,
)

if TYPE_CHECKING:
    from filelock import FileLock

_FOLDER = "owners"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process of a run.

    Attributes:
        name: Name of its lock in the state folder, without the ending.
        started: Start of the process, seconds since the epoch.
        boot: What tells this start of the machine from others, ``""`` where the system does not say.
    """

    name: str
    run: str
    pid: int
    started: float
    host: str
    boot: str

    def __str__(self) -> str:
        return f"run {self.run}, pid {self.pid} on {self.host}"


class OwnerLock:
    """This process as an owner; its lock is made when it first owns something, and held until `release`."""

    def __init__(self, state: Path, *, run: str) -> None:
        self._state = state
        self._run = run
        self._guard = threading.Lock()
        self._held: tuple[Owner, FileLock] | None = None

    def hold(self) -> Owner:
        """Who we are, with the lock that shows we live."""
        with self._guard:
            if self._held is None:
                folder = private_folder(self._state, _FOLDER)
                refuse_remote(self._state)
                name = f"{_prefix(self._run)}{os.getpid()}-{secrets.token_hex(6)}"
                owner = Owner(name, self._run, os.getpid(), _process_start(), platform.node(), _boot_id())
                lock = kernel_lock(folder / f"{name}.lock")
                lock.acquire(timeout=0)
                self._held = owner, lock
                # Also keeps the lock from being collected, and so given up, while something is owned under it.
                atexit.register(self.release)
            return self._held[0]

    def release(self) -> None:
        """Own nothing any more."""
        with self._guard:
            # In a fork of the owner there is nothing to release: the owner still lives.
            if self._held is not None and self._held[0].pid == os.getpid():
                owner, lock = self._held
                self._held = None
                atexit.unregister(self.release)
                # The name is never used again, so nobody can lock another file under it.
                with suppress(OSError):
                    _lock_path(self._state, owner.name).unlink(missing_ok=True)
                lock.release(force=True)


def is_alive(state: Path, owner: Owner, *, now: float, expires: float, patience: float = 0.0) -> bool:
    """Whether an owner still lives; without patience, one just looked at by somebody else counts as alive."""
    if is_elsewhere(owner):
        return expires > now
    return is_locked(_lock_path(state, owner.name), patience=patience)


def is_elsewhere(owner: Owner) -> bool:
    """Whether an owner is on another machine; containers of one machine see each other's locks."""
    return owner.host != platform.node() and not (owner.boot and owner.boot == _boot_id())


def lives(state: Path, run: str) -> bool:
    """Whether any process of a run on this machine owns something or did, and has not ended."""
    return any(is_locked(path) for path in (state / _FOLDER).glob(f"{_prefix(run)}*.lock"))


def forget_the_dead(state: Path) -> None:
    """Remove the locks of processes that have ended."""
    for path in (state / _FOLDER).glob("*.lock"):
        remove_unlocked(path)


def _prefix(run: str) -> str:
    return f"{safe_name(run)}-"


def _lock_path(state: Path, name: str) -> Path:
    return state / _FOLDER / f"{name}.lock"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _process_start() -> float:
    """Start of this process; where the system does not tell, now."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        age = 0.0
    return time.time() - age
