"""The session itself: capabilities, timeouts, contexts, settings, logs (W3C WebDriver, sections 8 and 9; Appium)."""

from __future__ import annotations

from typing import Any

from pytest_devicefarm.simulator.automation import NATIVE, Automation
from pytest_devicefarm.simulator.commands.route import Request, Route
from pytest_devicefarm.simulator.protocol import WebDriverError, text_in


def get_capabilities(automation: Automation, request: Request) -> dict[str, Any]:
    """What the session was agreed on."""
    return dict(automation.capabilities)


def get_timeouts(automation: Automation, request: Request) -> dict[str, int]:
    """The timeouts in milliseconds."""
    return dict(automation.timeouts)


def set_timeouts(automation: Automation, request: Request) -> None:
    """Change timeouts; `implicit` is how long finding an element waits, on the simulated clock."""
    for name, value in request.body.items():
        known = name in automation.timeouts
        if not known or isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            names = ", ".join(automation.timeouts)
            raise WebDriverError("invalid argument", f"{name}={value!r}: milliseconds for one of {names} are needed")
    automation.timeouts.update(request.body)


def get_contexts(automation: Automation, request: Request) -> list[str]:
    """`NATIVE_APP` and one context for each web view."""
    return list(automation.contexts)


def get_context(automation: Automation, request: Request) -> str:
    """The context that locators look at."""
    return automation.context


def set_context(automation: Automation, request: Request) -> None:
    """Look at another context."""
    name = request.body.get("name") or NATIVE
    if name not in automation.contexts:
        raise WebDriverError("no such context", f"{name!r} is none of {', '.join(automation.contexts)}")
    automation.context = name


def get_settings(automation: Automation, request: Request) -> dict[str, Any]:
    """All settings ever made; the engine itself has none."""
    return dict(automation.settings)


def update_settings(automation: Automation, request: Request) -> None:
    """Remember settings."""
    settings = request.body.get("settings")
    if not isinstance(settings, dict):
        raise WebDriverError("invalid argument", "'settings' must be an object")
    automation.settings.update(settings)


def get_log_types(automation: Automation, request: Request) -> list[str]:
    """The device log, under its platform's name, and the actions performed."""
    return [_device_log(automation), "actions"]


def get_log(automation: Automation, request: Request) -> list[Any]:
    """A log; lines of the device log are given out once."""
    kind = text_in(request.body, "type")
    if kind == "actions":
        return automation.actions
    if kind != _device_log(automation):
        known = ", ".join(get_log_types(automation, request))
        raise WebDriverError("invalid argument", f"there is no log of type {kind!r}; known: {known}")
    return [
        {"timestamp": int(line.at * 1000), "level": line.level, "message": line.message}
        for line in automation.unread_log()
    ]


def log_event(automation: Automation, request: Request) -> None:
    """Note a client's event in the device log."""
    automation.log(f"{text_in(request.body, 'vendor')}: {text_in(request.body, 'event')}")


def _device_log(automation: Automation) -> str:
    return "syslog" if automation.is_ios else "logcat"


ROUTES = (
    Route("GET", "", get_capabilities),
    Route("GET", "/appium/capabilities", get_capabilities),
    Route("GET", "/timeouts", get_timeouts),
    Route("POST", "/timeouts", set_timeouts),
    Route("GET", "/contexts", get_contexts),
    Route("GET", "/context", get_context),
    Route("POST", "/context", set_context),
    Route("GET", "/appium/settings", get_settings),
    Route("POST", "/appium/settings", update_settings),
    Route("GET", "/se/log/types", get_log_types),
    Route("POST", "/se/log", get_log),
    Route("POST", "/appium/log_event", log_event),
)
