"""What the author of a farm gives: how it is opened on a test double, and what the double has seen."""

from __future__ import annotations

import threading
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.farm import Farm, FarmSpec
from pytest_devicefarm.core.model import Device, FarmSession

Through = Callable[[str], str]
"""Gives the address to tell the farm for an address of the double; what goes wrong on the wire goes wrong between."""


class TurnedClock:
    """A clock that stands still until somebody sleeps on it; then the time is over at once."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let so many seconds be over."""
        with self._lock:
            self._now += max(0.0, seconds)


class FarmBench(ABC):
    """A farm on a test double that has at least two free devices.

    `open` and `sessions` are always needed, the others where the farm has the thing; each says so when it is missing.

    Attributes:
        spec: SPEC of the farm.
        clock: Time of the double and of the farm. It should turn when somebody sleeps, or the tests really wait.
        shows: What stands in the page source when the build of `build` has been started.
    """

    spec: FarmSpec
    clock: Clock
    shows: str = "Shop"

    @abstractmethod
    def open(self, through: Through) -> Farm:
        """One more client of the same account, as another process would open it.

        Args:
            through: To be called with each address of the double that the farm is told.
        """

    @abstractmethod
    def sessions(self) -> Collection[str]:
        """WebDriver ids of the Appium sessions that are open on the double."""

    def take(self, device: Device) -> None:
        """Let somebody else use the device from now on."""
        raise self._missing("take")

    def bookings(self) -> Collection[str]:
        """Ids of the reservations that stand, whoever made them."""
        raise self._missing("bookings")

    def verdicts(self, session: FarmSession) -> Sequence[bool | None]:
        """Every verdict the double was told of a session, in order."""
        raise self._missing("verdicts")

    def uploads(self) -> int:
        """How many builds were sent to the double."""
        raise self._missing("uploads")

    def build(self, folder: Path) -> Path:
        """A build the farm takes; an Android one that only simulators can install unless this is overridden."""
        path = folder / "shop.apk"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("app.xml", '<app package="com.example.shop" version="1.4"><title>Shop</title></app>')
        return path

    def refuse_builds(self, reason: str) -> None:
        """Let the double find, for this reason, that it cannot use the next build it is sent."""
        raise self._missing("refuse_builds")

    def withhold_artifacts(self, session: FarmSession) -> None:
        """Let the double never show a late artifact of a session."""
        raise self._missing("withhold_artifacts")

    def _missing(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"the bench of farm {self.spec.name!r} has to have {type(self).__name__}.{what}")
