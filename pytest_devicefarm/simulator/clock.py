"""Simulated time: runs faster than real time, or stands still until it is turned by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch as the simulated farm sees them.

    Args:
        speed: Simulated seconds per real second; 0 stops the clock, so that only `advance` moves it.
        start: First reading, in seconds since the epoch; now when left out.
    """

    def __init__(self, *, speed: float = 1.0, start: float | None = None) -> None:
        if speed < 0:
            raise ValueError(f"the clock's speed must be 0 or more, not {speed}")
        self.speed = speed
        self._base = time.time() if start is None else start
        self._began = time.monotonic()
        self._turned = threading.Condition()
        self._sleepers = 0
        self._closed = False

    def now(self) -> float:
        """Simulated seconds since the epoch."""
        return self._base + (time.monotonic() - self._began) * self.speed

    def calendar(self) -> float:
        """Seconds since the epoch as a client's own clock tells them, plus what was turned by hand.

        It never runs faster than real time, so dates that clients send and get are of this calendar.
        """
        return self._base + (time.monotonic() - self._began) * min(self.speed, 1.0)

    def moment(self, date: float) -> float:
        """What this clock reads on a date of the calendar."""
        return self.now() + (date - self.calendar()) * max(self.speed, 1.0)

    def date(self, moment: float) -> float:
        """The date of the calendar on which this clock reads a moment; whole milliseconds."""
        return round(self.calendar() + (moment - self.now()) / max(self.speed, 1.0), 3)

    def iso(self, seconds: float | None = None) -> str:
        """A moment as ISO 8601 text in UTC with milliseconds; the present one when left out."""
        moment = datetime.fromtimestamp(self.now() if seconds is None else seconds, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def advance(self, seconds: float) -> None:
        """Turns the clock forward and wakes whoever waits for a moment that has come."""
        if seconds < 0:
            raise ValueError(f"time only moves forward, not by {seconds} s")
        with self._turned:
            self._base += seconds
            self._turned.notify_all()

    def sleep(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Waits for simulated seconds, or until a condition holds (checked after each `wake`), or `close`."""
        with self._turned:
            end = self.now() + seconds
            self._sleepers += 1
            self._turned.notify_all()
            try:
                while not self._closed and not until() and (left := end - self.now()) > 0:
                    self._turned.wait(left / self.speed if self.speed else None)
            finally:
                self._sleepers -= 1

    def wake(self) -> None:
        """Makes sleepers look at their condition again."""
        with self._turned:
            self._turned.notify_all()

    def wait_for_sleeper(self, timeout: float = 5.0) -> bool:
        """Waits real seconds until somebody sleeps on this clock; says whether that happened."""
        with self._turned:
            return self._turned.wait_for(lambda: self._sleepers > 0, timeout)

    def close(self) -> None:
        """Ends every sleep, for good."""
        with self._turned:
            self._closed = True
            self._turned.notify_all()
