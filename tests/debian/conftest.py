"""Fixtures of the leg that needs Debian packages; what is missing skips a test, and a skipped test fails in CI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian.chromium import Chromium
from farms.local.conftest import lab as lab
from farms.local.conftest import open_pool as open_pool
from real.conftest import appium as appium
from selenium.webdriver import Chrome


def installed(program: str, package: str) -> str:
    """Where a program is."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not here: apt-get install --no-install-recommends {package}")
    return path


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """Chromium and its driver."""
    return Chromium(installed("chromium", "chromium"), installed("chromedriver", "chromium-driver"))


@pytest.fixture(scope="session")
def adb() -> str:
    """The program adb."""
    return installed("adb", "adb")


@pytest.fixture
def browser(chromium: Chromium, tmp_path: Path) -> Iterator[Chrome]:
    """An open browser that keeps what pages write to its console."""
    with chromium.opened(tmp_path / "profile") as driver:
        yield driver
