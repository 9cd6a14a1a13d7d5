"""How tests open a Kobiton farm, on the time of the simulated one."""

from __future__ import annotations

from typing import cast

from support.clocks import WorldClock

from pytest_devicefarm.core import clock as clocks
from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.farms.kobiton import SPEC
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.simulator.clock import Clock

KEY = "k3y-canary-0123456789"


def settings_for(url: str, key: str = KEY, **values: str) -> FarmSettings:
    return FarmSettings("kobiton", {"url": url, "username": "ann", **values}, {"api_key": Secret(key)})


def open_farm(url: str, clock: clocks.Clock | None = None, **values: str) -> KobitonFarm:
    return cast(KobitonFarm, SPEC.open(settings_for(url, **values), clock=clock or WorldClock(Clock(speed=0))))
