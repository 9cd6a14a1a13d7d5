from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from farms.kobiton.opening import open_farm
from support.web import Answer, ScriptedServer, answering

from pytest_devicefarm.core.errors import FarmAnswerError, FarmNotFound
from pytest_devicefarm.core.model import ArtifactKind, Device, FarmSession, RemoteArtifact
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.simulator.world import World

ALL = (
    ArtifactKind.DEVICE_LOG,
    ArtifactKind.APPIUM_LOG,
    ArtifactKind.VIDEO,
    ArtifactKind.NETWORK_LOG,
    ArtifactKind.SCREENSHOT,
    ArtifactKind.COMMANDS,
    ArtifactKind.SESSION,
)
LIMIT = 1 << 20


@pytest.fixture
def session(farm: KobitonFarm, world: World) -> FarmSession:
    """One that has taken a command with a picture and ended."""
    device = next(device for device in farm.list_devices().devices if device.name == "Galaxy S22")
    hub = farm.hub
    assert hub.password is not None
    with requests.Session() as http:
        http.auth = (hub.username or "", hub.password.reveal())
        wanted = farm.capabilities(device, None, name="test_login", token="df-1", reset="app")
        answer = http.post(f"{hub.url}/session", json={"capabilities": {"alwaysMatch": wanted}}, timeout=10).json()
        webdriver_id = answer["value"]["sessionId"]
        http.get(f"{hub.url}/session/{webdriver_id}/screenshot", timeout=10)
        http.delete(f"{hub.url}/session/{webdriver_id}", timeout=10)
    return farm.session(device, webdriver_id, answer["value"]["capabilities"], started=0.0)


def kinds(found: Any) -> set[ArtifactKind]:
    return {artifact.kind for artifact in found}


def test_what_may_still_come_is_left_out(farm: KobitonFarm, session: FarmSession) -> None:
    late = {ArtifactKind.DEVICE_LOG, ArtifactKind.APPIUM_LOG, ArtifactKind.VIDEO, ArtifactKind.NETWORK_LOG}
    assert not kinds(farm.artifacts(session, ALL)) & late


def test_everything_is_there_after_a_while(farm: KobitonFarm, session: FarmSession, world: World) -> None:
    world.clock.advance(60)
    found = farm.artifacts(session, ALL)
    assert kinds(found) == set(ALL)
    assert not any(artifact.unavailable for artifact in found)


def test_only_what_is_asked_for_is_given(farm: KobitonFarm, session: FarmSession, world: World) -> None:
    world.clock.advance(60)
    assert kinds(farm.artifacts(session, [ArtifactKind.VIDEO])) == {ArtifactKind.VIDEO}


def test_each_kind_is_fetched_as_what_it_is(
    farm: KobitonFarm, session: FarmSession, world: World, tmp_path: Path
) -> None:
    world.clock.advance(60)
    types = {one.kind: farm.fetch(one, tmp_path / one.kind, limit=LIMIT) for one in farm.artifacts(session, ALL)}
    assert types == {
        ArtifactKind.DEVICE_LOG: "text/plain",
        ArtifactKind.APPIUM_LOG: "text/plain",
        ArtifactKind.VIDEO: "video/mp4",
        ArtifactKind.NETWORK_LOG: "application/json",
        ArtifactKind.SCREENSHOT: "image/png",
        ArtifactKind.COMMANDS: "application/json",
        ArtifactKind.SESSION: "application/json",
    }


def test_the_network_log_is_a_har_without_credentials(
    farm: KobitonFarm, session: FarmSession, world: World, tmp_path: Path
) -> None:
    world.clock.advance(60)
    (log,) = farm.artifacts(session, [ArtifactKind.NETWORK_LOG])
    farm.fetch(log, tmp_path / "network.har", limit=LIMIT)
    text = (tmp_path / "network.har").read_text()
    assert len(json.loads(text)["log"]["entries"]) == 4
    for secret in ("bearer-demo", "cookie-demo", "demo-token", "s3cret-demo"):
        assert secret not in text


def test_session_facts_hold_no_signature(farm: KobitonFarm, session: FarmSession, world: World, tmp_path: Path) -> None:
    world.clock.advance(60)
    for artifact in farm.artifacts(session, [ArtifactKind.SESSION, ArtifactKind.COMMANDS]):
        assert artifact.data is not None
        assert b"://" in artifact.data
        assert b"?" not in artifact.data
        assert b"k3y-canary" not in artifact.data


def test_an_address_that_has_expired_is_not_found(
    farm: KobitonFarm, session: FarmSession, world: World, tmp_path: Path
) -> None:
    world.clock.advance(60)
    (video,) = farm.artifacts(session, [ArtifactKind.VIDEO])
    world.clock.advance(3 * 3600)
    with pytest.raises(FarmNotFound, match="two hours"):
        farm.fetch(video, tmp_path / "video", limit=LIMIT)


def test_a_file_larger_than_allowed_is_an_error(
    farm: KobitonFarm, session: FarmSession, world: World, tmp_path: Path
) -> None:
    world.clock.advance(60)
    (video,) = farm.artifacts(session, [ArtifactKind.VIDEO])
    with pytest.raises(FarmAnswerError):
        farm.fetch(video, tmp_path / "video", limit=100)


