"""The built wheel, installed alone: what is in it, how light it is, and that it leaves others in peace."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, files
from pathlib import Path

import pytest

HEAVY = {"appium", "click", "filelock", "msgspec", "requests", "requests_toolbelt", "rich", "selenium", "werkzeug"}


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, *arguments, cwd=cwd)


@pytest.fixture
def contents() -> set[str]:
    """The files of the installed wheel."""
    names = {path.as_posix() for path in files("pytest-devicefarm") or ()}
    if "pytest_devicefarm/__init__.py" not in names:
        pytest.skip("the package is installed from its source folder, not as a wheel")
    return names


def loaded(*arguments: str, cwd: Path) -> tuple[str, set[str]]:
    """What a run of pytest prints, and the top-level packages that it has loaded at its end."""
    program = """
import atexit, sys
atexit.register(lambda: print("loaded:", *{name.partition(".")[0] for name in sys.modules}))
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
    result = python("-B", "-c", program, *arguments, cwd=cwd)
    assert result.returncode == 0, result.stdout + result.stderr
    output, _, names = result.stdout.rpartition("loaded:")
    return output, set(names.split())


def test_the_wheel_carries_its_types_and_data(contents: set[str]) -> None:
    assert {"pytest_devicefarm/py.typed", "pytest_devicefarm/simulator/data/session.mp4"} <= contents


def test_the_wheel_carries_no_tests(contents: set[str]) -> None:
    assert {name.split("/")[0] for name in contents if name.endswith(".py")} == {"pytest_devicefarm"}


def test_pytest_and_the_shell_find_their_way_in() -> None:
    (plugin,) = entry_points(group="pytest11", name="devicefarm")
    (script,) = entry_points(group="console_scripts", name="devicefarm")
    assert (plugin.value, script.value) == ("pytest_devicefarm.plugin", "pytest_devicefarm.cli:main")


@pytest.mark.parametrize("question", ["--version", "--help", "--markers"])
def test_a_plain_start_of_pytest_loads_nothing_heavy(tmp_path: Path, question: str) -> None:
    _, packages = loaded(question, cwd=tmp_path)
    assert not packages & HEAVY


def test_the_face_of_the_package_loads_nothing_heavy(tmp_path: Path) -> None:
    result = python("-c", "import pytest_devicefarm, sys; print(*sys.modules)", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert not {name.partition(".")[0] for name in result.stdout.split()} & HEAVY


def test_a_run_that_uses_no_device_loads_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_plain():\n    assert True\n")
    before = {*tmp_path.rglob("*"), *Path.home().rglob("*")}
    output, packages = loaded("-p", "no:cacheprovider", cwd=tmp_path)
    assert "1 passed" in output
    assert "pytest_devicefarm" in packages
    assert not packages & HEAVY
    assert {*tmp_path.rglob("*"), *Path.home().rglob("*")} == before


def test_pytest_lists_the_flags_and_marks(tmp_path: Path) -> None:
    flags = python("-m", "pytest", "--help", cwd=tmp_path)
    assert "device farm:" in flags.stdout
    assert "--farm-app" in flags.stdout
    marks = python("-m", "pytest", "--markers", cwd=tmp_path)
    assert "@pytest.mark.device(" in marks.stdout


def test_the_plugin_can_be_turned_off(tmp_path: Path) -> None:
    result = python("-m", "pytest", "-p", "no:devicefarm", "--help", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "--farm-app" not in result.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_command_line_starts(tmp_path: Path, arguments: list[str]) -> None:
    result = run(str(Path(sys.executable).with_name("devicefarm")), *arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout
