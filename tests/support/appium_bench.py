"""What the benches of farms that are Appium servers have in common."""

from __future__ import annotations

from collections.abc import Collection

from support.appium import AppiumDouble

from pytest_devicefarm.core.model import Device
from pytest_devicefarm.testing import FarmBench, TurnedClock


class AppiumBench(FarmBench):
    """A double and its address."""

    def __init__(self, double: AppiumDouble, url: str) -> None:
        self.clock = TurnedClock()
        self.url = url
        self._double = double

    def sessions(self) -> Collection[str]:
        return list(self._double.sessions)

    def take(self, device: Device) -> None:
        self._double.open({"appium:udid": device.udid})