def test_no_signature_shows_in_what_is_printed(farm: KobitonFarm, session: FarmSession, world: World) -> None:
    world.clock.advance(60)
    shown = f"{farm.api.sessions.get(session.id)!r} {farm.artifacts(session, ALL)!r}"
    assert "?" not in shown


# answers the simulator does not give

PHONE = Device("1", "A", "Phone", "android")
ENDED = {"id": 7, "state": "COMPLETE", "endedAt": "2024-01-01T00:00:00Z"}


def offered(kind: ArtifactKind, *answers: Any) -> list[RemoteArtifact]:
    prepared = (Answer(body=json.dumps(answer).encode()) for answer in answers)
    with answering(*prepared) as server, open_farm(server.url) as farm:
        return list(farm.artifacts(FarmSession("uuid", "7", "", PHONE, 0.0), [kind]))


@pytest.mark.parametrize(
    ("kind", "answers", "reason"),
    [
        (ArtifactKind.VIDEO, [{**ENDED, "video": {"sessionVideoCapturingDisabled": True}}], "switched off"),
        (ArtifactKind.VIDEO, [{**ENDED, "executionData": {"sessionVideoCapturingDisabled": True}}], "switched off"),
        (ArtifactKind.VIDEO, [{**ENDED, "video": {"path": None, "error": {"message": "disk full"}}}], "disk full"),
        (
            ArtifactKind.SCREENSHOT,
            [{**ENDED, "executionData": {"commandScreenshotCapturingDisabled": True}}],
            "switched off",
        ),
        (ArtifactKind.SCREENSHOT, [ENDED, {"totalPages": 1, "data": [{"id": 1, "data": "x"}]}], "no picture"),
        (
            ArtifactKind.NETWORK_LOG,
            [ENDED, {"id": 1, "udid": "A", "support": {"networkTrafficCapturingDisabled": True}}],
            "does not capture",
        ),
    ],
)
def test_what_will_never_come_says_why(kind: ArtifactKind, answers: list[Any], reason: str) -> None:
    (artifact,) = offered(kind, *answers)
    assert reason in artifact.unavailable


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        (ArtifactKind.VIDEO, [{**ENDED, "video": "soon"}]),
        (ArtifactKind.DEVICE_LOG, [{**ENDED, "log": None}]),
        (ArtifactKind.NETWORK_LOG, [{**ENDED, "networkLogs": [{"path": None}]}]),
        (ArtifactKind.SCREENSHOT, [ENDED, {"totalPages": 1, "data": [{"id": 1, "screenshot": "key"}]}]),
        (ArtifactKind.SESSION, [{"id": 7, "state": "START"}]),
        (ArtifactKind.SESSION, [{"id": 7, "state": "WARMING_UP"}]),
        (ArtifactKind.PAGE_SOURCE, [ENDED]),
    ],
)
def test_what_is_not_there_yet_is_not_offered(kind: ArtifactKind, answers: list[Any]) -> None:
    assert offered(kind, *answers) == []


def test_a_state_nobody_knows_is_an_end_only_with_its_time() -> None:
    assert offered(ArtifactKind.SESSION, {**ENDED, "state": "EVAPORATED"})


def test_only_the_last_pictures_are_offered() -> None:
    commands = [{"id": number, "screenshotDownloadUrl": "http://s/x?sig=1"} for number in range(1, 31)]
    found = offered(ArtifactKind.SCREENSHOT, ENDED, {"totalPages": 1, "data": commands})
    assert [artifact.name for artifact in found] == [f"command-{number}.png" for number in range(11, 31)]


def test_paging_ends_at_an_empty_page() -> None:
    found = offered(
        ArtifactKind.COMMANDS, ENDED, {"totalPages": 99, "data": [{"id": 1}]}, {"totalPages": 99, "data": []}
    )
    assert found[0].data is not None
    assert [command["id"] for command in json.loads(found[0].data)] == [1]


# files that are not what they should be


@pytest.fixture
def storage() -> Iterator[ScriptedServer]:
    with answering(Answer(body=b"<html>Sign in</html>")) as server:
        yield server


@pytest.mark.parametrize(
    "kind", [ArtifactKind.VIDEO, ArtifactKind.DEVICE_LOG, ArtifactKind.SCREENSHOT, ArtifactKind.NETWORK_LOG]
)
def test_a_web_page_is_no_artifact(kind: ArtifactKind, storage: ScriptedServer, tmp_path: Path) -> None:
    with open_farm(storage.url) as farm, pytest.raises(FarmAnswerError):
        farm.fetch(RemoteArtifact(kind, "file", f"{storage.url}/file?Signature=x"), tmp_path / "file", limit=LIMIT)


def test_a_signed_address_gets_no_credentials(storage: ScriptedServer, tmp_path: Path) -> None:
    artifact = RemoteArtifact(ArtifactKind.VIDEO, "v", f"{storage.url}/file?Signature=x")
    with open_farm(storage.url) as farm, pytest.raises(FarmAnswerError):
        farm.fetch(artifact, tmp_path / "file", limit=LIMIT)
    assert "Authorization" not in storage.asked[0].headers
