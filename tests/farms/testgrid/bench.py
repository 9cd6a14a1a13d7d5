"""TestGrid on its simulator, as the contract wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from farms.testgrid.opening import TOKEN, open_farm
from support.benches import ACCOUNT, VERDICTS, WorldBench, a_world

from pytest_devicefarm.core.model import FarmSession
from pytest_devicefarm.farms.testgrid import SPEC
from pytest_devicefarm.farms.testgrid.farm import TestGridFarm
from pytest_devicefarm.farms.testgrid.simulator import create
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.testing import Through


class TestGridBench(WorldBench):
    __test__ = False

    spec = SPEC
    application_token = ""

    def open(self, through: Through) -> TestGridFarm:
        secrets = {"user_token": TOKEN, "application_token": self.application_token}
        return open_farm(through(self.url), self.clock, secrets=secrets)

    def verdicts(self, session: FarmSession) -> Sequence[bool | None]:
        return [VERDICTS.get(case.verdict) for case in self.found(session).cases]


@contextmanager
def a_bench(dialect: str) -> Iterator[TestGridBench]:
    world = a_world(TOKEN)
    wire = create(world, dialect=dialect)
    with serve(wire) as url:
        bench = TestGridBench(world, url, registers="uploadAppDirect")
        shop = world.apps.new_app("Shop", "android", world.clock.now(), ACCOUNT)
        bench.application_token = wire.catalogue.add_application(shop)
        yield bench
    world.close()
    assert world.record.violations == []
