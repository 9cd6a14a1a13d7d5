from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from cli.conftest import Invoke

COMMAND = [sys.executable, "-c", "from pytest_devicefarm.cli import main; main()"]


@contextmanager
def simulating(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, "simulate", *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def printed(process: subprocess.Popen[str]) -> tuple[str, dict[str, str]]:
    """What a simulator prints for people, up to the example, and the variables in it."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if "pytest --farm" in line:
            break
    exports = re.findall(r"^export (\w+)=(.*)$", text, re.MULTILINE)
    return text, {name: shlex.split(value)[0] for name, value in exports}


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def test_what_it_prints_leads_the_other_commands_to_it_until_ctrl_c() -> None:
    with simulating("kobiton", "--username", "o'hara") as process:
        text, exports = printed(process)
        assert exports["KOBITON_USERNAME"] == "o'hara"
        assert "pytest --farm kobiton" in text
        done = subprocess.run(
            [*COMMAND, "devices", "--farm", "kobiton"],
            env={**os.environ, **exports},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert not answers(exports["KOBITON_URL"])


def test_a_killed_command_takes_its_simulator_along() -> None:
    with simulating("kobiton") as process:
        url = printed(process)[1]["KOBITON_URL"]
        process.kill()
        deadline = time.monotonic() + 10
        while answers(url):
            assert time.monotonic() < deadline, "the simulator outlived its command"


def test_an_unknown_farm_is_a_clear_error(invoke: Invoke) -> None:
    result = invoke("simulate", "kobitn")
    assert result.exit_code == 2
    assert "did you mean 'kobiton'" in result.output


@pytest.mark.parametrize("arguments", [("--world", "no-such-file.toml"), ("--dialect", "spoken"), ("--port", "70000")])
def test_unusable_options_are_usage_errors(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*COMMAND, "simulate", "kobiton", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert arguments[0] in done.stderr or arguments[1] in done.stderr
    assert "Traceback" not in done.stderr
