from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from reports.builders import HAR, KEY, MP4, WEBM, ShelfFarm, a_job, png
from support.clocks import ManualClock

from pytest_devicefarm.core.errors import FarmAnswerError, FarmAuthenticationError, FarmNotFound, FarmUnreachable
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.model import Artifact, ArtifactKind, RemoteArtifact
from pytest_devicefarm.reports.artifacts import OutputFolder, SessionJob
from pytest_devicefarm.reports.collector import Collector

DEVICE_LOG, APPIUM_LOG, VIDEO = ArtifactKind.DEVICE_LOG, ArtifactKind.APPIUM_LOG, ArtifactKind.VIDEO
NETWORK_LOG, SCREENSHOT = ArtifactKind.NETWORK_LOG, ArtifactKind.SCREENSHOT


class Run:
    """A collector over a farm, and what came of it."""

    def __init__(self, tmp_path: Path, farm: Farm | Callable[[], Farm]) -> None:
        self.folder = OutputFolder(tmp_path, "run")
        self.said: list[str] = []
        self.clock = ManualClock()
        self.collector = Collector(
            farm if callable(farm) else lambda: farm,
            self.folder,
            wait=120.0,
            clock=self.clock,
            poll_seconds=5.0,
            say=self.said.append,
        )

    def collect(self, *jobs: SessionJob, stop: Callable[[], bool] = lambda: False) -> list[list[Artifact]]:
        for job in jobs:
            self.collector.add(job)
        results = self.collector.join(stop=stop)
        assert [job for job, _ in results] == list(jobs)
        return [artifacts for _, artifacts in results]

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.folder.path).as_posix().partition("/")[2] for path in self._all_files())

    def _all_files(self) -> list[Path]:
        return [path for path in self.folder.path.rglob("*") if path.is_file()]


def notes(artifacts: list[Artifact]) -> dict[ArtifactKind, str]:
    return {artifact.kind: artifact.note for artifact in artifacts if artifact.path is None}


def test_late_artifacts_are_fetched_under_their_names(tmp_path: Path) -> None:
    farm = ShelfFarm(
        device_log=[[], [], [b"I am a log\n"]],
        appium_log=[[b"[HTTP] --> POST\n"]],
        video=[[], [MP4]],
        network_log=[[HAR]],
        screenshot=[[png(), png()]],
    )
    run = Run(tmp_path, farm)
    [artifacts] = run.collect(a_job(kinds=[DEVICE_LOG, APPIUM_LOG, VIDEO, NETWORK_LOG, SCREENSHOT]))
    assert run.files() == [
        "appium.log",
        "device.log",
        "index.html",
        "network.har",
        "screenshots/0001.png",
        "screenshots/0002.png",
        "session.json",
        "video.mp4",
    ]
    assert notes(artifacts) == {}
    assert farm.threads == {"devicefarm-collector"}
    assert farm.closed


def test_only_what_is_wanted_is_asked_for(tmp_path: Path) -> None:
    farm = ShelfFarm(video=[[MP4]], device_log=[[b"log"]])
    [artifacts] = Run(tmp_path, farm).collect(a_job(kinds=[VIDEO, ArtifactKind.SESSION, ArtifactKind.COMMANDS]))
    assert [artifact.kind for artifact in artifacts] == [VIDEO]
    assert set(farm.asked) == {VIDEO}


def test_without_a_job_no_thread_and_no_farm_is_started(tmp_path: Path) -> None:
    def no_farm() -> Farm:
        raise AssertionError("opened")

    before = threading.active_count()
    assert Run(tmp_path, no_farm).collect() == []
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_one_that_never_comes_is_a_note_with_the_farms_page(tmp_path: Path) -> None:
    run = Run(tmp_path, ShelfFarm(device_log=[[b"log"]]))
    [artifacts] = run.collect(a_job(kinds=[VIDEO, DEVICE_LOG]))
    assert notes(artifacts) == {
        VIDEO: "not there after 120 s; the farm's page: https://portal.example/sessions/42",
    }
    assert "device.log" in run.files()
    session = json.loads(next(run.folder.path.rglob("session.json")).read_text())
    assert [each["note"] for each in session["artifacts"] if each["file"] is None] == [notes(artifacts)[VIDEO]]


def test_one_that_the_farm_calls_hopeless_is_not_waited_for(tmp_path: Path) -> None:
    run = Run(tmp_path, ShelfFarm(video=[["recording was off"]]))
    [artifacts] = run.collect(a_job(kinds=[VIDEO]))
    assert notes(artifacts) == {VIDEO: "recording was off"}


