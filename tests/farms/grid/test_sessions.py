from __future__ import annotations

from pathlib import Path

import pytest
from farms.grid.opening import SmallGrid, open_farm
from support.clocks import ManualClock
from support.packages import a_zip

from pytest_devicefarm.core.builds import read_build
from pytest_devicefarm.core.errors import ConfigurationError, DeviceBusy
from pytest_devicefarm.core.farm import SessionHandle
from pytest_devicefarm.core.model import ArtifactKind, Device
from pytest_devicefarm.farms.grid.farm import SETTLE_SECONDS, GridFarm

NOISE = "\nHost info: host: 'vm', ip: '127.0.0.1'\nBuild info: version: '4.48.0'\nDriver info: driver.version: unknown"
RELAYED = "Could not start a new session. Error while creating session with the service http://127.0.0.1:4723. "


def device(farm: GridFarm, udid: str) -> Device:
    return next(device for device in farm.list_devices().devices if device.udid == udid)


def a_slot(farm: GridFarm) -> Device:
    return next(device for device in farm.list_devices().devices if device.platform == "fake")


def held(grid: SmallGrid) -> str:
    return str(grid.slot("pixel-1")["session"]["sessionId"])


# capabilities


def test_capabilities_are_the_stereotype_and_what_appium_needs(farm: GridFarm) -> None:
    app = farm.parse_reference("http://builds.lab/shop.apk")
    wanted = farm.capabilities(device(farm, "pixel-2"), app, name="test_login", token="df-77", reset="none")
    assert wanted == {
        "platformName": "Android",
        "appium:automationName": "FarmFake",
        "appium:deviceName": "Pixel 8",
        "appium:platformVersion": "14",
        "appium:udid": "pixel-2",
        "appium:app": "http://builds.lab/shop.apk",
        "appium:noReset": True,
        "appium:fullReset": False,
        "appium:newCommandTimeout": 60,
        "se:name": "test_login df-77",
    }


def test_the_id_of_a_slot_is_not_sent_as_a_udid(farm: GridFarm) -> None:
    assert "appium:udid" not in farm.capabilities(a_slot(farm), None, name="test", token="df-77", reset="app")


def test_a_node_that_is_patient_leaves_the_timeout_to_us(grid: SmallGrid, farm: GridFarm) -> None:
    grid.node_of("pixel-2")["sessionTimeout"] = 3_600_000
    wanted = farm.capabilities(device(farm, "pixel-2"), None, name="test", token="df-77", reset="app")
    assert wanted["appium:newCommandTimeout"] == 300


def test_a_long_name_keeps_its_end_and_the_token(farm: GridFarm) -> None:
    wanted = farm.capabilities(a_slot(farm), None, name="x" * 500 + "::test_end", token="df-77", reset="app")
    assert wanted["se:name"].endswith("x::test_end df-77")
    assert len(wanted["se:name"]) < 220


# builds


def test_a_build_is_used_where_it_lies(farm: GridFarm, tmp_path: Path) -> None:
    build = read_build(a_zip(tmp_path / "shop.apk", {"app.xml": b'<app package="com.example.shop"/>'}))
    app = farm.find_app(build, None)
    assert app is not None
    assert (app.reference, app.sha256) == (str(tmp_path / "shop.apk"), build.sha256)


@pytest.mark.parametrize(
    ("text", "reference", "platform"),
    [
        ("https://builds.lab/shop.apk?sig=1", "https://builds.lab/shop.apk?sig=1", "android"),
        ("node:/opt/builds/Shop.ipa", "/opt/builds/Shop.ipa", "ios"),
        (r"node:C:\builds\shop.zip", r"C:\builds\shop.zip", ""),
    ],
)
def test_addresses_and_paths_on_the_node_are_passed_through(
    farm: GridFarm, text: str, reference: str, platform: str
) -> None:
    app = farm.parse_reference(text)
    assert app is not None
    assert (app.reference, app.platform) == (reference, platform)
    assert "sig=1" not in repr(app)


def test_any_other_text_is_a_path_here(farm: GridFarm) -> None:
    assert farm.parse_reference("build/shop.apk") is None


# before a session


def test_capabilities_that_the_slot_does_not_take_are_named(farm: GridFarm) -> None:
    with pytest.raises(ConfigurationError, match=r"appium:platformVersion is '99', and the slot's is '14'"):
        farm.before_session(device(farm, "pixel-2"), {"platformName": "android", "appium:platformVersion": "99"})


@pytest.mark.parametrize(
    "more",
    [
        {"appium:deviceName": "PIXEL 8"},
        {"appium:gpsEnabled": True},
        {"se:recordVideo": True},
        {"devicefarm:tags": "mine"},
        {"browserName": ""},
    ],
    ids=["case", "not in the stereotype", "the Grid's own", "ours", "empty"],
)
def test_what_a_grid_does_not_compare_is_no_reason(farm: GridFarm, more: dict[str, object]) -> None:
    assert farm.misfits(device(farm, "pixel-2"), {"platformName": "Android", **more}) == []


