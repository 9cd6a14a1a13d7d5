from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import requests
from support.kobiton import an_app
from support.processes import eventually
from support.testgrid import IPHONE, PACKAGE, PIXEL, S22, SimulatedTestGrid, a_testgrid


def refusal(answer: requests.Response) -> str:
    assert answer.status_code == 500, answer.text
    value = answer.json()["value"]
    assert value["error"] == "session not created"
    message: str = value["message"]
    return message


def cases(farm: SimulatedTestGrid) -> Any:
    return farm.world.facts()["sessions"][0]["cases"]


def test_a_session_opens_at_the_address_of_the_device(farm: SimulatedTestGrid) -> None:
    capabilities = farm.create(S22, platformName="Android", udid="s22").json()["value"]["capabilities"]
    assert (capabilities["udid"], capabilities["deviceName"]) == ("s22", "Galaxy S22")


def test_the_token_comes_back_but_is_not_kept(farm: SimulatedTestGrid) -> None:
    capabilities = farm.create(S22).json()["value"]["capabilities"]
    assert capabilities["tg:userToken"] == farm.token
    assert farm.token not in str([s.capabilities for s in farm.world.sessions])


@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_wrong_token_opens_no_session(farm: SimulatedTestGrid, token: str) -> None:
    answer = farm.create(S22, userToken=token)
    assert (answer.status_code, answer.json()["value"]["error"]) == (401, "session not created")
    assert farm.world.facts()["sessions"] == []


def test_bare_names_are_understood(farm: SimulatedTestGrid) -> None:
    wish = {"platformName": "Android", "deviceName": "Galaxy S22", "udid": "s22", "tg:userToken": farm.token}
    body = {"desiredCapabilities": wish}
    answer = requests.post(f"{farm.url}{farm.hub(S22)}/session", json=body, timeout=10).json()
    assert (answer["status"], answer["value"]["udid"]) == (0, "s22")


def test_another_device_is_not_to_be_had_at_this_address(farm: SimulatedTestGrid) -> None:
    assert "do not fit" in refusal(farm.create(S22, udid="pixel"))


def test_a_device_takes_one_session(farm: SimulatedTestGrid) -> None:
    farm.session(S22)
    assert "in use" in refusal(farm.create(S22))
    assert farm.world.facts()["overlaps"] == []


def test_a_session_is_known_at_its_own_address_only(farm: SimulatedTestGrid) -> None:
    session = farm.session(S22)
    assert farm.drive("GET", session, "/source", device_id=PIXEL).status_code == 404
    assert farm.drive("GET", session, "/source", device_id=S22).status_code == 200


def test_the_end_is_said_once(farm: SimulatedTestGrid) -> None:
    session = farm.session(S22)
    assert farm.quit(session).json() == {"value": None}
    again = farm.quit(session)
    assert (again.status_code, again.json()["value"]["error"]) == (404, "invalid session id")


def test_an_installed_app_is_started_by_its_package(farm: SimulatedTestGrid) -> None:
    xml = f'<app package="{PACKAGE}"><MockButton id="only here"/></app>'
    farm.install(farm.upload(an_app(xml)))
    session = farm.session(S22, appPackage=PACKAGE)
    assert "only here" in farm.drive("GET", session, "/source").json()["value"]
    assert farm.world.facts()["sessions"][0]["app"] == 5001


def test_an_app_that_is_not_there_is_not_started(farm: SimulatedTestGrid) -> None:
    assert "not installed" in refusal(farm.create(S22, appPackage=PACKAGE))
    assert farm.world.facts()["open_sessions"] == []


def test_apps_of_the_system_are_always_there(farm: SimulatedTestGrid) -> None:
    farm.session(IPHONE, bundleId="com.apple.Preferences")


def test_an_app_by_address_is_refused(farm: SimulatedTestGrid) -> None:
    assert "does not exist" in refusal(farm.create(S22, app="http://example.com/shop.apk"))


# The common hub


def test_the_common_hub_chooses_a_device(farm: SimulatedTestGrid) -> None:
    value = farm.create(None, platformName="iOS").json()["value"]
    assert value["capabilities"]["udid"] == "iphone"


def test_the_common_hub_wants_a_platform_or_a_browser(farm: SimulatedTestGrid) -> None:
    assert "is required" in refusal(farm.create(None, udid="s22"))


def test_tags_are_alternatives(farm: SimulatedTestGrid) -> None:
    farm.session(None, platformName="Android", tags=["lab", "elsewhere"])
    assert "No device matches" in refusal(farm.create(None, platformName="Android", tags="elsewhere"))


def test_without_the_queue_a_busy_farm_refuses_at_once(farm: SimulatedTestGrid) -> None:
    farm.session(IPHONE)
    assert "became free" in refusal(farm.create(None, platformName="iOS", queue=False))


def test_in_the_queue_a_request_waits_for_its_device(farm: SimulatedTestGrid) -> None:
    session = farm.session(IPHONE)
    waiting = Asking(farm, platformName="iOS")
    farm.quit(session, IPHONE)
    farm.world.clock.advance(5)
    assert waiting.answer().status_code == 200
    assert farm.world.facts()["overlaps"] == []


