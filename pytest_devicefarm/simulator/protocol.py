"""The words of the WebDriver protocol that the engine and its commands share (W3C WebDriver, sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FARTHEST = 1e9

ELEMENT_KEY = "element-6066-11e4-a52e-4f735466cecf"
"""The web element identifier, W3C section 12.1."""

STATUS_OF_ERROR: Mapping[str, int] = {
    "element click intercepted": 400,
    "element not interactable": 400,
    "invalid argument": 400,
    "invalid element state": 400,
    "invalid selector": 400,
    "invalid session id": 404,
    "javascript error": 500,
    "move target out of bounds": 500,
    "no such alert": 404,
    "no such context": 404,
    "no such element": 404,
    "no such frame": 404,
    "no such window": 404,
    "session not created": 500,
    "stale element reference": 404,
    "timeout": 500,
    "unable to capture screen": 500,
    "unexpected alert open": 500,
    "unknown command": 404,
    "unknown error": 500,
    "unknown method": 405,
    "unsupported operation": 500,
}
"""Error codes of W3C section 6.6, with Appium's own `no such context`."""


class WebDriverError(Exception):
    """A command that failed, with the code the protocol has for it.

    Attributes:
        error: One of `STATUS_OF_ERROR`.
        message: What went wrong, for people.
        status: The HTTP status that goes with it.
    """

    def __init__(self, error: str, message: str, status: int | None = None) -> None:
        super().__init__(error, message, status)
        self.error = error
        self.message = message
        self.status = STATUS_OF_ERROR.get(error, 500) if status is None else status

    def __str__(self) -> str:
        return f"{self.error}: {self.message}"


def text_in(body: Mapping[str, Any], key: str) -> str:
    """The text that a command's body must have under `key`."""
    value = body.get(key)
    if not isinstance(value, str):
        raise WebDriverError("invalid argument", f"{key!r} must be a text")
    return value


def number_in(body: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """The number under `key`; without a default it must be there."""
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_FARTHEST < value < _FARTHEST:
        raise WebDriverError("invalid argument", f"{key!r} must be a number")
    return float(value)
