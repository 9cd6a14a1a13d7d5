"""Every farm of this package keeps the contract, the clouds in each dialect of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from farms.grid import bench as grid
from farms.kobiton import bench as kobiton
from farms.local import bench as local
from farms.testgrid import bench as testgrid

from pytest_devicefarm.testing import FarmBench, FarmContract

DIALECTS = ("seen", "documented")


class TestKobiton(FarmContract):
    @pytest.fixture(params=DIALECTS)
    def bench(self, request: pytest.FixtureRequest) -> Iterator[FarmBench]:
        with kobiton.a_bench(request.param) as bench:
            yield bench


class TestTestGrid(FarmContract):
    @pytest.fixture(params=DIALECTS)
    def bench(self, request: pytest.FixtureRequest) -> Iterator[FarmBench]:
        with testgrid.a_bench(request.param) as bench:
            yield bench


class TestLocal(FarmContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[FarmBench]:
        with local.a_bench(tmp_path) as bench:
            yield bench


class TestGrid(FarmContract):
    @pytest.fixture
    def bench(self) -> Iterator[FarmBench]:
        with grid.a_bench() as bench:
            yield bench
