"""Fetches late artifacts in the background while tests go on, and waits for the rest once, at the end of the run.

Devices are given back before their artifacts are fetched; so nothing here may cost a test its time or its verdict.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.model import Artifact
from pytest_devicefarm.core.redaction import redact
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.reports.artifacts import OutputFolder, SessionJob
from pytest_devicefarm.reports.pending import Pending

_SLICE = 0.25  # how long the thread sleeps at most before it looks whether it is still wanted
_LOOK = 0.1  # how often the waiting main thread looks up
_GRACE = 5.0  # how long a download may run on past the deadline
_LAST_SECONDS = 1.0  # how long the thread may take to notice that it is not wanted any more
_SLOWEST = 12  # while tests run, looks grow apart up to so many times the farm's own pace
_FIRST_WORD, _NEXT_WORD = 2.0, 10.0  # when to tell that, and what, the run is waiting for


class Collector:
    """One thread for the whole run, started with the first job; it opens a farm, so an HTTP session, of its own.

    Args:
        open_farm: Called once, in the thread, when there is a first session to ask about.
        wait: Longest wait of `join` in seconds, where that is not told otherwise.
        poll_seconds: Shortest pause between two looks at one session.
        say: Shows one line to people; called by `join` only, in the caller's thread.
    """

    def __init__(
        self,
        open_farm: Callable[[], Farm],
        folder: OutputFolder,
        *,
        wait: float,
        clock: Clock,
        poll_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        self._open_farm = open_farm
        self._folder = folder
        self._wait = wait
        self._clock = clock
        self._poll = poll_seconds
        self._say = say
        self._all: list[Pending] = []
        self._changed = threading.Condition()
        self._deadline: float | None = None
        self._unwanted = False
        self._thread: threading.Thread | None = None

    def add(self, job: SessionJob) -> None:
        """Take on a session that has ended; returns at once."""
        with self._changed:
            due = self._clock.monotonic() + self._poll
            self._all.append(Pending(job, self._folder, due=due, pause=self._poll))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="devicefarm-collector", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def join(
        self, deadline_seconds: float | None = None, stop: Callable[[], bool] = lambda: False
    ) -> list[tuple[SessionJob, list[Artifact]]]:
        """Wait until all artifacts have settled, at most so long, and give them by job in the order of `add`.

        What has not come by then is an artifact without path and with a note. Call it once, at the end.

        Args:
            stop: Asked several times a second; true ends the waiting at once.
        """
        seconds = self._wait if deadline_seconds is None else deadline_seconds
        stopped = False
        if self._thread is not None:
            with self._changed:
                self._deadline = self._clock.monotonic() + seconds
                for pending in self._all:
                    pending.due, pending.pause = self._clock.monotonic(), self._poll
                self._changed.notify_all()
            stopped = self._watch(self._thread, self._deadline, stop)
            with self._changed:
                self._unwanted = True
                self._changed.notify_all()
            self._thread.join(_LAST_SECONDS)
        why = "not waited for, since the run was interrupted" if stopped else f"not there after {seconds:.0f} s"
        for pending in self._all:
            if not pending.settled:
                pending.give_up(why)
        return [(pending.job, pending.artifacts) for pending in self._all]

    def _watch(self, thread: threading.Thread, deadline: float, stop: Callable[[], bool]) -> bool:
        """Wait for the thread to end; true where ``stop`` ended the waiting."""
        next_word = self._clock.monotonic() + _FIRST_WORD
        while thread.is_alive():
            thread.join(_LOOK)
            now = self._clock.monotonic()
            if stop():
                return True
            if now >= deadline + _GRACE:
                return False
            if now >= next_word and (missing := sum(not pending.settled for pending in self._all)):
                self._say(
                    f"collecting artifacts: {missing} of {len(self._all)} sessions to come, "
                    f"{max(deadline - now, 0):.0f} s left (Ctrl-C goes on without them)"
                )
                next_word = now + _NEXT_WORD
        return False

    def _work(self) -> None:
        farm: Farm | None = None
        secrets: tuple[Secret, ...] = ()
        try:
            while (pending := self._next()) is not None:
                if pending.job.session is None:
                    pending.close()
                    continue
                if farm is None:
                    try:
                        farm = self._open_farm()
                    except Exception as error:  # without a farm there are notes instead of artifacts
                        pending.give_up(f"the farm could not be opened: {error}")
                        continue
                    secrets = tuple(farm.settings.secrets.values())
                pending.step(farm, partial(redact, secrets=secrets))
                with self._changed:
                    slowest = 1 if self._deadline is not None else _SLOWEST
                    pending.due = self._clock.monotonic() + pending.pause
                    pending.pause = min(pending.pause * 1.5, self._poll * slowest)
        finally:
            if farm is not None:
                farm.close()

    def _next(self) -> Pending | None:
        """The session to look at now, waited for; ``None`` when there is nothing left to do."""
        while True:
            with self._changed:
                now = self._clock.monotonic()
                waiting = [pending for pending in self._all if not pending.settled]
                if self._unwanted or (self._deadline is not None and (not waiting or now >= self._deadline)):
                    return None
                if not waiting:
                    self._changed.wait()
                    continue
                pending = min(waiting, key=lambda each: each.due)
                if pending.due <= now:
                    return pending
                pause = min(pending.due - now, _SLICE)
            self._clock.sleep(pause)
