from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
import requests
from support.kobiton import IPHONE, PIXEL, S22, SimulatedKobiton


def ended(farm: SimulatedKobiton, **capabilities: Any) -> int:
    number, webdriver_id = farm.session(**capabilities)
    farm.call("GET", f"/wd/hub/session/{webdriver_id}/source")
    farm.call("GET", f"/wd/hub/session/{webdriver_id}/screenshot")
    farm.quit(webdriver_id)
    return number


def fetch(url: str) -> bytes:
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_running_session_shows_its_webdriver_id(either: SimulatedKobiton) -> None:
    number, webdriver_id = either.session(sessionName="login", sessionDescription="token 42")
    facts = either.get(f"/sessions/{number}")
    assert (facts["state"], facts["name"], facts["description"]) == ("START", "login", "token 42")
    assert facts["executionData"]["wdSessionId"] == webdriver_id
    assert facts.get("endedAt") is None


def test_artifacts_are_missing_right_after_the_end(farm: SimulatedKobiton) -> None:
    facts = farm.get(f"/sessions/{ended(farm)}")
    assert facts["state"] == "COMPLETE"
    assert (facts["log"]["previewUrl"], facts["video"], facts["networkLogs"]) == (None, None, [])


def test_logs_tell_what_the_session_did(either: SimulatedKobiton) -> None:
    number = ended(either)
    either.world.clock.advance(60)
    log = either.get(f"/sessions/{number}")["log"]
    assert b"Galaxy S22" in fetch(log["downloadUrl"])
    assert b"--> GET /source" in fetch(log["appiumPreviewUrl"])


def test_the_video_is_a_real_clip(farm: SimulatedKobiton) -> None:
    number = ended(farm)
    farm.world.clock.advance(60)
    video = farm.get(f"/sessions/{number}")["video"]
    clip = fetch(video["path"])
    assert clip[4:8] == b"ftyp"
    assert len(clip) == video["size"]


def test_the_network_log_is_a_zipped_har_with_secrets_to_redact(farm: SimulatedKobiton) -> None:
    number = ended(farm)
    farm.world.clock.advance(60)
    [log] = farm.get(f"/sessions/{number}")["networkLogs"]
    with zipfile.ZipFile(io.BytesIO(fetch(log["path"]))) as archive:
        [name] = archive.namelist()
        har = json.loads(archive.read(name))["log"]
    assert (name, har["version"]) == (f"{log['fileName']}.har", "1.2")
    headers = {header["name"] for entry in har["entries"] for header in entry["request"]["headers"]}
    assert {"Authorization", "Cookie"} <= headers


def test_links_die_after_two_hours(farm: SimulatedKobiton) -> None:
    number = ended(farm)
    farm.world.clock.advance(60)
    url = farm.get(f"/sessions/{number}")["log"]["previewUrl"]
    farm.world.clock.advance(7200)
    assert requests.get(url, timeout=10).status_code == 403


def test_a_fault_keeps_an_artifact_back_for_ever(farm: SimulatedKobiton) -> None:
    number = ended(farm)
    farm.fails("getSession", "artifact_never", kinds=["video"])
    farm.get(f"/sessions/{number}")
    farm.world.clock.advance(3600)
    facts = farm.get(f"/sessions/{number}")
    assert facts["video"] is None
    assert facts["log"]["previewUrl"] is not None


@pytest.mark.parametrize("state", ["PASSED", "Passed"])
def test_a_verdict_is_set_after_the_end(either: SimulatedKobiton, state: str) -> None:
    number = ended(either)
    either.put(f"/sessions/{number}", state=state, name="renamed")
    facts = either.get(f"/sessions/{number}")
    assert (facts["state"], facts["name"]) == ("PASSED", "renamed")
    assert either.world.facts()["sessions"][0]["verdicts"] == ["PASSED"]


def test_a_verdict_before_the_end_is_overwritten_by_it(farm: SimulatedKobiton) -> None:
    number, webdriver_id = farm.session()
    farm.put(f"/sessions/{number}", state="FAILED")
    farm.quit(webdriver_id)
    assert farm.get(f"/sessions/{number}")["state"] == "COMPLETE"


def test_a_verdict_without_a_content_type_is_understood(farm: SimulatedKobiton) -> None:
    answer = farm.call("PUT", f"/v1/sessions/{ended(farm)}", data=b'{"state": "Failed"}')
    assert answer.text == "OK"


def test_other_verdicts_break_the_contract(farm: SimulatedKobiton) -> None:
    assert farm.put(f"/sessions/{ended(farm)}", state="BROKEN").status_code == 400


