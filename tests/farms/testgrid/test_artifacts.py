"""What sessions left behind, from prepared answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from farms.testgrid.opening import TOKEN, a_server, open_farm, refuses, says
from support.clocks import ManualClock
from support.web import Answer

from pytest_devicefarm.core.errors import FarmAnswerError, FarmNotFound
from pytest_devicefarm.core.model import ArtifactKind, Device, FarmSession, RemoteArtifact
from pytest_devicefarm.farms.testgrid.artifacts import LONGEST_NAME, case_name

RUNS, LOGS, DEVICE_LOG = "/api/user/builds", "/api/user/logs/30/", "/api/user/device-logs/3/"
DETAILS, NETWORK = "/ci/execution_detail", "/ci/networklog"
NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 in UTC
PHONE = Device(id="3", udid="U-3", name="Galaxy S21", platform="android")
SESSION = FarmSession("abcdef0123-4567", "", "", PHONE, NOW - 30)
OVER = {"logs": "[debug] done", "src": "https://x.test/Recording.mp4?sig=1", "end_date": "2023-11-14 22:13:18"}


def a_run(number: int = 30, case: str = "test_it [abcdef01]", **members: str) -> dict[str, Any]:
    created = "2023-11-14 22:12:52"
    return {
        "build_number": number,
        "testcase_name": case,
        "project_name": "pytest-devicefarm",
        "created": created,
        **members,
    }


def found(
    *kinds: ArtifactKind, runs: Any = None, records: Any = None, more: dict[str, Answer] | None = None, **settings: Any
) -> list[RemoteArtifact]:
    answers = {
        RUNS: says(data=[a_run()] if runs is None else runs),
        LOGS: says(data=[OVER] if records is None else records),
        DEVICE_LOG: says(log_file_url="https://x.test/DeviceLog.txt"),
        **(more or {}),
    }
    with a_server(answers) as server, open_farm(server.url, ManualClock(NOW), **settings) as farm:
        return list(farm.artifacts(SESSION, kinds))


def test_a_run_is_found_by_the_mark_of_its_session() -> None:
    runs = [a_run(31, "test_it [11111111]"), a_run(30), a_run(29, "test_it")]
    (artifact,) = found(ArtifactKind.VIDEO, runs=runs)
    assert artifact.address == "https://x.test/Recording.mp4?sig=1"


def test_a_session_that_was_never_named_is_found_by_its_time() -> None:
    runs = [a_run(31, "", created="2023-11-14 22:13:10"), a_run(30, ""), a_run(29, "", created="2023-11-14 22:12:00")]
    assert found(ArtifactKind.VIDEO, runs=runs)


def test_a_run_of_another_project_is_not_ours() -> None:
    assert not found(ArtifactKind.VIDEO, runs=[a_run(30, "", project_name="shop")])


def test_a_run_of_another_session_is_not_ours() -> None:
    assert not found(ArtifactKind.VIDEO, runs=[a_run(30, "test_it [11111111]")])


@pytest.mark.parametrize("runs", ["null", {}, [7], [{"build_number": None}]])
def test_a_run_that_is_not_listed_yet_may_come(runs: Any) -> None:
    assert not found(ArtifactKind.VIDEO, ArtifactKind.SESSION, runs=runs)


def test_nothing_is_taken_before_the_run_is_over() -> None:
    assert not found(ArtifactKind.APPIUM_LOG, records=[{**OVER, "end_date": ""}])


def test_a_video_that_is_not_there_yet_may_come() -> None:
    assert not found(ArtifactKind.VIDEO, records=[{**OVER, "src": ""}])


def test_the_log_is_in_the_answer() -> None:
    (artifact,) = found(ArtifactKind.APPIUM_LOG)
    assert artifact.data == b"[debug] done"


def test_a_log_may_be_an_address() -> None:
    (artifact,) = found(ArtifactKind.APPIUM_LOG, records=[{**OVER, "logs": "https://x.test/appium.txt"}])
    assert artifact.address == "https://x.test/appium.txt"


def test_a_log_that_is_not_there_yet_may_come() -> None:
    assert not found(ArtifactKind.APPIUM_LOG, records=[{**OVER, "logs": None}])


def test_the_device_log_is_that_of_the_device() -> None:
    (artifact,) = found(ArtifactKind.DEVICE_LOG)
    assert artifact.address == "https://x.test/DeviceLog.txt"


def test_the_facts_of_a_session_hold_no_signature() -> None:
    (artifact,) = found(ArtifactKind.SESSION)
    assert artifact.data is not None
    facts = json.loads(artifact.data)
    assert (facts["build_number"], facts["records"][0]["video"]) == ("30", "https://x.test/Recording.mp4")


def test_network_logs_need_the_token_of_an_application() -> None:
    (artifact,) = found(ArtifactKind.NETWORK_LOG)
    assert "TESTGRID_APPLICATION_TOKEN" in artifact.unavailable


def network(entries: Any, **details: Any) -> RemoteArtifact:
    devices = [{"build_test_id": 770, "device_id": "3"}, {"build_test_id": 771, "device_id": "4"}]
    more = {DETAILS: says(build_devices=devices, **details), NETWORK: says(data=entries)}
    secrets = {"user_token": TOKEN, "application_token": "app-token-canary"}
    (artifact,) = found(ArtifactKind.NETWORK_LOG, more=more, secrets=secrets)
    return artifact


def test_a_network_log_becomes_a_har_without_credentials() -> None:
    artifact = network([{"id": "1", "url": "https://shop.test/?token=canary", "method": "GET", "responsecode": "200"}])
    assert artifact.data is not None
    assert b"canary" not in artifact.data
    assert json.loads(artifact.data)["log"]["entries"][0]["response"]["status"] == 200


def test_a_session_without_traffic_has_no_network_log() -> None:
    assert network("null").unavailable


def test_traffic_of_a_run_that_is_not_over_may_still_come() -> None:
    devices = [{"build_test_id": 770, "device_id": "3", "is_completed": 1}]
    more = {DETAILS: says(build_devices=devices), NETWORK: says(data="null")}
    secrets = {"user_token": TOKEN, "application_token": "app-token-canary"}
    assert list(found(ArtifactKind.NETWORK_LOG, more=more, secrets=secrets)) == []


def test_a_farm_that_knows_no_such_run_gives_its_reason() -> None:
    more = {DETAILS: refuses("No build found")}
    secrets = {"user_token": TOKEN, "application_token": "app-token-canary"}
    (artifact,) = found(ArtifactKind.NETWORK_LOG, more=more, secrets=secrets)
    assert "No build found" in artifact.unavailable


def fetched(artifact: RemoteArtifact, target: Path, limit: int = 1000) -> str:
    return open_farm("https://x.test").fetch(artifact, target, limit=limit)


def test_a_log_that_came_with_an_answer_is_written(tmp_path: Path) -> None:
    artifact = RemoteArtifact(ArtifactKind.APPIUM_LOG, "appium.log", data=b"done")
    assert fetched(artifact, tmp_path / "log") == "text/plain"
    assert (tmp_path / "log").read_bytes() == b"done"


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    artifact = RemoteArtifact(ArtifactKind.SESSION, "session.json", data=b"x" * 2000)
    with pytest.raises(FarmAnswerError, match="larger"):
        fetched(artifact, tmp_path / "session.json")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(body=b"\0\0\0\x18ftypmp42"), "video/mp4"),
        (Answer(body=b"<html>Login</html>"), FarmAnswerError),
        (Answer(403, b"expired"), FarmNotFound),
        (Answer(404, b""), FarmNotFound),
    ],
)
def test_a_video_is_a_video_or_an_error(tmp_path: Path, answer: Answer, kind: Any) -> None:
    with a_server({"/v.mp4": answer}) as server, open_farm(server.url) as farm:
        artifact = RemoteArtifact(ArtifactKind.VIDEO, "video.mp4", address=f"{server.url}/v.mp4")
        if isinstance(kind, str):
            assert farm.fetch(artifact, tmp_path / "v", limit=1000) == kind
            return
        with pytest.raises(kind):
            farm.fetch(artifact, tmp_path / "v", limit=1000)


def test_the_name_of_a_case_ends_with_the_mark_of_its_session() -> None:
    assert case_name("tests/test_it.py::test_it", "abcdef0123") == "tests/test_it.py::test_it [abcdef01]"


def test_a_long_name_keeps_its_end_and_the_mark() -> None:
    name = case_name("x" * 500 + "::test_it", "abcdef0123")
    assert len(name) == LONGEST_NAME
    assert name.startswith("…")
    assert name.endswith("::test_it [abcdef01]")
