"""A small process beside a test run that ends what the run has at the farm when the run cannot do so itself.

The run may be killed, or blocked in a call that no signal interrupts. The guardian sits at the other end of a pipe: a
signal number that arrives there, or the end of the pipe, tells it that the run is ending; what the run's journal still
lists a moment later, it ends. While the run is well the guardian does nothing and has loaded next to nothing, so this
module imports only what Python has loaded anyway.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from pytest_devicefarm.core.farm import Farm
    from pytest_devicefarm.core.journal import JournalEntry
    from pytest_devicefarm.core.settings import FarmSettings

_WELL = 255
"""The run ended well: a byte that is no signal number."""
_GOES_ON = 254
"""The run goes on after a signal."""
_ENDING = frozenset(
    int(getattr(signal, name))
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
    if hasattr(signal, name)
)
"""Signals that end a run; others (timers, window sizes) reach the pipe too and mean nothing."""
_LOOK_AT_PARENT = 1.0
_LOOK_AT_JOURNAL = 0.25
_LONGEST_PAUSE = 2.0
_LAST_WATCH = 60.0
_LOADING = 0.5
_AT_A_TIME = 16
_BOOT = """
import signal
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
import io, json, sys
order = json.loads(io.FileIO(0, closefd=False).readline())
sys.path[:] = order["path"]
from pytest_devicefarm.core.guardian import watch
watch(order)
"""


class Guardian:
    """The guardian of this run, seen from the run."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: IO[bytes]) -> None:
        self._process = process
        self._pipe = pipe

    @classmethod
    def start(cls, settings: FarmSettings, factory: str, state: Path, run: str, *, grace: float = 1.5) -> Guardian:
        """Start the guardian of a run.

        Args:
            settings: Given to the child through its pipe, so secrets appear in no process list.
            factory: ``module:Class`` of the `Farm`.
            grace: How long after a signal or the death of the run the guardian waits for the run itself, seconds.
        """
        process = subprocess.Popen(
            # Without site and environment: nothing of the user's runs in the child before it has its orders.
            [sys.executable, "-S", "-E", "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=os.path.abspath(os.sep),  # noqa: PTH100 - the root of this drive; no folder is kept busy
            close_fds=True,
        )
        guardian = cls(process, cast("IO[bytes]", process.stdin))
        order = {
            "path": _absolute([*sys.path, str(Path(__file__).parents[2])]),
            "factory": factory,
            "settings": settings.to_pipe(),
            "state": str(state.absolute()),
            "run": run,
            "pid": os.getpid(),
            "grace": grace,
        }
        guardian._tell(json.dumps(order).encode() + b"\n")
        os.set_blocking(guardian.wakeup_fd, False)
        return guardian

    @property
    def wakeup_fd(self) -> int:
        """The writing end of the pipe, for `signal.set_wakeup_fd`."""
        return self._pipe.fileno()

    def goes_on(self) -> None:
        """Say that the run goes on after a signal: a test caught it, or a debugger did."""
        self._tell(bytes([_GOES_ON]))

    def leave(self) -> None:
        """Say that the run is over and could not end everything; the guardian goes on without us.

        Take the descriptor out of `signal.set_wakeup_fd` before.
        """
        self._pipe.close()

    def stop(self, *, timeout: float = 5.0) -> None:
        """Say that the run ended well, and wait for the guardian to end; harmless when it has.

        Take the descriptor out of `signal.set_wakeup_fd` before.
        """
        self._tell(bytes([_WELL]))
        self._pipe.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, data: bytes) -> None:
        # A guardian that is gone cannot be told anything; the next run reaps instead.
        with contextlib.suppress(BrokenPipeError, BlockingIOError):
            while data and not self._pipe.closed:
                data = data[os.write(self.wakeup_fd, data) :]


def watch(order: dict[str, Any]) -> None:
    """Run in the child: wait for the end of the run, then end what it left."""
    pipe = _Pipe(0, order["pid"])
    try:
        while not pipe.well:
            pipe.read(_LOOK_AT_PARENT)
            if pipe.ending and _Watch(order, pipe).over():
                break
    except BaseException as error:  # there is nobody else to tell
        _note(order, f"{type(error).__name__}: {error}")
    finally:
        # Threads may still wait for a farm that does not answer.
        os._exit(0)


class _Pipe:
    """What the run says: signal numbers, that it goes on, that all is well, or nothing more because it has ended."""

    def __init__(self, descriptor: int, parent: int) -> None:
        self._descriptor = descriptor
        self._parent = parent
        self._signalled = False
        self.closed = False
        self.well = False

    @property
    def ending(self) -> bool:
        """Whether the run is ending, and not said to be well."""
        return (self._signalled or self.closed) and not self.well

    def read(self, seconds: float) -> None:
        """Wait for the next word, at most so long."""
        if self.closed:
            time.sleep(seconds)
            return
        if select.select([self._descriptor], [], [], seconds)[0]:
            said = os.read(self._descriptor, 4096)
            self.closed = not said
            for byte in said:
                self.well = self.well or byte == _WELL
                self._signalled = byte in _ENDING or (self._signalled and byte != _GOES_ON)
        # A process that the run has forked keeps the pipe open after the run's death.
        self.closed = self.closed or (os.name == "posix" and os.getppid() != self._parent)


