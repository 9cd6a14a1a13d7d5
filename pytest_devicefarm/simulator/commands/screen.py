"""The whole screen: source, screenshot, size, orientation, touches (W3C WebDriver, sections 11, 13, 15 and 17)."""

from __future__ import annotations

import base64

from pytest_devicefarm.simulator.automation import NATIVE, Automation
from pytest_devicefarm.simulator.commands.route import Request, Route
from pytest_devicefarm.simulator.gestures import perform
from pytest_devicefarm.simulator.picture import screenshot
from pytest_devicefarm.simulator.protocol import WebDriverError, text_in
from pytest_devicefarm.simulator.screen import LANDSCAPE, PORTRAIT


def get_page_source(automation: Automation, request: Request) -> str:
    """The screen, or the page in a web view, as XML."""
    return automation.page().source()


def take_screenshot(automation: Automation, request: Request) -> str:
    """The screen as a PNG in base64."""
    return base64.b64encode(screenshot(automation.view())).decode("ascii")


def get_window_rect(automation: Automation, request: Request) -> dict[str, int]:
    """Size of the screen as it is held."""
    width, height = automation.app.size
    return {"x": 0, "y": 0, "width": width, "height": height}


def get_title(automation: Automation, request: Request) -> str:
    """Title of the page in a web view."""
    if automation.context == NATIVE:
        raise WebDriverError("unknown method", "only a web view has a page title")
    return (automation.page().root.findtext(".//title") or "").strip()


def get_orientation(automation: Automation, request: Request) -> str:
    """How the phone is held: `PORTRAIT` or `LANDSCAPE`."""
    return automation.app.orientation


def set_orientation(automation: Automation, request: Request) -> None:
    """Turn the phone."""
    orientation = text_in(request.body, "orientation").upper()
    if orientation not in (PORTRAIT, LANDSCAPE):
        raise WebDriverError("invalid argument", f"the orientation is {PORTRAIT} or {LANDSCAPE}, not {orientation!r}")
    automation.app.turn(orientation)


def perform_actions(automation: Automation, request: Request) -> None:
    """Do what fingers and keys are told to."""
    perform(automation, request.body.get("actions"))


def release_actions(automation: Automation, request: Request) -> None:
    """Nothing stays pressed between two requests, so nothing is left to release."""


def press_back(automation: Automation, request: Request) -> None:
    """Press the back key."""
    automation.app.back()


ROUTES = (
    Route("GET", "/source", get_page_source),
    Route("GET", "/screenshot", take_screenshot),
    Route("GET", "/window/rect", get_window_rect),
    Route("GET", "/title", get_title),
    Route("GET", "/orientation", get_orientation),
    Route("POST", "/orientation", set_orientation),
    Route("POST", "/actions", perform_actions),
    Route("DELETE", "/actions", release_actions),
    Route("POST", "/back", press_back),
)