def test_a_kind_the_farm_does_not_have_is_a_note_at_once(tmp_path: Path) -> None:
    class NoVideo(ShelfFarm):
        spec = replace(ShelfFarm.spec, artifacts={}, cannot={"video": "no cameras here"})

    [artifacts] = Run(tmp_path, NoVideo()).collect(a_job(kinds=[VIDEO]))
    assert notes(artifacts) == {VIDEO: "no cameras here"}


def test_an_expired_link_is_asked_for_again(tmp_path: Path) -> None:
    run = Run(tmp_path, ShelfFarm(video=[[FarmNotFound("expired")], [MP4]]))
    [artifacts] = run.collect(a_job(kinds=[VIDEO]))
    assert notes(artifacts) == {}
    assert "video.mp4" in run.files()


def test_one_bad_screenshot_does_not_cost_the_others(tmp_path: Path) -> None:
    run = Run(tmp_path, ShelfFarm(screenshot=[[png(), FarmAnswerError("half of it"), png()]]))
    [artifacts] = run.collect(a_job(kinds=[SCREENSHOT]))
    assert [name for name in run.files() if name.startswith("screenshots")] == [
        "screenshots/0001.png",
        "screenshots/0002.png",
    ]
    assert notes(artifacts) == {SCREENSHOT: "half of it"}


def test_a_live_screenshot_is_not_overwritten(tmp_path: Path) -> None:
    run = Run(tmp_path, ShelfFarm(screenshot=[[png()]]))
    job = a_job(kinds=[SCREENSHOT])
    taken = run.folder.of(job.test) / "screenshots" / "0001.png"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"live")
    run.collect(job)
    assert taken.read_bytes() == b"live"
    assert "screenshots/0002.png" in run.files()


def test_what_is_not_its_kind_is_a_note_and_leaves_no_file(tmp_path: Path) -> None:
    page = b"\xef\xbb\xbf<!DOCTYPE html><title>Sign in</title>"
    farm = ShelfFarm(
        video=[[page]], device_log=[[page]], appium_log=[[b""]], network_log=[[b"{]"]], screenshot=[[b"?"]]
    )
    run = Run(tmp_path, farm)
    [artifacts] = run.collect(a_job(kinds=[VIDEO, DEVICE_LOG, APPIUM_LOG, NETWORK_LOG, SCREENSHOT]))
    assert notes(artifacts)[VIDEO] == notes(artifacts)[DEVICE_LOG] == "the farm gave a web page in its place"
    assert notes(artifacts)[APPIUM_LOG] == "the farm gave an empty file"
    assert notes(artifacts)[NETWORK_LOG].startswith("the file is no HAR")
    assert notes(artifacts)[SCREENSHOT] == "the file is neither a PNG nor a JPEG image"
    assert run.files() == ["index.html", "session.json"]


def test_json_without_entries_is_no_har(tmp_path: Path) -> None:
    [artifacts] = Run(tmp_path, ShelfFarm(network_log=[[b'{"log": {}}']])).collect(a_job(kinds=[NETWORK_LOG]))
    assert "entries" in notes(artifacts)[NETWORK_LOG]


def test_a_webm_video_is_named_like_one(tmp_path: Path) -> None:
    run = Run(tmp_path, ShelfFarm(video=[[WEBM]]))
    [[video]] = run.collect(a_job(kinds=[VIDEO]))
    assert video.media_type == "video/webm"
    assert "video.webm" in run.files()


def test_secrets_are_taken_out_of_text_wherever_they_lie(tmp_path: Path) -> None:
    line = f"Authorization: Basic {'dXNlcjprZXktdGhhdC1ub2JvZHk=' * 2} {KEY} \xff\n".encode("latin-1")
    har = json.dumps({"log": {"entries": [{"text": f"{'x' * number} {KEY}"} for number in range(800)]}}).encode()
    run = Run(tmp_path, ShelfFarm(device_log=[[line * 5000]], network_log=[[har]]))
    [artifacts] = run.collect(a_job(kinds=[DEVICE_LOG, NETWORK_LOG]))
    assert notes(artifacts) == {}
    for artifact in artifacts:
        assert artifact.path is not None
        text = artifact.path.read_text(encoding="utf-8")
        assert KEY not in text
        assert "dXNlcjpr" not in text
    log = next(artifact.path for artifact in artifacts if artifact.kind is DEVICE_LOG)
    assert log is not None
    assert log.read_text(encoding="utf-8").count("\n") == 5000


def test_an_unreachable_farm_ends_in_notes(tmp_path: Path) -> None:
    farm = ShelfFarm()

    def unreachable() -> None:
        raise FarmUnreachable(f"no answer from https://farm.example/x?apikey=1 with {KEY}\nsecond line")

    farm.on_ask = unreachable
    [artifacts] = Run(tmp_path, farm).collect(a_job(kinds=[VIDEO]))
    assert notes(artifacts)[VIDEO] == (
        "not there after 120 s (last answer: no answer from https://farm.example/x with ***); "
        "the farm's page: https://portal.example/sessions/42"
    )


