from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from reports.builders import a_job, a_session

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.model import Artifact, ArtifactKind
from pytest_devicefarm.reports.artifacts import Keep, OutputFolder, SessionJob, wanted, write_session_json

HOSTILE_NODEIDS = [
    "tests/con.py::nul",
    "tests/test_a.py::test_x[../../etc/passwd]",
    'tests/test_a.py::test_x[a\\b:c*?"<>|]',
    "tests/test_a.py::test_emoji[😀]",
    "tests/test_a.py::test_dots...",
    "tests/test_a.py::" + "x" * 1000,
    "::",
    "",
]


def test_a_passed_test_keeps_only_what_is_always_kept() -> None:
    policies: dict[ArtifactKind, Keep] = {
        ArtifactKind.VIDEO: "on",
        ArtifactKind.DEVICE_LOG: "retain-on-failure",
        ArtifactKind.NETWORK_LOG: "off",
    }
    assert set(wanted(policies, failed=False)) == {ArtifactKind.VIDEO, ArtifactKind.SESSION}
    assert set(wanted(policies, failed=True)) == {ArtifactKind.VIDEO, ArtifactKind.DEVICE_LOG, ArtifactKind.SESSION}


def test_the_command_timeline_is_kept_like_the_appium_log_and_the_page_source_like_the_screenshot() -> None:
    assert ArtifactKind.COMMANDS in wanted({ArtifactKind.APPIUM_LOG: "on"}, failed=False)
    assert ArtifactKind.COMMANDS not in wanted({ArtifactKind.APPIUM_LOG: "retain-on-failure"}, failed=False)
    assert ArtifactKind.PAGE_SOURCE in wanted({ArtifactKind.SCREENSHOT: "retain-on-failure"}, failed=True)
    assert ArtifactKind.PAGE_SOURCE not in wanted({}, failed=True)


@pytest.mark.parametrize("nodeid", HOSTILE_NODEIDS)
def test_folder_names_are_safe_on_every_file_system(tmp_path: Path, nodeid: str) -> None:
    folder = OutputFolder(tmp_path, "run").test_folder(nodeid, 2, "buyer/../x")
    assert folder.parent == tmp_path / "run"
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,130}", folder.name)
    assert folder.name.lower() not in {"con", "nul", "aux", "prn"}


def test_tests_that_look_alike_get_folders_of_their_own(tmp_path: Path) -> None:
    output = OutputFolder(tmp_path, "run")
    nodeids = ["a/test_x.py::test[a/b]", "a/test_x.py::test[a-b]", "b/test_x.py::test[a/b]", "a/test_x.py::TEST[a/b]"]
    names = {output.test_folder(nodeid).name.lower() for nodeid in nodeids}
    names |= {output.test_folder(nodeids[0], 2).name, output.test_folder(nodeids[0], 1, "buyer").name}
    assert len(names) == 6


def test_two_processes_agree_on_the_folder_without_talking(tmp_path: Path) -> None:
    one, other = OutputFolder(tmp_path, "run"), OutputFolder(tmp_path, "run")
    assert one.of(a_job(role="buyer").test) == other.test_folder("tests/test_shop.py::test_login", 1, "buyer")


def test_nothing_is_made_before_the_first_file(tmp_path: Path) -> None:
    output = OutputFolder(tmp_path / "results", "run")
    output.check()
    output.test_folder("x")
    assert list(tmp_path.iterdir()) == []


def test_latest_points_to_the_last_run(tmp_path: Path) -> None:
    for run in ("first", "second"):
        output = OutputFolder(tmp_path, run)
        output.prepare(output.test_folder("x"))
    assert (tmp_path / "latest").resolve() == tmp_path / "second"
    assert (tmp_path / "first").is_dir()


def test_latest_becomes_a_text_file_where_no_link_can_stand(tmp_path: Path) -> None:
    (tmp_path / "latest" / "kept").mkdir(parents=True)
    output = OutputFolder(tmp_path, "run")
    output.prepare(output.test_folder("x"))
    assert (tmp_path / "latest.txt").read_text() == "run\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "latest.txt", "run"]


def test_an_output_folder_that_is_a_file_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigurationError, match=r"taken.*cannot be written.*--farm-output"):
        OutputFolder(tmp_path / "taken" / "results", "run").check()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a file system nobody can write to")
def test_an_output_folder_on_a_read_only_file_system_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"--farm-output"):
        OutputFolder(Path("/proc/devicefarm"), "run").check()


def test_a_job_survives_the_way_to_the_controller(tmp_path: Path) -> None:
    job = a_job(
        kinds=[ArtifactKind.VIDEO],
        live=[Artifact(ArtifactKind.SCREENSHOT, "failure.png", tmp_path / "failure.png", "image/png")],
        infrastructure="hub gone",
        waited=3.5,
        facts={"capabilities": {"appium:udid": "R5CT1"}},
    )
    assert SessionJob.from_plain(json.loads(json.dumps(job.to_plain()))) == job


def test_a_job_without_session_survives_as_well() -> None:
    job = a_job(opened=False)
    assert SessionJob.from_plain(job.to_plain()) == job


def test_session_json_tells_what_happened_on_which_device(tmp_path: Path) -> None:
    artifacts = [
        Artifact(ArtifactKind.SCREENSHOT, "0001.png", tmp_path / "screenshots" / "0001.png", "image/png"),
        Artifact(ArtifactKind.VIDEO, "video.mp4", None, "", "not there after 120 s"),
    ]
    job = a_job(facts={"capabilities": {"platformName": "Android"}}, try_number=2)
    content = json.loads(write_session_json(tmp_path, job, artifacts).read_text())
    assert content["test"] == "tests/test_shop.py::test_login"
    assert (content["try"], content["outcome"], content["device"]["udid"]) == (2, "failed", "R5CT1")
    assert content["session"]["link"] == "https://portal.example/sessions/42"
    assert content["facts"] == {"capabilities": {"platformName": "Android"}}
    assert [(each["file"], each["note"]) for each in content["artifacts"]] == [
        ("screenshots/0001.png", ""),
        (None, "not there after 120 s"),
    ]


def test_session_json_keeps_no_credential_of_a_link(tmp_path: Path) -> None:
    session = a_session(url="https://user:pass@portal.example/s/42?access_token=abc")
    text = write_session_json(tmp_path, a_job(session=session), []).read_text()
    assert "https://portal.example/s/42" in text
    assert "abc" not in text
    assert "pass@" not in text
