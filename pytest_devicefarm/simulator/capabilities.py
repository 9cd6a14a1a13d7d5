"""The capabilities of a request to create a session, as a hub finds them in its body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_devicefarm.simulator.contract import ContractBroken

STANDARD = frozenset(
    {
        "acceptInsecureCerts",
        "browserName",
        "browserVersion",
        "pageLoadStrategy",
        "platformName",
        "proxy",
        "setWindowRect",
        "strictFileInteractability",
        "timeouts",
        "unhandledPromptBehavior",
        "webSocketUrl",
    }
)
"""Names of W3C WebDriver, which need no vendor's prefix."""


def parsed(raw: bytes) -> dict[str, Any]:
    """The body of a request as an object.

    Raises:
        ContractBroken: It is none.
    """
    try:
        body = json.loads(raw)
    except ValueError:
        raise ContractBroken("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ContractBroken("the body is not a JSON object")
    return body


def wanted_capabilities(body: Mapping[str, Any], *, bare: frozenset[str] | None = None) -> dict[str, Any]:
    """The capabilities of a request to create a session, in W3C or legacy form.

    Args:
        body: The body.
        bare: Names beside those of the standard that may come without a prefix; None allows all.

    Raises:
        ContractBroken: There are none, or a W3C request has a name without its vendor's prefix.
    """
    if not is_w3c(body):
        legacy = body.get("desiredCapabilities")
        if not isinstance(legacy, dict):
            raise ContractBroken("the body has neither 'capabilities' nor 'desiredCapabilities'")
        return dict(legacy)
    given = body["capabilities"]
    always = given.get("alwaysMatch", {}) if isinstance(given, dict) else None
    first = given.get("firstMatch") or [{}] if isinstance(given, dict) else None
    if not isinstance(always, dict) or not isinstance(first, list) or not isinstance(first[0], dict):
        raise ContractBroken("'capabilities' has to hold 'alwaysMatch' and 'firstMatch'")
    merged = {**always, **first[0]}
    for name in merged if bare is not None else ():
        if ":" not in name and name not in STANDARD | (bare or frozenset()):
            raise ContractBroken(f"capability {name!r} lacks its vendor's prefix")
    return merged


def is_w3c(body: Mapping[str, Any]) -> bool:
    """Whether the request, and so the answer, has the W3C form."""
    return "capabilities" in body