def test_a_slot_that_somebody_else_took_is_busy(grid: SmallGrid) -> None:
    clock = ManualClock()
    with open_farm(grid.url, clock) as farm, pytest.raises(DeviceBusy, match="in session since"):
        farm.before_session(device(farm, "pixel-1"), {})
    assert sum(clock.sleeps) == pytest.approx(SETTLE_SECONDS, abs=0.3)


def test_a_slot_that_was_just_given_back_is_waited_for(grid: SmallGrid) -> None:
    class Turning(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            grid.slot("pixel-1")["session"] = None

    clock = Turning()
    with open_farm(grid.url, clock) as farm:
        farm.before_session(device(farm, "pixel-1"), {})
    assert len(clock.sleeps) == 1


# refusals


def test_a_refusal_says_appiums_words_without_the_grids_noise(farm: GridFarm) -> None:
    said = (
        f"Could not start a new session. {RELAYED}Could not start a new session. Response code 500. Message: no memory"
    )
    error = farm.explain_refusal(f"{said} {NOISE}{NOISE}", device(farm, "pixel-2"))
    assert str(error).endswith("Response code 500. Message: no memory")
    assert error.retryable


def test_a_build_that_is_not_on_the_node_is_tried_no_more(farm: GridFarm) -> None:
    said = f"{RELAYED}Message: The application at '/x/shop.apk' does not exist or is not accessible {NOISE}"
    error = farm.explain_refusal(said, device(farm, "pixel-2"))
    assert "give an http address" in str(error)
    assert not error.retryable


def test_a_request_that_timed_out_in_the_queue_is_a_busy_slot(farm: GridFarm) -> None:
    error = farm.explain_refusal("New session request timed out", device(farm, "pixel-1"))
    assert isinstance(error, DeviceBusy)
    assert "1 in the Grid's queue" in str(error)


@pytest.mark.parametrize("said", ["New session request timed out", "No nodes support the capabilities in the request"])
def test_what_a_free_slot_did_not_take_is_told_beside_its_stereotype(farm: GridFarm, said: str) -> None:
    error = farm.explain_refusal(f"Could not start a new session. {said} {NOISE}", device(farm, "pixel-2"))
    assert "appium:platformVersion=14" in str(error)
    assert not error.retryable


def test_a_command_whose_node_is_gone_means_a_lost_session(farm: GridFarm) -> None:
    said = "Unable to execute request for an existing session: Connection error (GET http://127.0.0.1:5690/session/1)"
    assert farm.means_session_lost(said)
    assert not farm.means_session_lost("An element could not be located on the page")


# the end


def test_a_session_is_ended_by_its_id_once_or_twice(grid: SmallGrid, farm: GridFarm) -> None:
    handle = SessionHandle("df-1234", "pixel-1", 0.0, webdriver_id=held(grid))
    assert farm.end_session(handle)
    assert farm.end_session(handle)
    assert grid.slot("pixel-1")["session"] is None


def test_a_session_whose_answer_was_lost_is_found_by_its_token(grid: SmallGrid, farm: GridFarm) -> None:
    assert farm.end_session(SessionHandle("df-1234", "pixel-1", 0.0))
    assert grid.slot("pixel-1")["session"] is None


@pytest.mark.parametrize("token", ["df-5678", "df-0000", ""], ids=["queued", "unknown", "none"])
def test_what_is_in_no_slot_is_not_said_to_be_over(grid: SmallGrid, farm: GridFarm, token: str) -> None:
    assert not farm.end_session(SessionHandle(token, "pixel-1", 0.0))
    assert grid.slot("pixel-1")["session"] is not None


def test_a_session_on_a_dead_node_is_over_when_the_grid_has_forgotten_it(grid: SmallGrid, farm: GridFarm) -> None:
    handle = SessionHandle("df-1234", "pixel-1", 0.0, webdriver_id=held(grid))
    grid.refuses[held(grid)] = 500
    assert not farm.end_session(handle)
    grid.nodes.remove(grid.node_of("pixel-1"))
    assert farm.end_session(handle)


def test_a_session_has_a_page(grid: SmallGrid, farm: GridFarm) -> None:
    session = farm.session(device(farm, "pixel-2"), "ab-12", {}, started=1.0)
    assert session.url == f"{grid.url}/ui/#/session/ab-12"


def test_nothing_comes_after_a_session(farm: GridFarm) -> None:
    session = farm.session(device(farm, "pixel-2"), "ab-12", {}, started=1.0)
    (network,) = farm.artifacts(session, [ArtifactKind.NETWORK_LOG])
    assert "se:recordVideo is for Docker nodes" in network.unavailable
