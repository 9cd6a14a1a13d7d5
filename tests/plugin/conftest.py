"""A simulated Kobiton for each module, and a suite on it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from plugin.suites import Kobiton, Suite, a_kobiton


@pytest.fixture(scope="module")
def served() -> Iterator[Kobiton]:
    with a_kobiton() as farm:
        yield farm


@pytest.fixture
def farm(served: Kobiton) -> Kobiton:
    served.clear()
    return served


@pytest.fixture
def suite(pytester: pytest.Pytester, farm: Kobiton, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A suite whose environment names the farm."""
    for name, value in farm.wire.environment(farm.url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DEVICEFARM_FARM", "kobiton")
    monkeypatch.setenv("DEVICEFARM_STATE", str(pytester.path / "state"))
    made = Suite(pytester, farm)
    made.ini()
    return made
