"""The pool as a farm: devices, builds, capabilities, and the end of sessions."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from appium import webdriver
from appium.options.common import AppiumOptions
from farms.local.conftest import OpenPool
from support.pool import AppServer, pool_toml

from pytest_devicefarm.core.builds import read_build
from pytest_devicefarm.core.errors import ConfigurationError, FarmUnreachable
from pytest_devicefarm.core.farm import SessionHandle
from pytest_devicefarm.core.model import App, ArtifactKind, Device, DeviceState
from pytest_devicefarm.farms.local import NEW_COMMAND_TIMEOUT
from pytest_devicefarm.farms.local.farm import LocalFarm

PHONE = {"udid": "a", "name": "Phone A", "platform": "android", "version": "14"}
NOBODY = "http://127.0.0.1:9"


def one_server(url: str, *phones: dict[str, Any]) -> str:
    return pool_toml([{"name": "lab", "url": url}], phones or [PHONE])


def first(farm: LocalFarm) -> Device:
    return farm.list_devices().devices[0]


def offered(farm: LocalFarm, app: App | None = None, device: Device | None = None) -> dict[str, Any]:
    return farm.capabilities(device or first(farm), app, name="test", token="df-1", reset="app")


def a_build(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "shop.apk", "w") as apk:
        apk.writestr("app.xml", '<app package="shop" version="1"/>')
    return folder / "shop.apk"


def open_session(url: str, **capabilities: Any) -> str:
    wanted = {"platformName": "Android", "appium:automationName": "Any", "appium:udid": "a", **capabilities}
    return str(webdriver.Remote(url, options=AppiumOptions().load_capabilities(wanted)).session_id)


def handle(**known: str) -> SessionHandle:
    return SessionHandle(token="df-1", udid="a", since=0.0, **known)


# settings


def test_without_any_server_the_file_is_asked_for(open_pool: OpenPool) -> None:
    with pytest.raises(ConfigurationError, match=r"\[\[farms.local.servers\]\], or give --farm-url"):
        open_pool()


def test_an_address_replaces_the_servers_of_the_file(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    farm = open_pool(one_server(NOBODY), url=lab[1])
    assert farm.hub_of(first(farm)).url == lab[1]


def test_a_hub_address_of_its_own_is_refused(open_pool: OpenPool) -> None:
    with pytest.raises(ConfigurationError, match="leave out --farm-hub-url"):
        open_pool(one_server(NOBODY), hub_url=NOBODY)


# devices


def test_devices_carry_what_the_file_says(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    device = first(open_pool(one_server(lab[1])))
    assert (str(device), device.state) == ("Phone A (android 14, a)", DeviceState.FREE)


def test_a_device_whose_server_does_not_answer_is_offline(open_pool: OpenPool) -> None:
    farm = open_pool(one_server(NOBODY))
    device = first(farm)
    assert device.state is DeviceState.OFFLINE
    assert device.note.startswith("server 'lab': GET /status got no answer")
    assert farm.device_states([device])["a"][0] is DeviceState.OFFLINE


def test_the_check_names_each_server_and_its_version(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    assert open_pool(one_server(lab[1])).check() == f"lab answers at {lab[1]} (Appium 3.1.0); 1 device"
    with pytest.raises(FarmUnreachable, match="GET /status"):
        open_pool(one_server(NOBODY)).check()


# builds


def test_a_build_stays_where_it_is(open_pool: OpenPool, lab: tuple[AppServer, str], tmp_path: Path) -> None:
    farm = open_pool(one_server(lab[1]))
    build = read_build(a_build(tmp_path))
    app = farm.find_app(build, None)
    assert app is not None
    assert offered(farm, app)["appium:app"] == str(tmp_path / "shop.apk")


@pytest.mark.parametrize(
    ("text", "platform"), [("https://builds.test/shop.apk?signature=1", "android"), ("http://builds.test/latest", "")]
)
def test_a_web_address_is_passed_through(
    open_pool: OpenPool, lab: tuple[AppServer, str], text: str, platform: str
) -> None:
    app = open_pool(one_server(lab[1])).parse_reference(text)
    assert app is not None
    assert (app.reference, app.platform) == (text, platform)


def test_a_file_that_only_its_driver_knows_is_passed_through(
    open_pool: OpenPool, lab: tuple[AppServer, str], tmp_path: Path
) -> None:
    (tmp_path / "screen.xml").touch()
    a_build(tmp_path)
    farm = open_pool(one_server(lab[1]))
    app = farm.parse_reference("screen.xml")
    assert app is not None
    assert app.reference == str(tmp_path / "screen.xml")
    assert farm.parse_reference("shop.apk") is None
    assert farm.parse_reference("missing.xml") is None


def test_a_path_is_nothing_to_a_server_on_another_machine(open_pool: OpenPool) -> None:
    farm = open_pool(one_server("http://lab.invalid:4723"))
    device = Device("a", "a", "Phone A", "android")
    with pytest.raises(ConfigurationError, match="another machine and cannot read"):
        offered(farm, App("1", "/builds/shop.apk"), device)
    assert offered(farm, App("1", "https://b.test/a.apk"), device)["appium:app"] == "https://b.test/a.apk"


# capabilities


def test_capabilities_name_device_ports_token_and_idle_time(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    farm = open_pool(one_server(lab[1]))
    capabilities = offered(farm)
    assert capabilities["appium:udid"] == "a"
    assert capabilities["appium:automationName"] == "UiAutomator2"
    assert capabilities["appium:newCommandTimeout"] == NEW_COMMAND_TIMEOUT
    assert "df-1" in capabilities.values()
    assert {"appium:systemPort", "appium:chromedriverPort", "appium:mjpegServerPort"} <= set(
        capabilities
    ) & farm.allotted


def test_the_files_capabilities_win(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    own = {"platformName": "Fake", "appium:automationName": "Fake", "appium:systemPort": 8299}
    capabilities = offered(open_pool(one_server(lab[1], {**PHONE, "capabilities": own})))
    assert {name: capabilities[name] for name in own} == own


# the end of sessions


def test_a_session_is_ended_by_its_id_and_twice_is_fine(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    double, url = lab
    farm = open_pool(one_server(url))
    webdriver_id = open_session(url)
    assert farm.end_session(handle(webdriver_id=webdriver_id))
    assert not double.sessions
    assert farm.end_session(handle(webdriver_id=webdriver_id))


def test_a_session_is_ended_by_its_address_although_the_file_has_changed(
    open_pool: OpenPool, lab: tuple[AppServer, str]
) -> None:
    double, url = lab
    farm = open_pool(one_server(url))
    webdriver_id = open_session(url)
    session = farm.session(first(farm), webdriver_id, {}, started=0.0)
    other = open_pool(one_server(NOBODY, {**PHONE, "udid": "b"}))
    assert other.end_session(handle(webdriver_id=webdriver_id, session_id=session.id))
    assert not double.sessions


def test_a_session_whose_answer_was_lost_is_found_by_its_token(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    double, url = lab
    farm = open_pool(one_server(url))
    open_session(url, **{"appium:udid": "b", "appium:devicefarmToken": "df-2"})
    assert not farm.end_session(handle())
    open_session(url, **{"appium:devicefarmToken": "df-1"})
    assert farm.end_session(handle())
    assert [facts["udid"] for _, facts in double.sessions.values()] == ["b"]


def test_a_server_that_is_gone_has_no_sessions(open_pool: OpenPool) -> None:
    farm = open_pool(one_server(NOBODY))
    assert farm.end_session(handle(webdriver_id="1"))
    assert farm.end_session(handle())


def test_ending_a_session_starts_no_server(open_pool: OpenPool) -> None:
    servers = [{"name": "lab", "command": ["no-such-appium", "{port}"]}]
    assert open_pool(pool_toml(servers, [PHONE])).end_session(handle(webdriver_id="1"))


def test_nothing_comes_late(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    farm = open_pool(one_server(lab[1]))
    session = farm.session(first(farm), "1", {}, started=0.0)
    (network,) = farm.artifacts(session, [ArtifactKind.NETWORK_LOG])
    assert "no network traffic" in network.unavailable


def test_a_refused_build_is_not_tried_elsewhere(open_pool: OpenPool, lab: tuple[AppServer, str]) -> None:
    farm = open_pool(one_server(lab[1]))
    refused = farm.explain_refusal("The application at '/a.apk' does not exist or is not accessible", first(farm))
    assert not refused.retryable
    assert farm.explain_refusal("no more memory", first(farm)).retryable
