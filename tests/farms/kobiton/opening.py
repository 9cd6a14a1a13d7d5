"""How tests open a Kobiton farm, and the clock they share with the simulated one."""

from __future__ import annotations

from typing import cast

from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.farms.kobiton import SPEC
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.simulator.clock import Clock

KEY = "k3y-canary-0123456789"


class WorldClock:
    """The farm's own time for our side too; whoever sleeps turns it."""

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


def settings_for(url: str, key: str = KEY, **values: str) -> FarmSettings:
    return FarmSettings("kobiton", {"url": url, "username": "ann", **values}, {"api_key": Secret(key)})


def open_farm(url: str, clock: WorldClock | None = None, **values: str) -> KobitonFarm:
    clock = clock or WorldClock(Clock(speed=0))
    return cast(KobitonFarm, SPEC.open(settings_for(url, **values), clock=clock))