def test_refused_credentials_end_the_waiting_at_once(tmp_path: Path) -> None:
    farm = ShelfFarm()

    def refuse() -> None:
        raise FarmAuthenticationError("key not accepted", status=401)

    farm.on_ask = refuse
    run = Run(tmp_path, farm)
    started = run.clock.monotonic()
    [artifacts] = run.collect(a_job(kinds=[VIDEO]))
    assert notes(artifacts)[VIDEO].startswith("key not accepted")
    assert run.clock.monotonic() - started < 120


def test_a_flaw_in_a_farm_costs_its_own_artifacts_only(tmp_path: Path) -> None:
    farm = ShelfFarm(video=[[MP4]])
    calls: list[int] = []

    def break_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("video")

    farm.on_ask = break_once
    first, second = Run(tmp_path, farm).collect(a_job("t.py::a", kinds=[VIDEO]), a_job("t.py::b", kinds=[VIDEO]))
    assert notes(first)[VIDEO].startswith("KeyError: 'video'")
    assert notes(second) == {}


def test_a_farm_that_cannot_be_opened_ends_in_notes(tmp_path: Path) -> None:
    def no_farm() -> Farm:
        raise FarmUnreachable("no way")

    [artifacts] = Run(tmp_path, no_farm).collect(a_job(kinds=[VIDEO]))
    assert notes(artifacts)[VIDEO].startswith("the farm could not be opened: no way")


def test_a_test_whose_session_never_opened_still_gets_its_facts(tmp_path: Path) -> None:
    def no_farm() -> Farm:
        raise AssertionError("there is nothing to ask for")

    run = Run(tmp_path, no_farm)
    [artifacts] = run.collect(a_job(kinds=[VIDEO], opened=False, infrastructure="no device in time"))
    assert artifacts == []
    assert run.files() == ["index.html", "session.json"]


class HangingFarm(ShelfFarm):
    """Gives half a file and then nothing more, until it is let go."""

    def __init__(self, **shelf: Sequence[Sequence[bytes | str | Exception]]) -> None:
        super().__init__(**shelf)
        self.fetching = threading.Event()
        self.let_go = threading.Event()

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        target.write_bytes(b"half")
        self.fetching.set()
        self.let_go.wait(10)
        return super().fetch(artifact, target, limit=limit)


def test_an_interrupt_ends_the_waiting_at_once_and_leaves_no_half_file(tmp_path: Path) -> None:
    farm = HangingFarm(video=[[MP4]])
    run = Run(tmp_path, farm)
    try:
        [artifacts] = run.collect(a_job(kinds=[VIDEO]), stop=farm.fetching.is_set)
        assert notes(artifacts)[VIDEO].startswith("not waited for, since the run was interrupted")
        assert run.files() == ["index.html", "session.json"]
    finally:
        farm.let_go.set()


def test_a_download_that_hangs_does_not_hold_the_run_past_the_deadline(tmp_path: Path) -> None:
    farm = HangingFarm(video=[[MP4]])
    run = Run(tmp_path, farm)

    def time_passes() -> bool:
        if farm.fetching.is_set():
            run.clock.advance(30)
        return False

    try:
        [artifacts] = run.collect(a_job(kinds=[VIDEO]), stop=time_passes)
        assert notes(artifacts)[VIDEO].startswith("not there after 120 s")
    finally:
        farm.let_go.set()


def test_waiting_says_what_it_waits_for(tmp_path: Path) -> None:
    reached = threading.Event()
    farm = ShelfFarm()
    run = Run(tmp_path, farm)

    def hold_until_said() -> None:
        if run.clock.monotonic() - 1_700_000_000.0 > 40:
            reached.wait(10)

    farm.on_ask = hold_until_said
    run.said = Said(reached)
    run.collector = Collector(
        lambda: farm, run.folder, wait=120.0, clock=run.clock, poll_seconds=5.0, say=run.said.append
    )
    run.collect(a_job(kinds=[VIDEO]))
    assert run.said[0].startswith("collecting artifacts: 1 of 1 sessions to come, ")


class Said(list[str]):
    """Lines that were said; tells when there is one."""

    def __init__(self, reached: threading.Event) -> None:
        super().__init__()
        self._reached = reached

    def append(self, line: str) -> None:
        super().append(line)
        self._reached.set()


def test_an_output_folder_that_vanished_costs_no_more_than_its_files(tmp_path: Path) -> None:
    run = Run(tmp_path, ShelfFarm(video=[[MP4]]))
    (tmp_path / "run").write_text("in the way")
    [artifacts] = run.collect(a_job(kinds=[VIDEO]))
    assert list(notes(artifacts)) == [VIDEO]
