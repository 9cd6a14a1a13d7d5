from __future__ import annotations

from pathlib import Path

from reports.builders import a_device, a_job, a_session

from pytest_devicefarm.core.model import Artifact, ArtifactKind
from pytest_devicefarm.reports.artifacts import SessionJob
from pytest_devicefarm.reports.terminal import MOST_LINKS, summary_lines


def a_file(kind: ArtifactKind) -> Artifact:
    return Artifact(kind, str(kind), Path("/somewhere"), "text/plain")


def a_gap(note: str, kind: ArtifactKind = ArtifactKind.VIDEO) -> Artifact:
    return Artifact(kind, str(kind), None, "", note)


def test_a_run_without_devices_has_nothing_to_say() -> None:
    assert summary_lines([], folder=Path("/results")) == []


def test_devices_are_listed_with_tests_and_seconds() -> None:
    pixel = a_device("Pixel 8", "P8")
    jobs = [a_job("t.py::a"), a_job("t.py::b"), a_job("t.py::c", device=pixel, waited=61.0), a_job(opened=False)]
    lines = summary_lines([(job, []) for job in jobs])
    assert lines[:4] == [
        "devices used:",
        "  Galaxy S23 (android 14, R5CT1): 2 tests, 25.0 s",
        "  Pixel 8 (android 14, P8): 1 test, 12.5 s",
        "waited for devices: 61 s in all, 61 s of it in t.py::c",
    ]


def test_sessions_are_linked_failed_ones_first_and_no_more_than_fit() -> None:
    jobs = [a_job(f"t.py::test_{number}", outcome="passed") for number in range(MOST_LINKS + 4)]
    jobs.append(a_job("t.py::test_bad"))
    lines = summary_lines([(job, []) for job in jobs])
    links = [line for line in lines if "https://portal.example" in line]
    assert links[0] == "  failed t.py::test_bad: https://portal.example/sessions/42"
    assert len(links) == MOST_LINKS
    assert "  and 5 more, each in the session.json of its test" in lines


def test_artifacts_are_counted_by_kind_with_their_folder() -> None:
    kinds = [ArtifactKind.VIDEO, ArtifactKind.VIDEO, ArtifactKind.DEVICE_LOG]
    lines = summary_lines([(a_job(), [a_file(kind) for kind in kinds])], folder=Path("/results/run"))
    assert "artifacts: 1 device-log, 2 video; in /results/run" in lines


def test_gaps_of_the_same_reason_are_one_line() -> None:
    results: list[tuple[SessionJob, list[Artifact]]] = [
        (a_job(f"t.py::{name}"), [a_gap(f"not there after 120 s; the farm's page: https://portal.example/{name}")])
        for name in ("a", "b", "c")
    ]
    lines = summary_lines(results)
    assert lines[-2:] == ["artifacts that did not come:", "  video: not there after 120 s (t.py::a and 2 more)"]


def test_infrastructure_problems_have_a_list_of_their_own() -> None:
    lines = summary_lines([(a_job("t.py::a", opened=False, infrastructure="no device\nask for another"), [])])
    assert lines == ["infrastructure problems:", "  t.py::a: no device", "    ask for another"]


def test_control_characters_of_devices_are_made_visible() -> None:
    device = a_device("\x1b[31mEvil\x07\u202e\nfailed", "x")
    job = a_job(
        device=device, session=a_session(device, url="https://portal.example/\x1b"), infrastructure="\x1b]0;x\x07"
    )
    lines = summary_lines([(job, [a_gap("\x1b[2J")])])
    assert all(line.isprintable() for line in lines)
    assert "  \\x1b[31mEvil\\x07\\u202e\\nfailed (android 14, x): 1 test, 12.5 s" in lines
