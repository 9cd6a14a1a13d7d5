"""Clocks that tests turn."""

from __future__ import annotations

import threading

from pytest_devicefarm.simulator.clock import Clock


class ManualClock:
    """Stands still until it is told to sleep or advance; then the time is over at once."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.sleeps: list[float] = []

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self._now += max(0.0, seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody having slept."""
        with self._lock:
            self._now += seconds


class WorldClock:
    """The time of a simulated farm for our side too; whoever sleeps turns it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sleeps: list[float] = []

    def time(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._clock.advance(seconds)
