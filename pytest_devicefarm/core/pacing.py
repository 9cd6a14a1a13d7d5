"""Keeps calls to one farm apart, so that many threads do not ask faster than it can bear."""

from __future__ import annotations

import threading

from pytest_devicefarm.core.clock import Clock


class Pacer:
    """Gives each call its start, whichever thread makes it.

    Args:
        gap: Shortest time between two starts in seconds; 0 for none.
    """

    def __init__(self, clock: Clock, gap: float) -> None:
        self._clock = clock
        self._gap = gap
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next call may start."""
        if self._gap <= 0:
            return
        with self._lock:
            now = self._clock.monotonic()
            start = max(now, self._next)
            self._next = start + self._gap
        if start > now:
            self._clock.sleep(start - now)
