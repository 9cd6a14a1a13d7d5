"""The simulator as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
import requests

DEADLINE = 20


@contextmanager
def a_process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "pytest_devicefarm.simulator", "kobiton", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(DEADLINE)


def pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def test_it_says_where_it_is_and_how_to_get_in() -> None:
    with a_process() as (_, facts):
        environment = facts["environment"]
        assert environment["KOBITON_URL"] == facts["url"]
        assert environment["KOBITON_HUB_URL"] == facts["hub_url"] == f"{facts['url']}/wd/hub"
        auth = environment["KOBITON_USERNAME"], environment["KOBITON_API_KEY"]
        assert requests.get(f"{facts['url']}/v1/devices", auth=auth, timeout=DEADLINE).status_code == 200


def test_it_takes_credentials() -> None:
    with a_process("--username", "me", "--api-key", "k") as (_, facts):
        assert requests.get(f"{facts['url']}/v1/users/me", auth=("me", "k"), timeout=DEADLINE).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(number: int) -> None:
    with a_process() as (process, _):
        process.send_signal(number)
        assert process.wait(DEADLINE) == 0
        assert pipe(process.stdout).read() + pipe(process.stderr).read() == ""


def test_it_ends_with_its_standard_input_but_not_by_ctrl_c() -> None:
    with a_process("--until-eof") as (process, facts):
        process.send_signal(signal.SIGINT)
        assert requests.get(f"{facts['url']}/_simulator/record", timeout=DEADLINE).status_code == 200
        pipe(process.stdin).close()
        assert process.wait(DEADLINE) == 0
        assert pipe(process.stderr).read() == ""


def test_a_broken_world_is_said_in_one_line(tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text("[clok]")
    command = [sys.executable, "-m", "pytest_devicefarm.simulator", "kobiton", "--world", str(world)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 2
    assert done.stderr == f"{world}, the top level: unknown key 'clok'; did you mean 'clock'?\n"


def test_an_unknown_farm_is_said_in_one_line() -> None:
    command = [sys.executable, "-m", "pytest_devicefarm.simulator", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
