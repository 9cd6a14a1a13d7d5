from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from pytest_devicefarm.cli import main
from pytest_devicefarm.cli.group import COMMANDS

HEAVY = ("requests", "selenium", "appium", "msgspec", "rich", "filelock", "packaging", "werkzeug", "pytest")


def test_help_names_every_command_and_the_exit_statuses() -> None:
    output = CliRunner().invoke(main, ["--help"]).output
    assert all(f"  {command} " in output for command in COMMANDS)
    assert "75" in output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_documents_itself_and_its_json(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert "With --json:\n    {" in result.output


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from pytest_devicefarm.cli import main;"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["devcies"]).exit_code == 2
