from __future__ import annotations

from typing import Any

import pytest
import requests
from farms.kobiton.opening import open_farm
from support.clocks import WorldClock

from pytest_devicefarm.core.errors import DeviceBusy, FarmAnswerError, FarmNotFound
from pytest_devicefarm.core.farm import Reset, SessionHandle
from pytest_devicefarm.core.model import App, Device, FarmSession, Verdict
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.world import World

TOKEN = "df-0123456789abcdef"


def galaxy(farm: KobitonFarm) -> Device:
    return next(device for device in farm.list_devices().devices if device.name == "Galaxy S22")


def wanted(farm: KobitonFarm, *, token: str = TOKEN, reset: Reset = "app", app: App | None = None) -> dict[str, Any]:
    return farm.capabilities(galaxy(farm), app, name="tests/test_shop.py::test_login", token=token, reset=reset)


def created(farm: KobitonFarm, capabilities: dict[str, Any]) -> requests.Response:
    hub = farm.hub
    assert hub.password is not None
    return requests.post(
        f"{hub.url}/session",
        json={"capabilities": {"alwaysMatch": capabilities}},
        auth=(hub.username or "", hub.password.reveal()),
        timeout=10,
    )


def opened(farm: KobitonFarm, token: str = TOKEN) -> FarmSession:
    answer = created(farm, wanted(farm, token=token)).json()["value"]
    return farm.session(galaxy(farm), answer["sessionId"], answer["capabilities"], started=0.0)


def handle(**known: Any) -> SessionHandle:
    return SessionHandle(**{"token": TOKEN, "udid": "PRIVATE-1", "since": 0.0, **known})


def state(farm: KobitonFarm, session: FarmSession) -> str:
    return farm.api.sessions.get(session.id).state


# capabilities


def test_the_capabilities_choose_this_very_device(farm: KobitonFarm) -> None:
    capabilities = wanted(farm)
    assert capabilities["platformName"] == "Android"
    assert capabilities["appium:udid"] == "PRIVATE-1"
    assert capabilities["appium:automationName"] == "UiAutomator2"
    assert capabilities["kobiton:deviceGroup"] == "ORGANIZATION"
    assert "appium:app" not in capabilities


def test_a_session_always_ends_by_itself_when_nobody_drives_it(farm: KobitonFarm) -> None:
    assert wanted(farm)["appium:newCommandTimeout"] == 300


def test_the_token_stands_where_the_farm_shows_it(farm: KobitonFarm) -> None:
    assert wanted(farm)["kobiton:sessionDescription"] == TOKEN


def test_names_of_vendors_are_flat_and_prefixed(farm: KobitonFarm) -> None:
    assert all(":" in name or name == "platformName" for name in wanted(farm))
    assert not any(isinstance(value, dict) for value in wanted(farm).values())


@pytest.mark.parametrize(
    ("reset", "no_reset", "full_reset"), [("none", True, False), ("app", False, False), ("device", False, True)]
)
def test_a_reset_is_said_in_appiums_words(farm: KobitonFarm, reset: Reset, no_reset: bool, full_reset: bool) -> None:
    capabilities = wanted(farm, reset=reset)
    assert (capabilities["appium:noReset"], capabilities["appium:fullReset"]) == (no_reset, full_reset)


def test_a_long_name_keeps_its_end(farm: KobitonFarm) -> None:
    capabilities = farm.capabilities(galaxy(farm), None, name="x" * 500 + "::test_login", token=TOKEN, reset="app")
    assert len(capabilities["kobiton:sessionName"]) == 200
    assert capabilities["kobiton:sessionName"].endswith("::test_login")


def test_a_cloud_device_is_looked_for_in_the_cloud(farm: KobitonFarm) -> None:
    pixel = next(device for device in farm.list_devices().devices if not device.reservable and device.name == "Pixel 8")
    capabilities = farm.capabilities(pixel, None, name="n", token=TOKEN, reset="app")
    assert capabilities["kobiton:deviceGroup"] == "KOBITON"


# opening


def test_the_farms_number_is_kept_apart_from_the_webdriver_id(farm: KobitonFarm, url: str) -> None:
    session = opened(farm)
    assert session.id.isdigit()
    assert session.id != session.webdriver_id
    assert session.url == f"{url}/sessions/{session.id}"


@pytest.mark.parametrize("name", ["kobitonSessionId", "kobiton:kobitonSessionId", "kobiton:session"])
def test_the_number_is_read_from_each_name_it_goes_by(farm: KobitonFarm, name: str) -> None:
    assert farm.session(galaxy(farm), "uuid", {name: 4711}, started=0.0).id == "4711"


def test_a_number_that_was_not_told_is_looked_up(farm: KobitonFarm) -> None:
    session = opened(farm)
    assert (
        farm.session(session.device, session.webdriver_id, {"kobiton:session": "a-uuid"}, started=0.0).id == session.id
    )


def test_a_number_that_cannot_be_looked_up_stays_unknown(farm: KobitonFarm, world: World) -> None:
    world.faults.add(Fault("getSessions", "status", count=-1, status=500))
    assert farm.session(galaxy(farm), "uuid", {}, started=0.0).id == ""


# refusal


def test_a_device_that_was_taken_meanwhile_is_busy(farm: KobitonFarm, world: World) -> None:
    device = galaxy(farm)
    world.devices[0].busy_until = world.clock.now() + 60
    refusal = created(farm, farm.capabilities(device, None, name="n", token=TOKEN, reset="app"))
    error = farm.explain_refusal(refusal.json()["value"]["message"], device)
    assert isinstance(error, DeviceBusy)
    assert error.retryable


def test_a_refusal_on_a_free_device_is_not_called_busy(farm: KobitonFarm) -> None:
    error = farm.explain_refusal("The session could not be created.", galaxy(farm))
    assert not isinstance(error, DeviceBusy)
    assert error.retryable


@pytest.mark.parametrize(
    "words",
    [
        "There is no app kobiton-store:v99 in the apps repository.",
        "Cannot install the application: INSTALL_FAILED_UPDATE_INCOMPATIBLE",
        "The IPA is not signed for this device: provisioning profile is missing",
    ],
)
def test_a_build_that_cannot_be_installed_is_not_tried_elsewhere(farm: KobitonFarm, words: str) -> None:
    assert not farm.explain_refusal(words, galaxy(farm)).retryable


def test_a_key_in_the_farms_words_is_hidden(farm: KobitonFarm) -> None:
    assert "k3y-canary" not in str(farm.explain_refusal("wrong key k3y-canary-0123456789", galaxy(farm)))


# ending


def test_a_session_is_ended_through_the_hub(farm: KobitonFarm) -> None:
    session = opened(farm)
    assert farm.end_session(handle(webdriver_id=session.webdriver_id))
    assert state(farm, session) == "COMPLETE"


def test_ending_a_session_that_is_gone_is_fine(farm: KobitonFarm) -> None:
    session = opened(farm)
    farm.api.hub.quit(session.webdriver_id)
    assert farm.end_session(handle(webdriver_id=session.webdriver_id))


def test_a_session_whose_answer_never_came_is_found_by_its_token(farm: KobitonFarm) -> None:
    session = opened(farm)
    assert farm.end_session(handle())
    assert state(farm, session) == "TERMINATED"


def test_only_the_session_with_the_token_is_ended(farm: KobitonFarm) -> None:
    session = opened(farm, token="df-other")
    assert not farm.end_session(handle())
    assert state(farm, session) == "START"


def test_a_session_with_the_token_that_ended_already_is_known_to_be_over(farm: KobitonFarm) -> None:
    session = opened(farm)
    farm.api.hub.quit(session.webdriver_id)
    assert farm.end_session(handle())


def test_nothing_found_is_not_called_over(farm: KobitonFarm) -> None:
    assert not farm.end_session(handle())


def test_a_hub_that_fails_is_gone_around(farm: KobitonFarm, world: World) -> None:
    session = opened(farm)
    world.faults.add(Fault("hub.delete", "hub_gone", count=-1, status=502))
    assert farm.end_session(handle(webdriver_id=session.webdriver_id, session_id=session.id))
    assert state(farm, session) == "TERMINATED"


def test_a_token_is_found_among_many_pages_of_running_sessions(farm: KobitonFarm, world: World) -> None:
    session = opened(farm)
    mine = world.sessions.get(int(session.id))
    assert mine is not None
    for number in range(50):
        world.sessions.add(
            account="bob", device=world.devices[1], name=f"s{number}", description="", capabilities={}, build=None,
            idle_limit=600.0, started=world.clock.now(), last_command=world.clock.now(), updated=world.clock.now(),
        )  # fmt: skip
    assert farm.end_session(handle())
    assert not mine.open


# verdict


@pytest.mark.parametrize(("passed", "word"), [(True, "PASSED"), (False, "FAILED")])
def test_the_verdict_is_set_after_the_end(farm: KobitonFarm, passed: bool, word: str) -> None:
    session = opened(farm)
    farm.api.hub.quit(session.webdriver_id)
    farm.report_after_quit(session, Verdict(passed, "test_login", "AssertionError: no"))
    told = farm.api.sessions.get(session.id)
    assert (told.state, told.name, told.description) == (word, "test_login", "AssertionError: no")


def test_the_verdict_waits_until_the_session_is_over(farm: KobitonFarm, world: World, clock: WorldClock) -> None:
    session = opened(farm)
    mine = world.sessions.get(int(session.id))
    assert mine is not None
    mine.idle_limit = 5.0
    farm.report_after_quit(session, Verdict(True, "test_login"))
    assert mine.state == "PASSED"
    assert clock.sleeps


def test_a_session_that_never_ends_delays_the_verdict_for_a_while_only(farm: KobitonFarm, world: World) -> None:
    session, began = opened(farm), world.clock.now()
    farm.report_after_quit(session, Verdict(True, "test_login"))
    assert world.clock.now() - began <= 30


def test_a_verdict_finds_its_session_although_the_number_was_never_told(farm: KobitonFarm) -> None:
    session = opened(farm)
    farm.api.hub.quit(session.webdriver_id)
    unknown = FarmSession(session.webdriver_id, "", "", session.device, 0.0)
    farm.report_after_quit(unknown, Verdict(True, "test_login"))
    assert state(farm, session) == "PASSED"


def test_a_verdict_on_a_session_the_farm_does_not_know_says_so(farm: KobitonFarm) -> None:
    with pytest.raises(FarmAnswerError, match="number of WebDriver session"):
        farm.report_after_quit(FarmSession("uuid", "", "", galaxy(farm), 0.0), Verdict(True, "test_login"))


# the rest of the client


def test_the_record_of_a_session_can_be_deleted(farm: KobitonFarm) -> None:
    session = opened(farm)
    farm.api.hub.quit(session.webdriver_id)
    farm.api.sessions.delete(session.id)
    with pytest.raises(FarmNotFound):
        farm.api.sessions.get(session.id)


def test_crash_status_and_metrics_are_read(farm: KobitonFarm) -> None:
    one, two = opened(farm), farm.api.sessions.list(page=1, type="AUTO", state="START").data
    crashes = farm.api.sessions.crash_status(session_ids=[one.id, 999])
    assert [(str(each.id), each.crash_occurred) for each in crashes.data] == [(one.id, False)]
    assert crashes.data[0].session_url.endswith(f"/sessions/{one.id}")
    assert isinstance(farm.api.sessions.metrics(one.id), dict)
    assert [str(each.id) for each in two] == [one.id]


def test_hub_and_rest_may_have_addresses_of_their_own(url: str, clock: WorldClock) -> None:
    with open_farm(f"{url}/v1/", clock, hub_url="http://hub.example/wd/hub") as farm:
        assert farm.hub.url == "http://hub.example/wd/hub"
        assert farm.check()
        assert farm.account == f"{url.removeprefix('http://')} ann"
