"""Phones and tablets of a simulated farm."""

from __future__ import annotations

from dataclasses import dataclass

BROWSERS = {"android": "chrome", "ios": "safari"}
"""The browser that each platform brings along."""


@dataclass
class Device:
    """One device; what may change while the farm runs is set on it under the world's lock.

    Attributes:
        platform: `android` or `ios`.
        group: Name of the team the device belongs to.
        private: Whether it belongs to the organisation; cloud devices are shared and cannot be reserved.
        busy_until: Another user works on it until then (seconds since the epoch).
        booked_until: Another account has reserved it until then (seconds since the epoch).
    """

    id: int
    udid: str
    name: str
    platform: str
    version: str
    model: str = ""
    manufacturer: str = ""
    width: int = 400
    height: int = 852
    tags: tuple[str, ...] = ()
    group: str = ""
    private: bool = True
    favourite: bool = False
    online: bool = True
    hidden: bool = False
    appium_disabled: bool = False
    busy_until: float = 0.0
    booked_until: float = 0.0

    @property
    def drivable(self) -> bool:
        """Whether an Appium session can be had on it at all."""
        return self.online and not self.hidden and not self.appium_disabled
