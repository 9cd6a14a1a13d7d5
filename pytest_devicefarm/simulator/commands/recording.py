"""Screen recording through the driver (Appium); every recording is the same short clip."""

from __future__ import annotations

import base64
from importlib import resources

from pytest_devicefarm.simulator.automation import Automation
from pytest_devicefarm.simulator.commands.route import Request, Route


def start_recording(automation: Automation, request: Request) -> str:
    """Begin to record; answers nothing, as Appium does when no recording was running."""
    automation.is_recording = True
    return ""


def stop_recording(automation: Automation, request: Request) -> str:
    """The recording as an MP4 in base64, empty when none was begun."""
    if not automation.is_recording:
        return ""
    automation.is_recording = False
    clip = resources.files("pytest_devicefarm.simulator").joinpath("data/session.mp4")
    return base64.b64encode(clip.read_bytes()).decode("ascii")


ROUTES = (
    Route("POST", "/appium/start_recording_screen", start_recording),
    Route("POST", "/appium/stop_recording_screen", stop_recording),
)
