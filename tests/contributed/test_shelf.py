"""Somebody else's farm: found by its entry point, used by pytest and command line, and kept to the contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from contributed import devicefarm_shelf
from support.appium import AppiumDouble, an_appium
from support.appium_bench import AppiumBench

from pytest_devicefarm.cli import main
from pytest_devicefarm.core.registry import find_farm
from pytest_devicefarm.core.settings import FarmSettings
from pytest_devicefarm.testing import FarmBench, FarmContract, Through

PHONES = "phone-1,phone-2"
ROOT = Path(__file__).parents[2]


class ShelfBench(AppiumBench):
    spec = devicefarm_shelf.SPEC

    def open(self, through: Through) -> devicefarm_shelf.ShelfFarm:
        settings = FarmSettings("shelf", {"url": through(self.url), "phones": PHONES}, {})
        return devicefarm_shelf.ShelfFarm(settings, clock=self.clock)


class TestShelf(FarmContract):
    @pytest.fixture
    def bench(self) -> Iterator[FarmBench]:
        double = AppiumDouble()
        with an_appium(double) as url:
            yield ShelfBench(double, url)


@pytest.mark.usefixtures("installed")
def test_the_farm_is_found_by_its_entry_point() -> None:
    assert find_farm("shelf").title == "Phones on a shelf"


@pytest.mark.usefixtures("installed")
def test_the_command_line_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with an_appium(AppiumDouble()) as url:
        monkeypatch.setenv("SHELF_URL", url)
        monkeypatch.setenv("SHELF_PHONES", PHONES)
        farms = json.loads(CliRunner().invoke(main, ["farms", "--json"]).stdout)["farms"]
        assert "shelf" in [farm["name"] for farm in farms]
        devices = json.loads(CliRunner().invoke(main, ["devices", "--farm", "shelf", "--json"]).stdout)["devices"]
        assert [device["udid"] for device in devices] == PHONES.split(",")


def test_pytest_runs_on_it(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(
        "def test_drives(appium_driver, leased_device):\n    assert appium_driver.page_source\n"
    )
    double = AppiumDouble()
    with an_appium(double) as url:
        environment = {**os.environ, "SHELF_URL": url, "SHELF_PHONES": PHONES, "DEVICEFARM_STATE": str(tmp_path / "s")}
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--farm", "shelf", str(tmp_path)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr
        assert not double.sessions
