from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
from support.kobiton import CLOUD, IPHONE, PIXEL, S22, SimulatedKobiton, a_kobiton, an_app


def refusal(answer: requests.Response) -> str:
    assert answer.status_code == 500, answer.text
    value = answer.json()["value"]
    assert value["error"] == "session not created"
    message: str = value["message"]
    return message


def test_a_w3c_request_gets_a_w3c_answer(farm: SimulatedKobiton) -> None:
    value = farm.create(platformName="Android", udid=S22).json()["value"]
    capabilities = value["capabilities"]
    assert len(value["sessionId"]) == 36
    assert capabilities["kobitonSessionId"] == capabilities["kobiton:session"] == 3001
    assert (capabilities["udid"], capabilities["deviceName"]) == (S22, "Galaxy S22")


def test_only_one_session_number_is_named_as_documented(documented: SimulatedKobiton) -> None:
    capabilities = documented.create(udid=S22).json()["value"]["capabilities"]
    assert "kobitonSessionId" in capabilities
    assert "kobiton:session" not in capabilities


def test_a_legacy_request_gets_a_legacy_answer(farm: SimulatedKobiton) -> None:
    answer = farm.call("POST", "/wd/hub/session", json={"desiredCapabilities": {"udid": S22}}).json()
    assert (answer["status"], answer["value"]["kobitonSessionId"]) == (0, 3001)
    assert farm.quit(answer["sessionId"]).status_code == 200


def test_a_legacy_refusal_is_legacy_too(farm: SimulatedKobiton) -> None:
    answer = farm.call("POST", "/wd/hub/session", json={"desiredCapabilities": {"udid": "unheard of"}})
    assert answer.status_code == 500
    assert (answer.json()["status"], list(answer.json()["value"])) == (33, ["message"])


def test_the_end_is_said_once(farm: SimulatedKobiton) -> None:
    number, webdriver_id = farm.session()
    assert farm.quit(webdriver_id).json() == {"value": None}
    assert farm.get(f"/sessions/{number}")["state"] == "COMPLETE"
    again = farm.quit(webdriver_id)
    assert (again.status_code, again.json()["value"]["error"]) == (404, "invalid session id")


def test_commands_reach_the_app(farm: SimulatedKobiton) -> None:
    _, session = farm.session()
    path = f"/wd/hub/session/{session}"
    query = {"baseCommandId": "7"}
    assert "<app" in farm.call("GET", f"{path}/source", params=query).json()["value"]
    missing = farm.call("POST", f"{path}/element", json={"using": "id", "value": "nothing"})
    assert (missing.status_code, missing.json()["value"]["error"]) == (404, "no such element")
    assert farm.call("POST", f"{path}/nonsense", json={}).json()["value"]["error"] == "unknown command"


def test_the_build_decides_what_is_on_the_screen(farm: SimulatedKobiton) -> None:
    version = farm.build(an_app('<app package="a.b"><MockButton id="only here"/></app>'))
    _, session = farm.session(app=f"kobiton-store:v{version}")
    assert "only here" in farm.call("GET", f"/wd/hub/session/{session}/source").json()["value"]


def test_a_store_id_without_v_means_the_latest_build(farm: SimulatedKobiton) -> None:
    version = farm.build()
    number, _ = farm.session(app="kobiton-store:101")
    assert farm.world.facts()["sessions"][0]["app"] == version
    assert number == 3001


def test_a_download_url_names_a_build_too(farm: SimulatedKobiton) -> None:
    version = farm.build()
    farm.session(app=farm.get(f"/app/versions/{version}/downloadUrl")["url"])
    assert farm.world.facts()["sessions"][0]["app"] == version


@pytest.mark.parametrize("reference", ["kobiton-store:v99", "kobiton-store:99"])
def test_an_unknown_build_creates_no_session(farm: SimulatedKobiton, reference: str) -> None:
    assert reference in refusal(farm.create(udid=S22, app=reference))
    assert farm.world.facts()["sessions"] == []


def test_a_build_that_could_not_be_parsed_creates_no_session(farm: SimulatedKobiton) -> None:
    version = farm.build(b"text")
    assert "FAILURE: the file is not" in refusal(farm.create(udid=S22, app=f"kobiton-store:v{version}"))


def test_a_busy_device_is_refused_at_once_with_the_filters(farm: SimulatedKobiton) -> None:
    farm.session(S22)
    message = refusal(farm.create(platformName="Android", udid=S22))
    assert f"[udid: {S22}, platformName: Android]" in message
    assert len(farm.world.facts()["sessions"]) == 1


def test_an_unknown_device_is_refused_the_same_way(farm: SimulatedKobiton) -> None:
    assert "[udid: unheard of]" in refusal(farm.create(udid="unheard of"))


def test_a_device_reserved_by_others_is_refused(farm: SimulatedKobiton) -> None:
    farm.other().post("/reservations", udids=[S22], duration=60)
    refusal(farm.create(udid=S22))


def test_a_device_reserved_by_oneself_is_given(farm: SimulatedKobiton) -> None:
    farm.post("/reservations", udids=[S22], duration=60)
    farm.session(S22)


def test_no_choice_of_device_is_refused(farm: SimulatedKobiton) -> None:
    assert "do not say which device" in refusal(farm.create(sessionName="a test"))


@pytest.mark.parametrize(
    ("wish", "udid"),
    [
        ({"deviceName": "*A54"}, CLOUD),
        ({"deviceGroup": "KOBITON"}, CLOUD),
        ({"platformName": "iOS"}, IPHONE),
        ({"platformVersion": "14*"}, PIXEL),
        ({"deviceTags": [["lab", "other"]], "platformName": "Android"}, S22),
    ],
)
def test_the_farm_chooses_a_device_by_filters(farm: SimulatedKobiton, wish: dict[str, Any], udid: str) -> None:
    assert farm.create(**wish).json()["value"]["capabilities"]["udid"] == udid


def test_a_name_within_options_is_ignored(farm: SimulatedKobiton) -> None:
    farm.session(S22, options={"sessionName": "nested", "sessionDescription": "nested"})
    [session] = farm.world.facts()["sessions"]
    assert session["name"].startswith("Session created at")
    assert session["description"] == ""


def test_wrong_credentials_create_no_session(farm: SimulatedKobiton) -> None:
    body = {"capabilities": {"alwaysMatch": {"kobiton:udid": S22}}}
    answer = farm.call("POST", "/wd/hub/session", json=body, auth=("me@example.com", "wrong"))
    assert answer.status_code == 401


def test_credentials_may_come_as_capabilities(farm: SimulatedKobiton) -> None:
    wish = {"kobiton:udid": S22, "kobiton:username": "me@example.com", "kobiton:accessKey": "key/1"}
    answer = farm.call("POST", "/wd/hub/session", json={"capabilities": {"alwaysMatch": wish}}, auth=None)
    assert answer.status_code == 200
    assert "key/1" not in answer.text
    assert "key/1" not in str(farm.get("/sessions/3001"))


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"capabilities": {"alwaysMatch": {"udid": S22}}},
        {"capabilities": {"alwaysMatch": {"kobiton:udid": S22, "appium:newCommandTimeout": "60"}}},
        {"capabilities": {"alwaysMatch": {"kobiton:udid": S22, "kobiton:deviceTags": ["lab"]}}},
    ],
)
def test_requests_against_the_contract_are_refused_and_noted(farm: SimulatedKobiton, body: Any) -> None:
    answer = farm.call("POST", "/wd/hub/session", json=body)
    assert (answer.status_code, answer.json()["value"]["error"]) == (400, "invalid argument")
    assert len(farm.world.facts()["violations"]) == 1


def test_a_session_is_on_record_while_it_is_being_created() -> None:
    with a_kobiton(session_create=30) as farm:
        creation = Creation(farm, sessionDescription="token-7")
        [session] = farm.get("/sessions", keyword="token-7")["data"]
        assert (session["state"], session["executionData"]["wdSessionId"]) == ("START", None)
        farm.world.clock.advance(30)
        assert creation.answer().status_code == 200


def test_a_session_terminated_while_it_is_being_created_does_not_open() -> None:
    with a_kobiton(session_create=30) as farm:
        creation = Creation(farm)
        farm.delete("/sessions/3001/terminate")
        assert "terminated before" in refusal(creation.answer())
        assert farm.get("/sessions/3001")["state"] == "TERMINATED"
        assert farm.world.facts()["open_sessions"] == []


def test_a_blocked_command_ends_when_its_session_is_terminated(farm: SimulatedKobiton) -> None:
    version = farm.build(an_app('<app package="a.b"><MockButton id="slow" delay="1000"/></app>'))
    number, session = farm.session(S22, app=f"kobiton-store:v{version}")
    path = f"/wd/hub/session/{session}/element"
    button = farm.call("POST", path, json={"using": "id", "value": "slow"}).json()["value"]
    answers: list[requests.Response] = []
    click = f"{path}/{next(iter(button.values()))}/click"
    blocked = threading.Thread(target=lambda: answers.append(farm.call("POST", click, json={})))
    blocked.start()
    assert farm.world.clock.wait_for_sleeper()
    farm.delete(f"/sessions/{number}/terminate")
    blocked.join(10)
    assert answers[0].json()["value"]["error"] == "invalid session id"


def test_commands_of_other_sessions_run_while_one_is_blocked(farm: SimulatedKobiton) -> None:
    _, slow = farm.session(S22)
    number, quick = farm.session(PIXEL)
    farm.fails("hub.command", "delay", seconds=1000)
    blocked = threading.Thread(target=farm.call, args=("GET", f"/wd/hub/session/{slow}/source"))
    blocked.start()
    assert farm.world.clock.wait_for_sleeper()
    assert farm.call("GET", f"/wd/hub/session/{quick}/source").status_code == 200
    assert farm.get(f"/sessions/{number}")["state"] == "START"
    assert blocked.is_alive()
    farm.world.clock.advance(1000)
    blocked.join(10)


def test_sessions_pass_through_many_threads_without_overlap() -> None:
    with a_kobiton(speed=1000) as farm:

        def use() -> None:
            for _ in range(5):
                answer = farm.create(platformName="Android")
                if answer.status_code == 200:
                    session = answer.json()["value"]["sessionId"]
                    farm.call("GET", f"/wd/hub/session/{session}/source")
                    farm.quit(session)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        facts = farm.world.facts()
        assert len(facts["sessions"]) > 3
        assert (facts["overlaps"], facts["open_sessions"], facts["violations"]) == ([], [], [])


class Creation:
    """A request for a session, made from another thread."""

    def __init__(self, farm: SimulatedKobiton, **capabilities: Any) -> None:
        self._farm = farm
        self._capabilities = capabilities
        self._answers: list[requests.Response] = []
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        assert farm.world.clock.wait_for_sleeper()

    def _ask(self) -> None:
        self._answers.append(self._farm.create(udid=S22, **self._capabilities))

    def answer(self) -> requests.Response:
        self._thread.join(10)
        return self._answers[0]
