"""Fixtures that the parts of the contract share; they exist inside its classes only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_devicefarm.core.builds import read_build
from pytest_devicefarm.core.farm import Farm, FarmSpec
from pytest_devicefarm.core.model import Build, Device, DeviceState
from pytest_devicefarm.testing.bench import FarmBench
from pytest_devicefarm.testing.process import Process
from pytest_devicefarm.testing.relay import Relay

Start = Callable[..., Process]
"""Starts one more process of the account; ``booked`` as in `Process`."""


class Setting:
    """A farm on its bench, a relay between the two, and processes that use it."""

    @pytest.fixture
    def bench(self) -> FarmBench:
        """The bench; function-scoped, to be given by the author of a farm."""
        raise NotImplementedError(f"{type(self).__name__} has to have a fixture `bench` that gives a FarmBench")

    @pytest.fixture
    def spec(self, bench: FarmBench) -> FarmSpec:
        """What the farm says of itself."""
        return bench.spec

    @pytest.fixture
    def relay(self) -> Iterator[Relay]:
        """What stands between the farm and its double."""
        with Relay() as relay:
            yield relay

    @pytest.fixture
    def start(self, bench: FarmBench, relay: Relay, tmp_path: Path) -> Iterator[Start]:
        """Gives further processes, each with a client of its own; all share one state folder."""
        started: list[Process] = []

        def start(*, booked: int = 0) -> Process:
            farm = bench.open(relay.through)
            process = Process(farm, tmp_path / "state", run=f"run-{len(started)}", clock=bench.clock, booked=booked)
            started.append(process)
            return process

        yield start
        for process in started:
            process.die()
            process.farm.close()

    @pytest.fixture
    def here(self, start: Start) -> Process:
        """The process most tests need."""
        return start()

    @pytest.fixture
    def farm(self, here: Process) -> Farm:
        """Its farm."""
        return here.farm

    @pytest.fixture
    def devices(self, farm: Farm) -> list[Device]:
        """Free devices, those first on which most can be done."""
        free = [device for device in farm.list_devices().devices if device.state is DeviceState.FREE]
        assert len(free) > 1, "the double should have two free devices"
        return sorted(free, key=lambda device: (not device.reservable, device.platform))

    @pytest.fixture
    def device(self, devices: list[Device]) -> Device:
        """One of them."""
        return devices[0]

    @pytest.fixture
    def build(self, bench: FarmBench, tmp_path: Path) -> Build:
        """A build the farm takes."""
        folder = tmp_path / "builds"
        folder.mkdir()
        return read_build(bench.build(folder))
