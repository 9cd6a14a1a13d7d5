"""What a slot can be asked for: the Grid's own rule of matching, with reasons, and what it means for a device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

OWN = "devicefarm:"
"""Prefix of what a stereotype says for us alone: tags, model, manufacturer, group, real."""

_NEVER_COMPARED = ("se:", "goog:", "moz:", "ms:", "safari:", "webkit:", OWN)
_ALWAYS_COMPARED = ("platformName", "browserName")
_SPELLINGS = {"android": "Android", "ios": "iOS"}


def platform_of(stereotype: Mapping[str, Any]) -> str:
    """Its platform as Appium spells it; the Grid writes ``ANDROID`` and ``IOS``."""
    spelt = text(stereotype, "platformName")
    return _SPELLINGS.get(spelt.lower(), spelt)


def text(stereotype: Mapping[str, Any], name: str) -> str:
    """One value as text, ``""`` where it is not there."""
    value = stereotype.get(name)
    return "" if value is None or isinstance(value, dict | list) else str(value)


def words(stereotype: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """One value as several texts: a list, or a text with commas."""
    value = stereotype.get(name)
    parts = value if isinstance(value, list) else text(stereotype, name).split(",")
    return tuple(part for part in (str(one).strip() for one in parts) if part)


def yes_or_no(stereotype: Mapping[str, Any], name: str) -> bool | None:
    """One value as true or false, ``None`` where it is neither."""
    return {"true": True, "false": False}.get(text(stereotype, name).lower())


def takes_appium(stereotype: Mapping[str, Any]) -> bool:
    """Whether it is about a device; the others are browsers."""
    return any(name.startswith("appium:") for name in stereotype)


def misfits(stereotype: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Each reason why a slot does not take a session with these capabilities.

    A Grid compares what both sides name: ``platformName`` and ``browserName`` always, capabilities with a prefix only
    where the stereotype has them too, texts without regard to case (``DefaultSlotMatcher`` of Selenium Grid 4).
    """
    for name, value in wanted.items():
        if name.startswith(_NEVER_COMPARED) or value in (None, ""):
            continue
        has = stereotype.get(name)
        if has is None and name not in _ALWAYS_COMPARED:
            continue
        if str(has).lower() != str(value).lower():
            yield f"{name} is {value!r}, and the slot's is {has!r}"
