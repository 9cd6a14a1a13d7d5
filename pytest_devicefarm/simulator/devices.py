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
        cleaning_until: It removes what the last user left, until then; then it prepares itself for the next.
        preparing_until: It prepares itself until then.
        rebooting_until: It starts anew until then.
        unauthorised: It waits for somebody's hands to let the host in again.
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
    cleaning_until: float = 0.0
    preparing_until: float = 0.0
    rebooting_until: float = 0.0
    unauthorised: bool = False

    @property
    def drivable(self) -> bool:
        """Whether an Appium session can be had on it at all."""
        return self.online and not self.hidden and not self.appium_disabled and not self.unauthorised

    @property
    def occupied_until(self) -> float:
        """When nobody but a session or a reservation of this farm keeps it from use any more."""
        return max(self.busy_until, self.booked_until, self.cleaning_until, self.preparing_until, self.rebooting_until)
