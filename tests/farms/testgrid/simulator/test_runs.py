from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from support.testgrid import PIXEL, S22, SimulatedTestGrid

BUILDS = "/api/user/builds"


def a_run(farm: SimulatedTestGrid, *cases: str, device_id: str = S22, project: str | None = "shop") -> str:
    """A session that is over; gives its number."""
    session = farm.session(device_id, **({} if project is None else {"projectName": project}))
    for case in cases:
        farm.script(session, "tg:logs", {"testcaseName": case})
        farm.script(session, "tg:action", json.dumps({"status": "passed", "case": case}))
    farm.quit(session, device_id)
    found = farm.world.sessions.by_webdriver_id(session)
    assert found is not None
    return str(found.id)


def rest(farm: SimulatedTestGrid) -> None:
    farm.world.clock.advance(20)


def logs(farm: SimulatedTestGrid, number: str) -> dict[str, Any]:
    [row] = farm.call(f"/api/user/logs/{number}/")["data"]
    found: dict[str, Any] = row
    return found


def test_runs_are_shown_some_time_after_their_end(farm: SimulatedTestGrid) -> None:
    number = a_run(farm, "login")
    assert farm.call(BUILDS, device_id=S22)["data"] == []
    rest(farm)
    [row] = farm.call(BUILDS, device_id=S22)["data"]
    assert (row["build_number"], row["session_name"], row["project_name"]) == (number, "login", "shop")


def test_each_case_has_a_row_of_the_same_number(farm: SimulatedTestGrid) -> None:
    number = a_run(farm, "login", "logout")
    rest(farm)
    rows = farm.call(BUILDS, device_id=S22)["data"]
    assert [(r["build_number"], r["testcase_name"]) for r in rows] == [(number, "login"), (number, "logout")]


def test_a_project_nobody_told_is_undefined(farm: SimulatedTestGrid) -> None:
    a_run(farm, project=None)
    rest(farm)
    [row] = farm.call(BUILDS, device_id=S22)["data"]
    assert (row["project_name"], row["session_name"]) == ("undefined", "undefined")


def test_runs_are_narrowed(farm: SimulatedTestGrid) -> None:
    first = a_run(farm, "login")
    rest(farm)
    second = a_run(farm, "login", project="bank")
    a_run(farm, "login", device_id=PIXEL)
    rest(farm)

    def numbers(**form: Any) -> list[str]:
        return [row["build_number"] for row in farm.call(BUILDS, device_id=S22, **form)["data"]]

    assert numbers() == [second, first]
    assert numbers(project_name="bank") == [second]
    assert numbers(build_number=second) == [first]
    assert numbers(session_name="logout") == []
    farm.world.clock.advance(600)
    assert numbers(last_minutes=5) == []


def test_the_log_comes_before_the_video(farm: SimulatedTestGrid) -> None:
    number = a_run(farm, "login")
    assert farm.refused(f"/api/user/logs/{number}/") == "Build not found."
    farm.world.clock.advance(farm.world.delays.appium_log)
    row = logs(farm, number)
    assert "New session" in row["logs"]
    assert row["src"] == ""
    farm.world.clock.advance(farm.world.delays.video)
    assert logs(farm, number)["src"].endswith("/Recording.mp4")


def test_the_video_is_there_for_who_knows_its_address(farm: SimulatedTestGrid) -> None:
    number = a_run(farm)
    rest(farm)
    src = logs(farm, number)["src"]
    assert farm.token in src
    answer = requests.get(src, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "video/mp4")
    assert requests.get(src.replace(farm.token, "***"), timeout=10).status_code == 404


def test_a_verdict_decides_about_the_status(farm: SimulatedTestGrid) -> None:
    session = farm.session(S22)
    farm.script(session, "tg:action", json.dumps({"status": "failed", "case": "login"}))
    farm.quit(session)
    rest(farm)
    assert logs(farm, "3001")["status"] == "0"


def test_a_video_may_never_come(farm: SimulatedTestGrid) -> None:
    number = a_run(farm)
    rest(farm)
    farm.fails("getAutomationBuildLogs", "artifact_never", kinds=["video"])
    assert logs(farm, number)["src"] == ""
    farm.world.clock.advance(1000)
    assert logs(farm, number)["src"] == ""


def test_runs_of_others_are_not_shown(farm: SimulatedTestGrid) -> None:
    number = a_run(farm)
    rest(farm)
    assert farm.other().call(BUILDS, device_id=S22)["data"] == []
    assert farm.other().refused(f"/api/user/logs/{number}/") == "Build not found."


def test_the_log_of_a_device_holds_all_sessions_on_it(farm: SimulatedTestGrid) -> None:
    first, second = a_run(farm), None
    rest(farm)
    second = a_run(farm)
    url = farm.call(f"/api/user/device-logs/{S22}/")["log_file_url"]
    text = requests.get(url, timeout=10).text
    assert f"session {first} ended" in text
    assert f"session {second} ended" in text


def test_network_traffic_is_found_by_the_run(farm: SimulatedTestGrid) -> None:
    token = farm.wire.environment(farm.url)["TESTGRID_APPLICATION_TOKEN"]
    number = a_run(farm, "login")
    farm.world.clock.advance(farm.world.delays.appium_log)
    early = farm.call("/ci/execution_detail", application_token=token, build_number=number)
    assert early["build_devices"][0]["is_completed"] == 1
    rest(farm)
    detail = farm.call("/ci/execution_detail", application_token=token, build_number=number)
    [device] = detail["build_devices"]
    assert (device["no_of_pass"], device["is_completed"], device["test_cases"][0]["test_status"]) == ("1", 3, "2")
    said = farm.call("/ci/networklog", application_token=token, build_test_id=device["build_test_id"])
    assert (said["msg"], [row["method"] for row in said["data"]]) == ("Network Log", ["POST", "GET", "POST", "GET"])
    assert requests.get(said["data"][0]["responsedata"], timeout=10).json() == {"ok": True}


@pytest.mark.parametrize("path", ["/ci/execution_detail", "/ci/networklog"])
def test_results_want_the_token_of_an_application(farm: SimulatedTestGrid, path: str) -> None:
    number = a_run(farm)
    rest(farm)
    name = "build_number" if path.endswith("detail") else "build_test_id"
    assert "application token" in farm.refused(path, application_token="x", **{name: number})
