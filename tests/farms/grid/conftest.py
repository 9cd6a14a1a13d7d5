"""A small Grid, and the farm opened on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from farms.grid.opening import SmallGrid, a_grid, open_farm

from pytest_devicefarm.farms.grid.farm import GridFarm


@pytest.fixture
def grid() -> Iterator[SmallGrid]:
    with a_grid() as grid:
        yield grid


@pytest.fixture
def farm(grid: SmallGrid) -> Iterator[GridFarm]:
    with open_farm(grid.url) as farm:
        yield farm