class _Watch:
    """The time between the first sign of the end and the end."""

    def __init__(self, order: dict[str, Any], pipe: _Pipe) -> None:
        self._order = order
        self._pipe = pipe
        self._state = Path(order["state"])
        self._run: str = order["run"]

    def over(self) -> bool:
        """Give the run its grace, then end what is left; false if the run goes on after all."""
        start = time.monotonic()
        # The grace is long enough to load the farm's code in.
        self._listen(start + max(0.0, self._order["grace"] - _LOADING))
        if self._pipe.ending:
            farm = self._open()
            self._listen(start + self._order["grace"])
            if self._pipe.ending:
                self._end_everything(farm)
        return self._pipe.well or self._pipe.ending

    def _listen(self, until: float) -> None:
        while self._pipe.ending and (remaining := until - time.monotonic()) > 0:
            self._pipe.read(remaining)

    def _open(self) -> Farm:
        import importlib

        from pytest_devicefarm.core.clock import SystemClock
        from pytest_devicefarm.core.settings import FarmSettings

        module, _, name = self._order["factory"].partition(":")
        settings = FarmSettings.from_pipe(self._order["settings"])
        farm: Farm = getattr(importlib.import_module(module), name)(settings, clock=SystemClock())
        return farm

    def _end_everything(self, farm: Farm) -> None:
        """End every entry of the run, also those that a process which still lives writes meanwhile."""
        from concurrent.futures import ThreadPoolExecutor

        from pytest_devicefarm.core.clock import SystemClock
        from pytest_devicefarm.core.journal import journal_entries
        from pytest_devicefarm.core.owners import lives
        from pytest_devicefarm.core.reaping import tidy

        threads = ThreadPoolExecutor(_AT_A_TIME)
        tries: dict[str, _Tries] = {}
        last_look = math.inf
        while self._pipe.ending:
            entries = [
                entry
                for entry in journal_entries(self._state)
                if (entry.run, entry.account) == (self._run, farm.account)
            ]
            for entry in entries:
                tries.setdefault(entry.id, _Tries(farm, self._state, self._run)).go(entry, threads)
            if self._pipe.closed:
                last_look = min(last_look, time.monotonic() + _LAST_WATCH)
                nothing_left = not entries and not lives(self._state, self._run)
                if nothing_left and not any(attempt.under_way for attempt in tries.values()):
                    tidy(self._state, clock=SystemClock())
                    break
                if time.monotonic() > last_look:
                    left = [f"{entry}: {tries[entry.id].reason}" for entry in entries]
                    _note(self._order, "\n".join(["left to the next run or `devicefarm reap`:", *left]))
                    break
            self._pipe.read(_LOOK_AT_JOURNAL)


class _Tries:
    """Attempts to end one entry, further and further apart while nothing changes."""

    def __init__(self, farm: Farm, state: Path, run: str) -> None:
        self._farm = farm
        self._state = state
        self._run = run
        self._entry: JournalEntry | None = None
        self._attempt: Future[None] | None = None
        self._kept: list[tuple[JournalEntry, str]] = []
        self._pause = self._next = 0.0

    @property
    def under_way(self) -> bool:
        """Whether the farm is being asked."""
        return self._attempt is not None and not self._attempt.done()

    @property
    def reason(self) -> str:
        """Why the entry is still there, ``""`` where the farm has not answered."""
        return self._kept[-1][1] if self._kept else "no answer from the farm"

    def go(self, entry: JournalEntry, threads: Executor) -> None:
        """Try if it is time to."""
        now = time.monotonic()
        changed = entry != self._entry
        if self.under_way or (not changed and now < self._next):
            return
        from pytest_devicefarm.core.clock import SystemClock
        from pytest_devicefarm.core.reaping import ReapReport, end_entry

        self._entry = entry
        self._pause = _LOOK_AT_JOURNAL if changed else min(2 * self._pause, _LONGEST_PAUSE)
        self._next = now + self._pause
        self._attempt = threads.submit(
            end_entry,
            self._farm,
            self._state,
            entry,
            ReapReport(kept=self._kept),
            clock=SystemClock(),
            until=now,
            hung_run=self._run,
        )


def _absolute(path: Iterable[str]) -> list[str]:
    """An import path that means the same in another working folder."""
    return [str(Path(entry).absolute()) for entry in path]


def _note(order: dict[str, Any], text: str) -> None:
    """Leave a note in the state folder, without secrets."""
    from pytest_devicefarm.core.files import private_folder, safe_name
    from pytest_devicefarm.core.redaction import redact
    from pytest_devicefarm.core.settings import Secret

    folder = private_folder(Path(order["state"]), "guardian")
    secrets = [Secret(value) for value in order["settings"]["secrets"].values()]
    with (folder / f"{safe_name(order['run'])}.log").open("a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {redact(text, secrets)}\n")
