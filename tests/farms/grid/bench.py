"""A Selenium Grid with two slots, as the contract wants it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from support.appium import GridDouble, an_appium
from support.appium_bench import AppiumBench

from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.farms.grid import SPEC
from pytest_devicefarm.testing import Through

PASSWORD = "gr1d-canary-0123456789"


class GridBench(AppiumBench):
    spec = SPEC

    def open(self, through: Through) -> Farm:
        values = {"url": through(self.url), "username": "ann"}
        return SPEC.open(FarmSettings(SPEC.name, values, {"password": Secret(PASSWORD)}), clock=self.clock)


@contextmanager
def a_bench() -> Iterator[GridBench]:
    double = GridDouble("phone-1", "phone-2")
    with an_appium(double) as url:
        yield GridBench(double, url)
