"""The example suite on a real Selenium Grid, unchanged; the simulator's engine stands in for the phones' Appium."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from real.grid import install_grid, running_grid
from support.pool import app_servers
from support.runs import Run, leftovers

EXAMPLE = Path(__file__).parents[2] / "example_suite"


def slot(number: int) -> dict[str, Any]:
    return {
        "platformName": "android",
        "appium:automationName": "UiAutomator2",
        "appium:deviceName": f"Phone {number}",
        "appium:udid": f"phone-{number}",
        "appium:platformVersion": str(12 + number),
    }


def test_the_example_suite_on_two_nodes_and_four_phones(tmp_path: Path) -> None:
    folder = tmp_path / "example suite"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache", "farm-results"))
    with (
        app_servers(1) as [(double, appium)],
        running_grid(install_grid(), tmp_path, appium, [[slot(0), slot(1)], [slot(2), slot(3)]]) as grid,
    ):
        known = {
            "DEVICEFARM_FARM": "grid",
            "DEVICEFARM_GRID_URL": grid.url,
            "DEVICEFARM_STATE": str(folder / "state"),
        }
        run = Run(folder, known, "-n", "4")
        try:
            assert run.wait() == 0, run.output
        finally:
            run.kill()
        assert grid.sessions() == []
        assert {facts["udid"] for facts in double.opened} <= {f"phone-{number}" for number in range(4)}
        assert len(double.opened) == 18
    assert leftovers(folder) == []
