"""Alerts (W3C WebDriver, section 16)."""

from __future__ import annotations

from pytest_devicefarm.simulator.automation import Automation
from pytest_devicefarm.simulator.commands.route import Request, Route
from pytest_devicefarm.simulator.protocol import WebDriverError, text_in


def get_alert_text(automation: Automation, request: Request) -> str:
    """What the open alert says."""
    _need_alert(automation)
    return automation.app.alert_text()


def accept_alert(automation: Automation, request: Request) -> None:
    """Accept the open alert."""
    _need_alert(automation)
    automation.app.answer_alert("accept")


def dismiss_alert(automation: Automation, request: Request) -> None:
    """Dismiss the open alert."""
    _need_alert(automation)
    automation.app.answer_alert("dismiss")


def send_alert_text(automation: Automation, request: Request) -> None:
    """Answer the open alert's question."""
    _need_alert(automation)
    if not automation.app.type_into_alert(text_in(request.body, "text")):
        raise WebDriverError("element not interactable", "the open alert asks for no text")


def _need_alert(automation: Automation) -> None:
    if automation.app.alert is None:
        raise WebDriverError("no such alert", "no alert is open")


ROUTES = (
    Route("GET", "/alert/text", get_alert_text),
    Route("POST", "/alert/text", send_alert_text),
    Route("POST", "/alert/accept", accept_alert),
    Route("POST", "/alert/dismiss", dismiss_alert),
)
