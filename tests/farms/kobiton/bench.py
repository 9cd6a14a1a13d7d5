"""Kobiton on its simulator, as the contract wants it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from farms.kobiton.opening import KEY, open_farm
from support.benches import ACCOUNT, WorldBench, a_world

from pytest_devicefarm.farms.kobiton import SPEC
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.farms.kobiton.simulator import create
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.testing import Through


class KobitonBench(WorldBench):
    spec = SPEC

    def open(self, through: Through) -> KobitonFarm:
        return open_farm(through(self.url), self.clock, username=ACCOUNT)


@contextmanager
def a_bench(dialect: str) -> Iterator[KobitonBench]:
    world = a_world(KEY)
    with serve(create(world, dialect=dialect)) as url:
        yield KobitonBench(world, url, registers="createApplicationOrVersion")
    world.close()
    assert world.record.violations == []
