"""Sessions: what is asked for, what refusals mean, how one ends, and how its verdict is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from farms.testgrid.opening import LIST, TOKEN, a_device, a_server, open_farm, refuses, says
from support.clocks import ManualClock
from support.web import Answer

from pytest_devicefarm.core.errors import DeviceBusy
from pytest_devicefarm.core.farm import SessionHandle
from pytest_devicefarm.core.model import App, Device, Verdict

SHOP = App(id="273", reference="testgrid-build:273", package="com.example.shop")
PHONE = Device(
    id="3",
    udid="U-3",
    name="Galaxy S21",
    platform="android",
    version="14",
    details={"appium_url": "https://x.test/appium_38106/wd/hub", "system_port": "4106"},
)
IPAD = Device(id="4", udid="U-4", name="iPad", platform="ios", version="17", details={"wda_local_port": "3006"})
RELEASE = "/api/user/releasedevice/3/"
SERVER = "/appium_38106/wd/hub"


def capabilities(device: Device = PHONE, app: App | None = SHOP, **settings: Any) -> dict[str, Any]:
    return open_farm("https://x.test", **settings).capabilities(device, app, name="test_it", token="df-1", reset="app")


def test_an_android_session_names_device_port_package_and_project() -> None:
    assert capabilities() == {
        "platformName": "android",
        "appium:automationName": "UiAutomator2",
        "appium:udid": "U-3",
        "appium:deviceName": "Galaxy S21",
        "appium:platformVersion": "14",
        "appium:noReset": False,
        "appium:newCommandTimeout": 300,
        "appium:appPackage": "com.example.shop",
        "appium:systemPort": 4106,
        "appium:uiautomator2ServerLaunchTimeout": 90000,
        "tg:projectName": "pytest-devicefarm",
    }


def test_an_ios_session_names_bundle_and_port() -> None:
    sent = capabilities(IPAD)
    assert sent["platformName"] == "iOS"
    assert (sent["appium:bundleId"], sent["appium:wdaLocalPort"]) == ("com.example.shop", 3006)
    assert "appium:appPackage" not in sent


def test_a_session_without_a_build_starts_no_app() -> None:
    assert "appium:appPackage" not in capabilities(app=None)


def test_the_common_hub_queues() -> None:
    sent = capabilities(hub="quantum")
    assert (sent["appium:platformName"], sent["tg:queue"], sent["tg:queueTimeout"]) == ("android", True, 120)


def test_ports_and_device_belong_to_the_farm() -> None:
    assert open_farm("https://x.test").allotted >= {"appium:udid", "appium:systemPort", "appium:wdaLocalPort"}


def test_the_token_is_no_plain_capability() -> None:
    assert TOKEN not in json.dumps(capabilities())
    assert open_farm("https://x.test").secret_capabilities()["tg:userToken"].reveal() == TOKEN


def refusal(message: str, **members: Any) -> Exception:
    with a_server({LIST: says(data=[a_device(**members)])}) as server, open_farm(server.url) as farm:
        return farm.explain_refusal(message, PHONE)


def test_a_device_in_use_was_taken() -> None:
    error = refusal("session not created", is_run_device_cloud="1")
    assert isinstance(error, DeviceBusy)
    assert "used by a person" in str(error)


def test_an_app_that_is_not_there_is_no_reason_to_try_again() -> None:
    error = refusal("The application at 'com.example.shop' does not exist")
    assert getattr(error, "retryable", None) is False


def test_any_other_refusal_may_be_tried_again() -> None:
    error = refusal(f"socket hang up {TOKEN}")
    assert getattr(error, "retryable", None) is True
    assert TOKEN not in str(error)


def ended(handle: SessionHandle, answers: dict[str, Answer], **members: Any) -> tuple[bool, list[tuple[str, str]]]:
    with a_server(answers) as hub:
        device = a_device(appium_url=f"{hub.url}{SERVER}", **members)
        with a_server({LIST: says(data=[device]), **answers}) as server, open_farm(server.url) as farm:
            over = farm.end_session(handle)
            asked = [(one.method, one.target) for one in (*hub.asked, *server.asked) if one.target != LIST]
    return over, asked


KNOWN = SessionHandle("df-1", "U-3", 0.0, webdriver_id="abc")
UNKNOWN = SessionHandle("df-1", "U-3", ManualClock().time() - 60)
QUIT = f"{SERVER}/session/abc"


def test_a_session_ends_at_the_server_of_its_device() -> None:
    assert ended(KNOWN, {QUIT: Answer(body=b'{"value": null}')}) == (True, [("DELETE", QUIT)])


def test_a_session_that_is_gone_is_over() -> None:
    assert ended(KNOWN, {QUIT: Answer(404, b'{"value": {"error": "invalid session id"}}')})[0]


def test_a_session_whose_server_fails_ends_with_the_use_of_the_device() -> None:
    answers = {QUIT: Answer(400, b"{}"), RELEASE: says()}
    over, asked = ended(KNOWN, answers, is_run_local_execution="1")
    assert over
    assert asked[-1] == ("POST", RELEASE)


def test_a_session_of_unknown_id_ends_with_the_use_of_the_device() -> None:
    assert ended(UNKNOWN, {RELEASE: says()}, is_run_local_execution="1") == (True, [("POST", RELEASE)])


def test_a_script_that_runs_long_after_is_another_one() -> None:
    long_ago = SessionHandle("df-1", "U-3", UNKNOWN.since - 86400)
    assert ended(long_ago, {RELEASE: says()}, is_run_local_execution="1") == (False, [])


def test_a_session_that_has_not_come_up_may_still() -> None:
    assert ended(UNKNOWN, {RELEASE: says()}) == (False, [])


def test_a_device_that_somebody_else_has_booked_is_left_alone() -> None:
    answers = {RELEASE: says(), "/api/user/list": says(data={"user_id": 7})}
    over, asked = ended(UNKNOWN, answers, is_run_local_execution="1", is_reserved="1", reserved_device_user_id="8")
    assert not over
    assert ("POST", RELEASE) not in asked


def test_a_use_that_is_not_ours_stays() -> None:
    assert not ended(UNKNOWN, {RELEASE: refuses("used by another user")}, is_run_local_execution="1")[0]


def test_a_session_on_a_device_that_is_gone_is_not_known_to_be_over() -> None:
    with a_server({LIST: says(data=[])}) as server, open_farm(server.url) as farm:
        assert not farm.end_session(KNOWN)


class Driver:
    """Keeps what scripts it was to execute."""

    session_id = "abcdef0123-4567"

    def __init__(self) -> None:
        self.scripts: list[tuple[Any, ...]] = []

    def execute_script(self, *script: Any) -> None:
        self.scripts.append(script)


@pytest.mark.parametrize(("passed", "status"), [(True, "passed"), (False, "failed")])
def test_a_verdict_goes_through_the_session_with_the_name_of_the_case(passed: bool, status: str) -> None:
    driver = Driver()
    open_farm("https://x.test").report_before_quit(driver, Verdict(passed, "test_it"))
    (named, judged) = driver.scripts
    assert named == ("tg:logs", {"testcaseName": "test_it [abcdef01]"})
    assert judged[0] == "tg:action"
    assert json.loads(judged[1]) == {"status": status, "case": "test_it [abcdef01]"}


def test_a_test_without_a_verdict_is_named_only() -> None:
    driver = Driver()
    open_farm("https://x.test").report_before_quit(driver, Verdict(None, "test_it"))
    assert [script[0] for script in driver.scripts] == ["tg:logs"]
