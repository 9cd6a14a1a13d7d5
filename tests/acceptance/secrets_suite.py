"""Tests with failures of every kind; what their reports show is searched for secrets by another test.

Faults lie in files outside the folders that are searched, because some hold the very secrets.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from appium.webdriver.common.appiumby import AppiumBy
from appium.webdriver.webdriver import WebDriver

log = logging.getLogger(__name__)


def arm(name: str) -> None:
    """Make the farm fail in one of the prepared ways."""
    fault = Path(os.environ["FAULTS"], f"{name}.json").read_bytes()
    urlopen(Request(f"{os.environ['SIMULATOR']}/_simulator/faults", data=fault, method="POST")).close()


def type_password(driver: WebDriver) -> None:
    driver.find_element(AppiumBy.ACCESSIBILITY_ID, "password").send_keys(os.environ["SHOP_PASSWORD"])


def test_that_passes(appium_driver: WebDriver) -> None:
    type_password(appium_driver)


def test_that_shows_all_it_has(
    device_farm: Any, device_lease: Any, appium_driver: WebDriver, farm_session: Any
) -> None:
    type_password(appium_driver)
    api, hub, settings = device_farm.api, device_farm.hub, device_farm.settings
    transport, executor = api.transport, appium_driver.command_executor
    client_config = getattr(executor, "client_config", None)
    capabilities, commands = appium_driver.capabilities, getattr(executor, "commands", None)
    everything = [vars(thing) for thing in (device_lease, device_farm) if hasattr(thing, "__dict__")]
    print(api, hub, settings, transport, executor, client_config, everything)
    log.info("capabilities %s, commands %s, session %s, hub %r", capabilities, commands, farm_session, hub)
    assert not everything, capabilities


@pytest.mark.parametrize("name", ["command-echo", "hub-gone", "gateway", "drop-command"])
def test_command_that_fails(appium_driver: WebDriver, name: str) -> None:
    arm(name)
    appium_driver.find_element(AppiumBy.ACCESSIBILITY_ID, "quick").click()
    assert appium_driver.page_source


def test_element_that_is_not_there(appium_driver: WebDriver) -> None:
    appium_driver.find_element(AppiumBy.ACCESSIBILITY_ID, "nowhere")


@pytest.mark.parametrize("name", ["create-echo", "create-refused", "create-dropped", "create-lost", "create-html"])
def test_session_that_does_not_open(name: str, open_driver: Callable[[], WebDriver]) -> None:
    arm(name)
    open_driver()


@pytest.mark.parametrize("name", ["upload-url-half", "put-echo", "put-dropped", "app-echo", "app-html", "app-types"])
def test_build_that_does_not_arrive(name: str, upload_app: Callable[[Path], Any], a_build: Path) -> None:
    arm(name)
    upload_app(a_build)


@pytest.mark.parametrize("name", ["devices-echo", "devices-html", "devices-401", "devices-half", "devices-dropped"])
def test_call_that_fails(name: str, device_farm: Any) -> None:
    arm(name)
    device_farm.api.devices.list()


@pytest.mark.parametrize("name", ["get-echo", "get-dropped"])
def test_artifact_that_does_not_come(name: str, appium_driver: WebDriver) -> None:
    arm(name)
    pytest.fail("keep the artifacts")


def test_download_that_fails_in_the_test(device_farm: Any, uploaded_app: Any, tmp_path: Path) -> None:
    place = device_farm.api.apps.upload_url(filename="other.apk")
    device_farm.api.storage.download(place.url, tmp_path / "file", limit=1000)


@pytest.fixture
def broken_before(appium_driver: WebDriver) -> None:
    raise ValueError(f"setup of {appium_driver.capabilities}")


@pytest.fixture
def broken_after(appium_driver: WebDriver) -> Iterator[None]:
    yield
    raise ValueError(f"teardown of {appium_driver.capabilities}")


def test_setup_that_fails(broken_before: None) -> None: ...


def test_teardown_that_fails(broken_after: None) -> None: ...


@pytest.mark.xfail
def test_that_is_expected_to_fail(appium_driver: WebDriver) -> None:
    type_password(appium_driver)
    pytest.fail("as expected")


@pytest.mark.timeout(2, method="signal")
def test_time_limit_inside_a_command(appium_driver: WebDriver) -> None:
    appium_driver.find_element(AppiumBy.ACCESSIBILITY_ID, "slow").click()


@pytest.mark.timeout(2, method="signal")
def test_time_limit_inside_a_call(device_farm: Any) -> None:
    arm("devices-slow")
    device_farm.api.devices.list()


@pytest.fixture
def a_build(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A build that nobody has uploaded before."""
    import zipfile

    path = tmp_path / "other.apk"
    with zipfile.ZipFile(path, "w") as apk:
        apk.writestr(
            "app.xml",
            json.dumps(request.node.nodeid + str(tmp_path)).join(("<!--", "--><app package='com.example.other'/>")),
        )
    return path
