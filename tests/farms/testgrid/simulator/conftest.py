from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.testgrid import SimulatedTestGrid, a_testgrid


@pytest.fixture
def farm() -> Iterator[SimulatedTestGrid]:
    with a_testgrid() as farm:
        yield farm


@pytest.fixture
def documented() -> Iterator[SimulatedTestGrid]:
    with a_testgrid(dialect="documented") as farm:
        yield farm


@pytest.fixture(params=["seen", "documented"])
def either(request: pytest.FixtureRequest) -> Iterator[SimulatedTestGrid]:
    with a_testgrid(dialect=request.param) as farm:
        yield farm
