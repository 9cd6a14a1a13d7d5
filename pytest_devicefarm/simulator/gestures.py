"""W3C actions: what fingers and keys do in one request becomes taps, swipes and typed text (section 15)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pytest_devicefarm.simulator.automation import Automation
from pytest_devicefarm.simulator.protocol import ELEMENT_KEY, WebDriverError, number_in, text_in

_STILL = 10
"""A finger that moves less than this many pixels has tapped."""


def tap(automation: Automation, x: float, y: float) -> None:
    """Touch whatever stands uppermost at a point; nothing there is no error, as on glass."""
    width, height = automation.app.size
    if not (0 <= x < width and 0 <= y < height):
        raise WebDriverError("move target out of bounds", f"({x:g}, {y:g}) is outside the screen of {width} x {height}")
    widget = automation.view().at(x, y)
    if widget is not None and widget.look.enabled:
        automation.app.tap(widget.node)


def swipe(automation: Automation, start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Draw a finger over the screen; the innermost list under its start follows it.

    Returns:
        Whether the list could follow all the way.
    """
    view = automation.view()
    lists = [widget for widget in view.all() if widget.node.tag == "MockList" and widget.shown.holds(*start)]
    if not lists or view.alert is not None:
        return False
    return automation.app.scroll(lists[-1], start[1] - end[1])


def perform(automation: Automation, sequences: object) -> None:
    """Do the action sequences of one request, each finger after the other; the time they take passes once.

    Raises:
        WebDriverError: A sequence is not one the protocol knows.
    """
    if not isinstance(sequences, list) or not all(isinstance(sequence, dict) for sequence in sequences):
        raise WebDriverError("invalid argument", "'actions' must be a list of action sequences")
    automation.actions.append(sequences)
    spent = 0.0
    for sequence in sequences:
        steps = sequence.get("actions", [])
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise WebDriverError("invalid argument", "the 'actions' of a sequence must be a list of objects")
        spent = max(spent, sum(number_in(step, "duration", 0) for step in steps) / 1000)
        kind = sequence.get("type")
        if kind == "pointer":
            _Finger(automation).follow(steps)
        elif kind == "key":
            _type(automation, steps)
        elif kind not in ("none", "wheel"):
            raise WebDriverError("invalid argument", f"{kind!r} is no type of input")
    if spent:
        automation.wait(spent)


class _Finger:
    """One pointer on its way through a sequence."""

    def __init__(self, automation: Automation) -> None:
        self._automation = automation
        self._at = (0.0, 0.0)
        self._down: tuple[float, float] | None = None

    def follow(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            match step.get("type"):
                case "pointerMove":
                    self._at = self._target(step)
                case "pointerDown":
                    self._down = self._at
                case "pointerUp":
                    self._lift()
                case "pause" | "pointerCancel":
                    pass
                case other:
                    raise WebDriverError("invalid argument", f"a pointer cannot do {other!r}")

    def _target(self, step: Mapping[str, Any]) -> tuple[float, float]:
        x, y = number_in(step, "x"), number_in(step, "y")
        origin = step.get("origin", "viewport")
        if origin == "pointer":
            return self._at[0] + x, self._at[1] + y
        if isinstance(origin, dict):
            widget = self._automation.widget(text_in(origin, ELEMENT_KEY))
            if widget is not None:
                middle = widget.rect.center
                return middle[0] + x, middle[1] + y
        return x, y

    def _lift(self) -> None:
        start, self._down = self._down, None
        if start is None:
            return
        if math.dist(start, self._at) < _STILL:
            tap(self._automation, *self._at)
        else:
            swipe(self._automation, start, self._at)


def _type(automation: Automation, steps: list[dict[str, Any]]) -> None:
    focus = automation.view().focus
    for step in steps:
        if step.get("type") == "keyDown" and focus is not None:
            automation.app.type(focus, text_in(step, "value"))
