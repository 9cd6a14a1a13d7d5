from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.kobiton import SimulatedKobiton, a_kobiton


@pytest.fixture
def farm() -> Iterator[SimulatedKobiton]:
    with a_kobiton() as farm:
        yield farm


@pytest.fixture
def documented() -> Iterator[SimulatedKobiton]:
    with a_kobiton(dialect="documented") as farm:
        yield farm


@pytest.fixture(params=["seen", "documented"])
def either(request: pytest.FixtureRequest) -> Iterator[SimulatedKobiton]:
    with a_kobiton(dialect=request.param) as farm:
        yield farm
