"""A simulated TestGrid on a clock that waiting turns, in both dialects, and a farm that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from farms.testgrid.opening import TOKEN, open_farm
from support.clocks import WorldClock

from pytest_devicefarm.farms.testgrid.farm import TestGridFarm
from pytest_devicefarm.farms.testgrid.simulator import create
from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.world import Delays, World


@pytest.fixture
def world() -> Iterator[World]:
    devices = (
        Device(1, "U-1", "Galaxy S22", "android", "13", "SM-S901B", "Samsung", tags=("lab", "fast")),
        Device(2, "U-2", "iPhone 15", "ios", "17.4", "iPhone15,4", "Apple"),
        Device(3, "U-3", "Moto G", "android", "12", online=False),
    )
    made = World(
        devices, clock=Clock(speed=0), delays=Delays(session_create=0), accounts={"ann": TOKEN, "bob": "another-token"}
    )
    yield made
    made.close()


@pytest.fixture(params=["seen", "documented"])
def url(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    with serve(create(world, dialect=request.param)) as address:
        yield address


@pytest.fixture
def clock(world: World) -> WorldClock:
    return WorldClock(world.clock)


@pytest.fixture
def farm(world: World, url: str, clock: WorldClock) -> Iterator[TestGridFarm]:
    """The farm of account ``ann``; whatever a test sends through it has to keep to the contract."""
    with open_farm(url, clock) as opened:
        yield opened
    assert world.record.violations == []
