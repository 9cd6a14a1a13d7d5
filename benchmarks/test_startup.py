"""Installed and unused, the plugin costs next to nothing."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from support.tables import Table

ROUNDS = 15
WITHOUT = ("-p", "no:devicefarm")
HEAVY = {
    *("appium", "click", "filelock", "jinja2", "msgspec", "packaging", "platformdirs", "requests", "rich", "selenium"),
    *("tomllib", "urllib3", "werkzeug", "xml"),
}


def test_start_of_pytest(tmp_path: Path, table: Table) -> None:
    """Start of pytest with the plugin installed and unused"""
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    plain, with_plugin = [], []
    for _ in range(ROUNDS):
        plain.append(seconds(tmp_path, *WITHOUT))
        with_plugin.append(seconds(tmp_path))
    ratio = statistics.median(with_plugin) / statistics.median(plain)
    table.add("time of a run of one test", f"{ratio:.3f} x", "<= 1.03 x", ratio <= 1.03)
    table.add(f"  without, median of {ROUNDS}", f"{statistics.median(plain):.3f} s")
    table.add(f"  with, median of {ROUNDS}", f"{statistics.median(with_plugin):.3f} s")
    more = imported(tmp_path) - imported(tmp_path, *WITHOUT)
    heavy = {name for name in more if name.partition(".")[0] in HEAVY}
    table.add("heavy modules that it imports", ", ".join(sorted(heavy)) or "none", "none", not heavy)
    table.add("modules that it imports", f"{len(more)}")
    assert not heavy


def seconds(folder: Path, *arguments: str) -> float:
    """How long a run takes."""
    began = time.perf_counter()
    pytest_run(folder, "-m", "pytest", *arguments)
    return time.perf_counter() - began


def imported(folder: Path, *arguments: str) -> set[str]:
    """The modules that a run imports."""
    report = pytest_run(folder, "-X", "importtime", "-m", "pytest", *arguments)
    return {match[1] for match in re.finditer(r"^import time:.*\|\s*([\w.]+)$", report, re.MULTILINE)}


def pytest_run(folder: Path, *command: str) -> str:
    """Make a run; gives what it wrote to standard error."""
    done = subprocess.run(
        [sys.executable, *command, "-q", "-p", "no:cacheprovider", "test_nothing.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr
