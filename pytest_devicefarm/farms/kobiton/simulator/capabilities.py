"""What a session request asks for: which device, which build, which name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_devicefarm.farms.kobiton.simulator.devices import group_fits, name_fits
from pytest_devicefarm.simulator.contract import ContractBroken
from pytest_devicefarm.simulator.devices import Device

CREDENTIALS = frozenset({"username", "accessKey"})
"""Names under which a session may bring its account along."""
_NOT_IN_OPTIONS = {"sessionName", "sessionDescription"}
_SELECTING = ("udid", "deviceName", "platformName", "platformVersion", "deviceGroup", "deviceTags", "browserName")


@dataclass(frozen=True)
class Wish:
    """The capabilities of one request, with Kobiton's eyes."""

    given: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """A capability with any prefix or none, or from `kobiton:options` where Kobiton heeds it there."""
        for prefix in ("kobiton:", "appium:", ""):
            if (value := self.given.get(prefix + name)) is not None:
                return value
        options = self.given.get("kobiton:options")
        if isinstance(options, dict) and name not in _NOT_IN_OPTIONS:
            return options.get(name)
        return None

    def text(self, name: str) -> str:
        """A capability as text; empty when it is not there."""
        value = self.get(name)
        return "" if value is None else str(value)

    @property
    def selects(self) -> bool:
        """Whether anything says which device is wanted."""
        return any(self.get(name) for name in _SELECTING)

    @property
    def filters(self) -> str:
        """What the device was chosen by, for messages."""
        return ", ".join(f"{name}: {self.text(name)}" for name in _SELECTING if self.get(name))

    @property
    def idle_limit(self) -> float | None:
        """Seconds without a command after which the session may be ended; None when not asked for."""
        value = self.get("newCommandTimeout")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ContractBroken(f"'newCommandTimeout' has to be a number of seconds, not {value!r}")
        return float(value)

    @property
    def public(self) -> dict[str, Any]:
        """All capabilities but credentials."""
        return {name: value for name, value in self.given.items() if name.rpartition(":")[2] not in CREDENTIALS}

    def device_filter(self) -> Callable[[Device], bool]:
        """Says of a device whether it is wanted.

        Raises:
            ContractBroken: The tags are not a list of lists of texts.
        """
        tags = self.get("deviceTags")
        if tags is not None and not _are_tags(tags):
            raise ContractBroken(f"'deviceTags' has to be a list of lists of texts, not {tags!r}")

        def fits(device: Device) -> bool:
            return (
                self.get("udid") in (None, device.udid)
                and name_fits(device.name, self.text("deviceName") or "*")
                and device.platform == (self.text("platformName").lower() or device.platform)
                and name_fits(device.version, self.text("platformVersion") or "*")
                and group_fits(device, self.text("deviceGroup") or "ANY")
                and all(any(tag in device.tags for tag in either) for either in tags or ())
            )

        return fits


def _are_tags(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(either, list) and either and all(isinstance(t, str) for t in either) for either in value)
    )
