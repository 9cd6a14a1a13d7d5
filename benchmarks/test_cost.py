"""What the plugin itself costs for each test, beside what the Appium client costs anyhow."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from support.runs import SimulatedFarm, a_farm
from support.tables import Table

TESTS = 30
GOAL = 0.050
WORLD = """
[clock]
speed = 100
[delays]
session_create = 0
[[device]]
name = "Galaxy S22"
udid = "phone-a"
platform = "android"
version = "13"
"""

SUITE = """
import pytest

@pytest.mark.parametrize("number", range(%d))
def test_screen(appium_driver, number):
    assert appium_driver.page_source
"""

BARE = """
import os
import pytest
from appium import webdriver
from appium.options.common.base import AppiumOptions
from appium.webdriver.client_config import AppiumClientConfig

@pytest.fixture
def appium_driver():
    config = AppiumClientConfig(
        remote_server_addr=os.environ["KOBITON_HUB_URL"],
        username=os.environ["KOBITON_USERNAME"],
        password=os.environ["KOBITON_API_KEY"],
    )
    capabilities = {"platformName": "android", "appium:udid": "phone-a", "appium:automationName": "UiAutomator2"}
    driver = webdriver.Remote(options=AppiumOptions().load_capabilities(capabilities), client_config=config)
    yield driver
    driver.quit()
"""


def test_own_cost_of_a_test(tmp_path: Path, table: Table) -> None:
    """Processor time of each of 30 tests that open a session of their own, the farm answering at once"""
    (tmp_path / "farm").mkdir()
    with a_farm(tmp_path / "farm", WORLD) as farm:
        bare = cost(farm, tmp_path / "bare", BARE, "-p", "no:devicefarm")
        ours = cost(farm, tmp_path / "ours", "", "--farm=kobiton", "--farm-state=state")
        assert farm.record()["requests"]["hub.create"] == 2 * TESTS
    own = (ours[0] - bare[0]) / TESTS
    table.add("own processor time", f"{1000 * own:.0f} ms a test", f"<= {1000 * GOAL:.0f} ms", own <= GOAL)
    for name, (processor, wall) in {"bare client": bare, "plugin": ours}.items():
        table.add(f"  {name}", f"{processor:.2f} s in {TESTS} tests, {wall:.1f} s of time")


def cost(farm: SimulatedFarm, folder: Path, conftest: str, *arguments: str) -> tuple[float, float]:
    """Processor time of a run with all its processes, and its time."""
    folder.mkdir()
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_suite.py").write_text(SUITE % TESTS)
    (folder / "pytest.ini").touch()
    return measured(farm, folder, *arguments)


def measured(farm: SimulatedFarm, folder: Path, *arguments: str) -> tuple[float, float]:
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, **farm.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    assert process.returncode == 0, textwrap.indent(output, "  ")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began