def test_the_queue_has_an_end(farm: SimulatedTestGrid) -> None:
    farm.session(IPHONE)
    waiting = Asking(farm, platformName="iOS", queueTimeout=30)
    farm.world.clock.advance(31)
    assert "queue timeout" in refusal(waiting.answer())


def test_who_came_first_is_served_first(farm: SimulatedTestGrid) -> None:
    session = farm.session(IPHONE)
    first = Asking(farm, platformName="iOS", queueTimeout=1000)
    second = Asking(farm, platformName="iOS", queueTimeout=20)
    farm.quit(session, IPHONE)
    farm.world.clock.advance(5)
    assert first.answer().status_code == 200
    farm.world.clock.advance(30)
    refusal(second.answer())


@pytest.mark.parametrize("wish", [{"queueTimeout": 0}, {"queueTimeout": 1801}, {"newCommandTimeout": "60"}])
def test_numbers_out_of_bounds_are_refused_and_noted(farm: SimulatedTestGrid, wish: dict[str, Any]) -> None:
    answer = farm.create(None, platformName="iOS", **wish)
    assert (answer.status_code, answer.json()["value"]["error"]) == (400, "invalid argument")
    assert len(farm.world.facts()["violations"]) == 1


# Test cases and verdicts


def test_scripts_name_cases_and_steps(farm: SimulatedTestGrid) -> None:
    session = farm.session(S22)
    farm.script(session, "tg:logs", {"testcaseName": "login"})
    farm.script(session, "tg:logs", {"testStepName": "open"})
    farm.script(session, "tg:logs", {"testcaseName": "logout"})
    assert [(c["name"], c["steps"]) for c in cases(farm)] == [("login", ["open"]), ("logout", [])]


def test_verdicts_are_json_text(farm: SimulatedTestGrid) -> None:
    session = farm.session(S22)
    farm.script(session, "tg:logs", {"testcaseName": "login"})
    farm.script(session, "tg:logs", {"testcaseName": "logout"})
    farm.script(session, "tg:action", json.dumps({"status": "failed", "case": "login"}))
    farm.script(session, "tg:action", json.dumps({"status": "passed", "case": "logout"}))
    assert [(c["name"], c["verdict"]) for c in cases(farm)] == [("login", "failed"), ("logout", "passed")]
    assert farm.world.facts()["sessions"][0]["verdicts"] == ["failed", "passed"]


@pytest.mark.parametrize(
    ("script", "argument"),
    [("tg:action", {"status": "passed"}), ("tg:action", "passed"), ("tg:logs", "login"), ("tg:nonsense", {})],
)
def test_scripts_that_are_not_understood_are_errors(farm: SimulatedTestGrid, script: str, argument: Any) -> None:
    answer = farm.script(farm.session(S22), script, argument)
    assert (answer.status_code, answer.json()["value"]["error"]) == (400, "invalid argument")


def test_other_scripts_go_to_the_engine(farm: SimulatedTestGrid) -> None:
    answer = farm.script(farm.session(S22), "mobile: nonsense", {})
    assert "nonsense" in answer.text
    assert cases(farm) == []


# Faults


def test_a_session_may_be_refused(farm: SimulatedTestGrid) -> None:
    farm.fails("hub.create", "session_not_created", reason="no luck")
    assert refusal(farm.create(S22)) == "no luck"


def test_a_device_may_be_taken_after_the_choice(farm: SimulatedTestGrid) -> None:
    farm.fails("hub.create", "busy_after_choice", seconds=30)
    assert "in use" in refusal(farm.create(S22))
    assert farm.flags(S22) == {"is_run_device_cloud": 1}


def test_a_device_may_go_offline_or_want_hands(farm: SimulatedTestGrid) -> None:
    for device_id, effect, flag in (
        (S22, "device_offline", "is_device_offline"),
        (PIXEL, "device_unauthorised", "is_unauthorised"),
    ):
        session = farm.session(device_id)
        farm.fails("hub.command", effect)
        assert farm.drive("GET", session, "/source", device_id=device_id).status_code == 404
        assert farm.flags(device_id)[flag] == 1
        assert "not connected" in refusal(farm.create(device_id))


def test_many_threads_share_the_devices_without_overlap() -> None:
    with a_testgrid(speed=1000) as farm:

        def use() -> None:
            for _ in range(4):
                session = farm.session(None, platformName="Android", queueTimeout=1800)
                farm.drive("GET", session, "/source", device_id=None)
                farm.quit(session, None)

        threads = [threading.Thread(target=use) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        facts = farm.world.facts()
        assert len(facts["sessions"]) == 24
        assert (facts["overlaps"], facts["open_sessions"], facts["violations"]) == ([], [], [])


class Asking:
    """A request for a session at the common hub, made from another thread."""

    def __init__(self, farm: SimulatedTestGrid, **capabilities: Any) -> None:
        self._farm = farm
        self._capabilities = capabilities
        self._answers: list[requests.Response] = []
        before = farm.wire.queue.length
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        assert eventually(lambda: farm.wire.queue.length > before)
        assert farm.world.clock.wait_for_sleeper()

    def _ask(self) -> None:
        self._answers.append(self._farm.create(None, **self._capabilities))

    def answer(self) -> requests.Response:
        self._thread.join(10)
        return self._answers[0]
