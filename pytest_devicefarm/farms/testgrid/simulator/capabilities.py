"""What a session request asks for, with or without prefixes, as TestGrid's Appium servers read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_devicefarm.simulator.capabilities import parsed, wanted_capabilities
from pytest_devicefarm.simulator.contract import ContractBroken
from pytest_devicefarm.simulator.devices import BROWSERS, Device
from pytest_devicefarm.simulator.sessions import Session

TOKEN, PROJECT = "tg:userToken", "tg:projectName"
SHORTEST_QUEUE, USUAL_QUEUE, LONGEST_QUEUE = 1.0, 120.0, 1800.0
"""Simulated seconds that a request may ask to wait for a device, and those it waits when it does not say."""

_SYSTEM_APPS = ("com.android.", "com.google.android.", "com.apple.")


def token_in(raw: bytes) -> str:
    """The token of a request to create a session; empty when there is none."""
    try:
        token = wanted_capabilities(parsed(raw)).get(TOKEN)
    except ContractBroken:
        return ""
    return token if isinstance(token, str) else ""


def project_of(session: Session) -> str:
    """The project that a session was opened for, as later answers show it."""
    return str(session.capabilities.get(PROJECT) or "undefined")


@dataclass(frozen=True)
class Wish:
    """The capabilities of one request."""

    given: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """A capability with one of the prefixes in use, or with none."""
        for prefix in ("tg:", "appium:", ""):
            if (value := self.given.get(prefix + name)) is not None:
                return value
        return None

    def text(self, name: str) -> str:
        """A capability as text; empty when it is not there."""
        value = self.get(name)
        return "" if value is None else str(value)

    @property
    def package(self) -> str:
        """The package of the app to start, if it is one that has to be installed; empty when none is asked for."""
        package = self.text("appPackage") or self.text("bundleId")
        return "" if package.startswith(_SYSTEM_APPS) else package

    @property
    def public(self) -> dict[str, Any]:
        """All capabilities but the token."""
        return {name: value for name, value in self.given.items() if name != TOKEN}

    @property
    def idle_limit(self) -> float | None:
        """Seconds without a command after which the session may be ended; None when not asked for."""
        return self._number("newCommandTimeout")

    @property
    def queue_seconds(self) -> float:
        """How long the request is ready to wait for a device; 0 when it is not."""
        if str(self.get("queue")).lower() == "false":
            return 0.0
        asked = self._number("queueTimeout")
        if asked is None:
            return USUAL_QUEUE
        if not SHORTEST_QUEUE <= asked <= LONGEST_QUEUE:
            raise ContractBroken(f"'tg:queueTimeout' has to be between 1 and 1800 seconds, not {asked:g}")
        return asked

    def fits(self) -> Callable[[Device], bool]:
        """Says of a device whether it is wanted."""
        tags = self.get("tags")
        wanted = {str(tag) for tag in tags} if isinstance(tags, list) else set(filter(None, str(tags or "").split(",")))
        platform, browser = self.text("platformName").lower(), self.text("browserName").lower()

        def fit(device: Device) -> bool:
            return (
                self.text("udid") in ("", device.udid)
                and platform in ("", device.platform)
                and browser in ("", BROWSERS[device.platform])
                and self.text("platformVersion") in ("", device.version)
                and self.text("deviceName") in ("", device.name)
                and (not wanted or bool(wanted & set(device.tags)))
                and self.text("platformTarget") in ("", "Real")
            )

        return fit

    def _number(self, name: str) -> float | None:
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ContractBroken(f"{name!r} has to be a number of seconds, not {value!r}")
        return float(value)
