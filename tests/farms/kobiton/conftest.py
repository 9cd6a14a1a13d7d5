"""A simulated Kobiton on a clock that waiting turns, in both dialects, and a farm that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from farms.kobiton.opening import KEY, open_farm
from support.clocks import WorldClock

from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.farms.kobiton.simulator import create
from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.world import Delays, World


@pytest.fixture
def world() -> Iterator[World]:
    devices = (
        Device(1, "PRIVATE-1", "Galaxy S22", "android", "13", "SM-S901B", "Samsung", tags=("lab",), favourite=True),
        Device(2, "PRIVATE-2", "iPhone 15", "ios", "17.4", "iPhone15,4", "Apple"),
        Device(3, "CLOUD-1", "Pixel 8", "android", "14", "GKWS6", "Google", private=False, favourite=True),
        Device(4, "HIDDEN-1", "Pixel 4", "android", "11", hidden=True),
        Device(5, "OFFLINE-1", "Moto G", "android", "12", online=False),
    )
    made = World(
        devices, clock=Clock(speed=0), delays=Delays(session_create=0), accounts={"ann": KEY, "bob": "another-key"}
    )
    yield made
    made.close()


@pytest.fixture(params=["seen", "documented"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clock(world: World) -> WorldClock:
    return WorldClock(world.clock)


@pytest.fixture
def url(world: World, dialect: str) -> Iterator[str]:
    with serve(create(world, dialect=dialect)) as address:
        yield address


@pytest.fixture
def farm(world: World, url: str, clock: WorldClock) -> Iterator[KobitonFarm]:
    """The farm of account ``ann``; whatever a test sends through it has to keep to the contract."""
    with open_farm(url, clock) as opened:
        yield opened
    assert world.record.violations == []
