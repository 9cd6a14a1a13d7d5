"""A simulated farm as a process of its own, and a way to call commands in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result

from pytest_devicefarm.cli import main

WORLD = """
[[device]]
name = "Galaxy S22"
platform = "android"
version = "12"
udid = "galaxy-1"

[[device]]
name = "[red]Pixel[/red]\\u001b[31m 8"
platform = "android"
version = "14"
udid = "pixel-1"

[[device]]
name = "iPhone 15"
platform = "ios"
version = "17.1"
udid = "iphone-1"
"""


class Invoke(Protocol):
    """Calls the command line with these arguments and a state folder of its own."""

    def __call__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Result: ...


@pytest.fixture(scope="session")
def kobiton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of an account on a simulated Kobiton."""
    world = tmp_path_factory.mktemp("world") / "world.toml"
    world.write_text(WORLD)
    command = [sys.executable, "-m", "pytest_devicefarm.simulator", "kobiton", "--world", str(world), "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        environment: dict[str, str] = json.loads(child.stdout.readline())["environment"]
        yield environment
        child.stdin.close()
        child.wait(10)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture
def invoke(kobiton: dict[str, str], state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Calls the command line from an empty folder, with the simulated account at hand."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments: str, environ: Mapping[str, str] | None = None) -> Result:
        env = {**kobiton, "DEVICEFARM_STATE": str(state), **(environ or {})}
        return CliRunner().invoke(main, list(arguments), env=env)

    return call


@pytest.fixture
def invoke_json(invoke: Invoke) -> Callable[..., Any]:
    """Calls a command with ``--json`` and gives what it printed."""

    def call(*arguments: str, environ: Mapping[str, str] | None = None) -> Any:
        result = invoke(*arguments, "--json", environ=environ)
        assert result.exit_code in (0, 1, 75), result.output
        return json.loads(result.stdout)

    return call
