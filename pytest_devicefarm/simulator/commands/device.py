"""Appium's own commands for phone and app: `mobile: ...` scripts and their older paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pytest_devicefarm.simulator.automation import NATIVE, Automation
from pytest_devicefarm.simulator.commands.route import Request, Route
from pytest_devicefarm.simulator.gestures import swipe, tap
from pytest_devicefarm.simulator.layout import Rect
from pytest_devicefarm.simulator.protocol import ELEMENT_KEY, WebDriverError, number_in, text_in

_NOT_INSTALLED, _NOT_RUNNING, _IN_FRONT = 0, 1, 4
_KEY_BACK = 4
_DIRECTIONS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}


def execute_script(automation: Automation, request: Request) -> Any:
    """Run a `mobile: ...` script."""
    script = text_in(request.body, "script")
    given = request.body.get("args", [])
    if isinstance(given, list):
        given = given[0] if given else {}
    if automation.context != NATIVE and script.strip().rstrip(";") == "return document.title":
        return (automation.page().root.findtext(".//title") or "").strip()
    run = _SCRIPTS.get(script.removeprefix("mobile:").strip()) if script.startswith("mobile:") else None
    if run is None:
        known = ", ".join(sorted(_SCRIPTS))
        raise WebDriverError(
            "unknown method", f"the script {script[:80]!r} is not known here; known as mobile: {known}"
        )
    if not isinstance(given, dict):
        raise WebDriverError("invalid argument", f"{script!r} takes one object with its arguments")
    return run(automation, Request(given, {}))


def query_app_state(automation: Automation, request: Request) -> int:
    """0 not installed, 1 not running, 4 in front."""
    return _state(automation, _app_id(request))


def is_app_installed(automation: Automation, request: Request) -> bool:
    """Whether an app is the one under test."""
    return _state(automation, _app_id(request)) != _NOT_INSTALLED


def activate_app(automation: Automation, request: Request) -> None:
    """Start the app anew when it was terminated."""
    state = _state(automation, _app_id(request))
    if state == _NOT_INSTALLED:
        raise WebDriverError("unknown error", f"the app {_app_id(request)!r} is not installed")
    if state == _NOT_RUNNING:
        automation.app.restart()


def terminate_app(automation: Automation, request: Request) -> bool:
    """End the app; False when it did not run."""
    ran = _state(automation, _app_id(request)) == _IN_FRONT
    if ran:
        automation.app.stop()
    return ran


def background_app(automation: Automation, request: Request) -> None:
    """Leave the app for some seconds of the simulated clock."""
    automation.wait(max(0.0, number_in(request.body, "seconds", 0)))


def hide_keyboard(automation: Automation, request: Request) -> bool:
    """Take the focus away; False when no field had it."""
    return automation.app.hide_keyboard()


def is_keyboard_shown(automation: Automation, request: Request) -> bool:
    """Whether an input field has the focus."""
    return automation.view().focus is not None


def press_key(automation: Automation, request: Request) -> None:
    """Press a key; only Android's back key, 4, does anything."""
    if number_in(request.body, "keycode") == _KEY_BACK:
        automation.app.back()


def get_device_time(automation: Automation, request: Request) -> str:
    """The phone's time in ISO 8601, from the simulated clock."""
    return datetime.fromtimestamp(automation.clock.now(), UTC).isoformat(timespec="seconds")


def get_device_info(automation: Automation, request: Request) -> dict[str, Any]:
    """Model, version and screen of the phone."""
    width, height = automation.app.size
    return {
        "model": automation.capability("deviceName") or "",
        "platformVersion": automation.capability("platformVersion") or "",
        "realDisplaySize": f"{width}x{height}",
    }


def get_current_package(automation: Automation, request: Request) -> str:
    """Package of the app in front."""
    return automation.app.source.package if automation.app.running else ""


def get_current_activity(automation: Automation, request: Request) -> str:
    """The one activity every simulator app has."""
    return ".MainActivity" if automation.app.running else ""


def click_gesture(automation: Automation, request: Request) -> None:
    """Tap an element's middle or a point."""
    area = _element_area(automation, request.body)
    if area is not None:
        tap(automation, *area.center)
    else:
        tap(automation, number_in(request.body, "x"), number_in(request.body, "y"))


def swipe_gesture(automation: Automation, request: Request) -> bool:
    """The finger moves in `direction`."""
    return _move(automation, request.body, sign=1)


def scroll_gesture(automation: Automation, request: Request) -> bool:
    """The content is looked through in `direction`, so the finger moves the other way."""
    return _move(automation, request.body, sign=-1)


def _app_id(request: Request) -> str:
    return text_in(request.body, "appId" if "appId" in request.body else "bundleId")


def _state(automation: Automation, app_id: str) -> int:
    if app_id != automation.app.source.package:
        return _NOT_INSTALLED
    return _IN_FRONT if automation.app.running else _NOT_RUNNING


def _move(automation: Automation, arguments: Mapping[str, Any], *, sign: int) -> bool:
    direction = text_in(arguments, "direction").lower()
    if direction not in _DIRECTIONS:
        raise WebDriverError("invalid argument", f"{direction!r} is none of {', '.join(_DIRECTIONS)}")
    area = _element_area(automation, arguments) or _area(automation, arguments)
    share = number_in(arguments, "percent", 0.75)
    right, down = (sign * step * share for step in _DIRECTIONS[direction])
    x, y = area.center
    return swipe(automation, (x, y), (x + right * area.width, y + down * area.height))


def _element_area(automation: Automation, arguments: Mapping[str, Any]) -> Rect | None:
    named = arguments.get("elementId", arguments.get("element"))
    if isinstance(named, dict):
        named = named.get(ELEMENT_KEY)
    if named is None:
        return None
    widget = automation.widget(str(named))
    return None if widget is None else widget.shown


def _area(automation: Automation, arguments: Mapping[str, Any]) -> Rect:
    width, height = automation.app.size
    sides = (("left", 0), ("top", 0), ("width", width), ("height", height))
    return Rect(*(int(number_in(arguments, side, default)) for side, default in sides))


_SCRIPTS: Mapping[str, Callable[[Automation, Request], Any]] = {
    "activateApp": activate_app,
    "backgroundApp": background_app,
    "clickGesture": click_gesture,
    "deviceInfo": get_device_info,
    "getCurrentActivity": get_current_activity,
    "getCurrentPackage": get_current_package,
    "getDeviceTime": get_device_time,
    "hideKeyboard": hide_keyboard,
    "isAppInstalled": is_app_installed,
    "isKeyboardShown": is_keyboard_shown,
    "pressKey": press_key,
    "queryAppState": query_app_state,
    "scroll": scroll_gesture,
    "scrollGesture": scroll_gesture,
    "swipe": swipe_gesture,
    "swipeGesture": swipe_gesture,
    "terminateApp": terminate_app,
}

ROUTES = (
    Route("POST", "/execute/sync", execute_script),
    Route("POST", "/appium/device/app_state", query_app_state),
    Route("POST", "/appium/device/activate_app", activate_app),
    Route("POST", "/appium/device/terminate_app", terminate_app),
    Route("POST", "/appium/device/app_installed", is_app_installed),
    Route("POST", "/appium/device/hide_keyboard", hide_keyboard),
    Route("GET", "/appium/device/is_keyboard_shown", is_keyboard_shown),
    Route("GET", "/appium/device/system_time", get_device_time),
    Route("GET", "/appium/device/current_package", get_current_package),
    Route("GET", "/appium/device/current_activity", get_current_activity),
)
