"""Fixtures of the real leg; what cannot be fetched skips a test, and a skipped test fails in CI."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real.apks import fetch_apks
from real.appium_server import Appium, AppiumServer, install_appium, running_appium


@pytest.fixture(scope="session")
def appium() -> Appium:
    """Appium and its fake drivers, installed from npm."""
    try:
        return install_appium()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Appium cannot be installed here: {error}")


@pytest.fixture(scope="session")
def appium_server(appium: Appium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppiumServer]:
    """One server for all tests that leave it alive."""
    with running_appium(appium, tmp_path_factory.mktemp("appium") / "server.log") as server:
        yield server


@pytest.fixture
def own_appium_server(appium: Appium, tmp_path: Path) -> Iterator[AppiumServer]:
    """A server that the test may bring down."""
    with running_appium(appium, tmp_path / "server.log") as server:
        yield server


@pytest.fixture(scope="session")
def xml_app() -> Path:
    """The app of the fake driver: a login button that raises an alert, and an input field."""
    return Path(__file__).parents[1] / "appium/farm-fake-driver/screen.xml"


@pytest.fixture(scope="session")
def apks() -> dict[str, Path]:
    """Real Android builds by file name, fetched from npm."""
    try:
        return fetch_apks()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"real builds cannot be fetched here: {error}")
