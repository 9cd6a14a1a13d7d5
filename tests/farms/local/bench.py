"""A pool of two devices on one Appium server, as the contract wants it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.appium import AppiumDouble, an_appium
from support.appium_bench import AppiumBench

from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.settings import FarmSettings
from pytest_devicefarm.farms.local import SPEC
from pytest_devicefarm.testing import Through

POOL = """
[[farms.local.servers]]
name = "shelf"
url = "{url}"
[[farms.local.devices]]
udid = "phone-1"
platform = "android"
version = "14"
server = "shelf"
[[farms.local.devices]]
udid = "phone-2"
platform = "android"
version = "13"
server = "shelf"
"""


class LocalBench(AppiumBench):
    spec = SPEC

    def __init__(self, double: AppiumDouble, url: str, folder: Path) -> None:
        super().__init__(double, url)
        self._file = folder / "devicefarm.toml"

    def open(self, through: Through) -> Farm:
        self._file.write_text(POOL.format(url=through(self.url)))
        return SPEC.open(FarmSettings(SPEC.name, {"file": str(self._file), "adb": "false"}, {}), clock=self.clock)


@contextmanager
def a_bench(folder: Path) -> Iterator[LocalBench]:
    double = AppiumDouble()
    with an_appium(double) as url:
        yield LocalBench(double, url, folder)
