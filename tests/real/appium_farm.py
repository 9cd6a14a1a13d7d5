"""Simulated phones that a real Appium server drives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.runs import TWO_PHONES, SimulatedFarm, a_farm

STOCK = '{ platformName = "Fake", "appium:automationName" = "Fake", "appium:app" = "{app_xml}" }'
"""Capabilities for Appium's own fake driver, which takes the XML of an app."""
PHONE = '{ "appium:automationName" = "FarmFake", "appium:app" = "{app}" }'
"""Capabilities for the fake driver of tests/appium, which takes the whole build."""

SHORT_DELAYS = """
[delays]
parsing = 0.5
session_create = 0.2
device_log = 1
appium_log = 1
video = 1
network_log = 1
"""

LOGIN_APP = """
<app width="400" height="852" package="com.example.shop" version="1.0">
  <title>Shop</title>
  <MockButton id="login" left="10" top="20" width="100" height="40" text="Log in" showAlert="welcome"/>
  <MockInputField id="user" left="10" top="80" width="200" height="40"/>
  <alert id="welcome" text="Hello"/>
</app>
"""

FEW_ARTIFACTS = ("--farm-video=off", "--farm-network-log=off", "--farm-device-log=off", "--farm-screenshot=off")
"""Options of runs in which artifacts do not matter."""


@contextmanager
def a_real_farm(folder: Path, url: str, capabilities: str = STOCK, *, name: str = "kobiton") -> Iterator[SimulatedFarm]:
    """Two phones of the farm `name` whose sessions go to the Appium server at `url`."""
    world = f"{TWO_PHONES}{SHORT_DELAYS}[appium]\ncapabilities = {capabilities}\n"
    with a_farm(folder, world, "--appium", url, name=name) as farm:
        yield farm


def sessions(farm: SimulatedFarm) -> list[tuple[str, str]]:
    """Phone and last state of each session, oldest first."""
    return [(session["udid"], session["state"]) for session in farm.record()["sessions"]]


def verdicts(farm: SimulatedFarm) -> dict[str, list[str]]:
    """What the farm was told of each test, by the test's name."""
    return {session["name"].partition("::")[2]: session["verdicts"] for session in farm.record()["sessions"]}


def artifact(folder: Path, test: str, name: str) -> str:
    """One file that the latest run in a folder kept of a test."""
    (path,) = (folder / "farm-results/latest").glob(f"*{test}*/{name}")
    return path.read_text()


def command_names(folder: Path, test: str) -> list[str]:
    """The WebDriver commands of a test, from its timeline."""
    timeline: list[dict[str, Any]] = json.loads(artifact(folder, test, "commands.json"))
    return [command["name"] for command in timeline]
