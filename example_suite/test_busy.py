"""Tests that want a certain phone wait for it when somebody else is using it."""

from __future__ import annotations

import pytest
from pages import Goods

from pytest_devicefarm.core.model import Device


@pytest.mark.device(version=">=14")
def test_the_shop_runs_on_a_new_system(goods: Goods, leased_device: Device) -> None:
    assert int(leased_device.version.split(".")[0]) >= 14
    assert goods.greeting == "Hello, demo"