def test_a_session_is_terminated(farm: SimulatedKobiton) -> None:
    number, webdriver_id = farm.session()
    assert farm.delete(f"/sessions/{number}/terminate").text == "OK"
    assert farm.get(f"/sessions/{number}")["state"] == "TERMINATED"
    assert farm.quit(webdriver_id).status_code == 404


def test_terminating_an_ended_session_changes_nothing(farm: SimulatedKobiton) -> None:
    number = ended(farm)
    farm.delete(f"/sessions/{number}/terminate")
    assert farm.get(f"/sessions/{number}")["state"] == "COMPLETE"


def test_deleting_a_session_takes_it_out_of_the_history_but_does_not_end_it(farm: SimulatedKobiton) -> None:
    number, webdriver_id = farm.session()
    farm.delete(f"/sessions/{number}")
    assert farm.call("GET", f"/v1/sessions/{number}").status_code == 404
    assert farm.call("GET", f"/wd/hub/session/{webdriver_id}/source").status_code == 200
    assert farm.world.facts()["open_sessions"] == [number]


def test_sessions_come_in_pages(either: SimulatedKobiton) -> None:
    numbers = [ended(either) for _ in range(21)]
    first, second = either.get("/sessions"), either.get("/sessions", page=2)
    assert (first["currentPage"], first["totalPages"], second["currentPage"]) == (1, 2, 2)
    assert [s["id"] for s in first["data"] + second["data"]] == numbers[::-1]
    assert [member["username"] for member in first["members"]] == ["me@example.com"]
    assert either.get("/sessions", page=3)["data"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"keyword": "token-1"}, [S22]),
        ({"keyword": "PIXEL"}, [PIXEL]),
        ({"state": "START"}, [IPHONE]),
        ({"state": "COMPLETE"}, [PIXEL, S22]),
        ({"platform": "iOS"}, [IPHONE]),
        ({"type": "MANUAL"}, []),
        ({"type": "auto", "userId": 1}, [IPHONE, PIXEL, S22]),
        ({"startDate": 4102444800000}, []),
        ({"endDate": 4102444800}, [IPHONE, PIXEL, S22]),
    ],
)
def test_sessions_are_filtered(farm: SimulatedKobiton, query: dict[str, Any], found: list[str]) -> None:
    ended(farm, udid=S22, sessionDescription="with token-1 in it")
    ended(farm, udid=PIXEL)
    farm.session(IPHONE)
    sessions = farm.get("/sessions", **query)["data"]
    assert [session["executionData"]["actual"]["udid"] for session in sessions] == found


def test_commands_come_with_screenshots(farm: SimulatedKobiton) -> None:
    page = farm.get(f"/sessions/{ended(farm)}/commands", page=1)
    assert (page["currentPage"], page["totalPages"]) == (1, 1)
    source, screenshot = page["data"]
    assert source["data"]["path"] == "/source"
    assert source["screenshotDownloadUrl"] is None
    assert fetch(screenshot["screenshotDownloadUrl"]).startswith(b"\x89PNG")


def test_screenshots_can_be_switched_off(farm: SimulatedKobiton) -> None:
    number = ended(farm, captureScreenshots=False)
    assert all(c["screenshot"] is None for c in farm.get(f"/sessions/{number}/commands")["data"])


def test_crash_flags_are_given_for_several_sessions(farm: SimulatedKobiton) -> None:
    numbers = [ended(farm), ended(farm)]
    data = farm.get("/sessions/crash-status", sessionId=numbers)["data"]
    assert [(entry["id"], entry["crashOccurred"]) for entry in data] == [(number, False) for number in numbers]


def test_metrics_are_an_object(farm: SimulatedKobiton) -> None:
    number = ended(farm)
    assert len(farm.get(f"/sessions/{number}/getMetricInfo")["metrics"]) == 2


def test_a_forgotten_session_times_out(farm: SimulatedKobiton) -> None:
    number, webdriver_id = farm.session(newCommandTimeout=60)
    farm.world.clock.advance(61)
    assert farm.get(f"/sessions/{number}")["state"] == "TIMEOUT"
    assert farm.call("GET", f"/wd/hub/session/{webdriver_id}/source").json()["value"]["error"] == "invalid session id"


def test_an_unknown_session_is_not_found(farm: SimulatedKobiton) -> None:
    assert farm.call("GET", "/v1/sessions/1").status_code == 404
    assert farm.delete("/sessions/abc/terminate").status_code == 404
