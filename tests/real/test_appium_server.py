"""What the other tests of the real leg rely on: both fake drivers, driven by the client directly."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from appium import webdriver
from appium.options.common import AppiumOptions
from appium.webdriver.client_config import AppiumClientConfig
from real.appium_server import AppiumServer
from selenium.common.exceptions import (
    InvalidSessionIdException,
    SessionNotCreatedException,
    UnknownMethodException,
    WebDriverException,
)
from urllib3.exceptions import HTTPError

FAKE = {"platformName": "Fake", "appium:automationName": "Fake", "appium:deviceName": "Fake"}
PHONE = {"platformName": "Android", "appium:automationName": "FarmFake", "appium:udid": "phone-1"}


@contextmanager
def session(server: AppiumServer, capabilities: Mapping[str, object]) -> Iterator[webdriver.Remote]:
    # Without retries of the connection pool a server that went away is noticed by the command that met it.
    config = AppiumClientConfig(server.url, timeout=30, init_args_for_pool_manager={"retries": False})
    driver = webdriver.Remote(options=AppiumOptions().load_capabilities(dict(capabilities)), client_config=config)
    try:
        yield driver
    finally:
        with suppress(WebDriverException, HTTPError):
            driver.quit()


def test_the_fake_driver_opens_an_xml_app(appium_server: AppiumServer, xml_app: Path) -> None:
    with session(appium_server, {**FAKE, "appium:app": str(xml_app)}) as driver:
        driver.find_element("id", "login").click()
        assert driver.switch_to.alert.text == "Hello"


def test_the_fake_driver_gives_a_screenshot(appium_server: AppiumServer, xml_app: Path) -> None:
    with session(appium_server, {**FAKE, "appium:app": str(xml_app)}) as driver:
        assert driver.get_screenshot_as_png().startswith(b"\x89PNG")


def test_the_fake_driver_refuses_a_session_without_an_app(appium_server: AppiumServer) -> None:
    with pytest.raises(SessionNotCreatedException), session(appium_server, FAKE):
        pass


def test_the_fake_driver_is_busy_while_a_unique_session_lives(appium_server: AppiumServer, xml_app: Path) -> None:
    unique = {**FAKE, "appium:app": str(xml_app), "appium:uniqueApp": True}
    with (
        session(appium_server, unique),
        pytest.raises(SessionNotCreatedException, match="another unique session"),
        session(appium_server, unique),
    ):
        pass


def test_the_fake_driver_knows_no_apps(appium_server: AppiumServer, xml_app: Path) -> None:
    with (
        session(appium_server, {**FAKE, "appium:app": str(xml_app)}) as driver,
        pytest.raises(UnknownMethodException),
    ):
        driver.is_app_installed("shop")


def test_a_phone_shows_the_screen_inside_a_zipped_app(appium_server: AppiumServer, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "basket.apk", "w") as apk:
        apk.writestr("app.xml", '<app><MockButton id="pay">Pay</MockButton></app>')
    with session(appium_server, {**PHONE, "appium:app": str(tmp_path / "basket.apk")}) as driver:
        assert driver.find_element("id", "pay").is_displayed()


def test_an_app_is_installed_started_stopped_and_removed(appium_server: AppiumServer, xml_app: Path) -> None:
    with session(appium_server, PHONE) as driver:
        states = [driver.query_app_state("screen")]
        driver.install_app(str(xml_app))
        states.append(driver.query_app_state("screen"))
        driver.activate_app("screen")
        states.append(driver.query_app_state("screen"))
        driver.terminate_app("screen")
        states.append(driver.query_app_state("screen"))
        driver.remove_app("screen")
        states.append(driver.query_app_state("screen"))
    assert states == [0, 1, 4, 1, 0]


def test_apps_outlive_the_session(appium_server: AppiumServer, xml_app: Path) -> None:
    phone = {**PHONE, "appium:udid": "phone-2"}
    with session(appium_server, phone) as driver:
        driver.install_app(str(xml_app))
    with session(appium_server, phone) as driver:
        assert driver.is_app_installed("screen")


def test_files_are_pushed_and_pulled(appium_server: AppiumServer) -> None:
    payload = base64.b64encode(b"price list").decode()
    with session(appium_server, PHONE) as driver:
        driver.push_file("/sdcard/prices.csv", payload)
        assert driver.pull_file("/sdcard/prices.csv") == payload


def test_the_phone_log_is_drained_by_reading(appium_server: AppiumServer) -> None:
    with session(appium_server, PHONE) as driver:
        driver.find_element("id", "login").click()
        assert {"logcat", "actions"} <= set(driver.log_types)
        assert "click" in driver.get_log("logcat")[-1]["message"]
        assert driver.get_log("logcat") == []


def test_a_recording_gives_the_file_that_was_named(appium_server: AppiumServer, xml_app: Path) -> None:
    with session(appium_server, {**PHONE, "appium:farmVideo": str(xml_app)}) as driver:
        driver.start_recording_screen()
        assert base64.b64decode(driver.stop_recording_screen()) == xml_app.read_bytes()
        assert not driver.stop_recording_screen()


def test_a_session_can_be_told_to_fail_while_it_is_created(appium_server: AppiumServer) -> None:
    with (
        pytest.raises(WebDriverException, match="no more phones"),
        session(appium_server, {**PHONE, "appium:farmFailCreate": "no more phones"}),
    ):
        pass


def test_a_session_can_die_in_the_middle(appium_server: AppiumServer) -> None:
    with session(appium_server, {**PHONE, "appium:farmDieAfter": 2}) as driver:
        button = driver.find_element("id", "login")
        with pytest.raises(WebDriverException, match="crashed"):
            button.click()
        with pytest.raises(InvalidSessionIdException):
            button.click()


def test_the_server_can_vanish_in_the_middle(own_appium_server: AppiumServer) -> None:
    with session(own_appium_server, {**PHONE, "appium:farmExitAfter": 2}) as driver:
        button = driver.find_element("id", "login")
        with pytest.raises(HTTPError):
            button.click()
    assert own_appium_server.process.wait(10) == 1
