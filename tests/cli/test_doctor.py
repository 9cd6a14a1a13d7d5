from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Invoke

from pytest_devicefarm.cli.doctor import clock_findings

NOW = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC."""
KOBITON = ("--farm", "kobiton")


@pytest.fixture
def findings(invoke_json: Callable[..., Any]) -> Callable[..., dict[str, dict[str, Any]]]:
    """Runs the doctor and gives its findings by check."""

    def run(*arguments: str, **more: Any) -> dict[str, dict[str, Any]]:
        return {finding["check"]: finding for finding in invoke_json("doctor", *arguments, **more)["findings"]}

    return run


def test_a_healthy_farm_has_no_problem(findings: Callable[..., Any], state: Path) -> None:
    found = findings(*KOBITON)
    assert {name for name, finding in found.items() if finding["status"] == "problem"} == set()
    assert {"address", "credentials", "hub", "clock", "state folder"} <= set(found)
    assert not state.exists()


def test_wrong_credentials_are_a_problem(invoke: Invoke) -> None:
    result = invoke("doctor", *KOBITON, environ={"KOBITON_API_KEY": "wrong-key-canary"})
    assert result.exit_code == 1
    assert "wrong-key-canary" not in result.output


def test_no_farm_is_a_problem_that_leaves_the_other_checks(findings: Callable[..., Any]) -> None:
    found = findings()
    assert "--farm NAME" in found["farm"]["text"]
    assert found["state folder"]["status"] == "ok"


def test_a_farm_that_does_not_answer_alone_gives_its_own_status(invoke: Invoke) -> None:
    assert invoke("doctor", *KOBITON, "--farm-url", "http://127.0.0.1:1").exit_code == 75


def test_a_hub_that_does_not_answer_is_told_apart_from_the_farm(
    findings: Callable[..., Any], kobiton: dict[str, str]
) -> None:
    arguments = ["--farm-url", kobiton["KOBITON_URL"], "--farm-hub-url", "http://127.0.0.1:1/wd/hub"]
    found = findings(*KOBITON, *arguments)
    assert (found["credentials"]["status"], found["hub"]["status"]) == ("ok", "problem")


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", "agrees with the farm's"),
        ("Tue, 14 Nov 2023 22:14:00 GMT", "agrees with the farm's"),
        ("Tue, 14 Nov 2023 23:13:20 GMT", "this machine is 3600 s behind the farm"),
        ("Tue, 14 Nov 2023 21:13:20 GMT", "this machine is 3600 s ahead of the farm"),
    ],
)
def test_the_clock_is_compared_with_the_farms(date: str, text: str) -> None:
    assert [finding.text for finding in clock_findings(date, NOW)] == [text]


def test_an_unreadable_date_says_nothing() -> None:
    assert list(clock_findings("yesterday", NOW)) == []


def test_a_state_folder_that_is_a_file_is_a_problem(invoke: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    result = invoke("doctor", *KOBITON, "--farm-state", str(file))
    assert result.exit_code == 1
    assert f"{file} is not a folder" in result.output
    assert "--farm-state" in result.output


def test_a_state_folder_for_everybody_is_a_problem(findings: Callable[..., Any], state: Path) -> None:
    state.mkdir()
    state.chmod(0o777)
    found = findings(*KOBITON)["state folder"]
    assert found["status"] == "problem"
    assert "chmod o-w" in found["fix"]
