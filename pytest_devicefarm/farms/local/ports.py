"""Ports for drivers: what each device's driver listens on, so that no two devices and no two workers collide.

A port follows from the place of the device in the run's list, so processes need not talk about it; and no two devices
ever look at the same port, however often they have to step aside for somebody else's.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection

from pytest_devicefarm.core.errors import ConfigurationError

RANGES: dict[str, range] = {
    "appium:systemPort": range(8200, 8300),
    "appium:wdaLocalPort": range(8100, 8200),
    "appium:chromedriverPort": range(9515, 9615),
    "appium:mjpegServerPort": range(9200, 9300),
}
"""Where each port is taken from. The first is the range that the UiAutomator2 driver itself uses."""

OF_PLATFORM: dict[str, tuple[str, ...]] = {
    "android": ("appium:systemPort", "appium:chromedriverPort", "appium:mjpegServerPort"),
    "ios": ("appium:wdaLocalPort", "appium:mjpegServerPort"),
    "linux": ("appium:chromedriverPort",),
}


def allot(platform: str, *, place: int, places: int, taken: Collection[int], on_this_machine: bool) -> dict[str, int]:
    """The ports of one device.

    Args:
        place: Place of the device among all, from 0.
        places: How many devices there are.
        taken: Ports that the file gives to devices.
        on_this_machine: Whether the driver listens here, so that a port in use can be seen and left out.

    Raises:
        ConfigurationError: All ports that are left for this device are in use.
    """
    ports = {}
    for name in OF_PLATFORM.get(platform, ()):
        mine = [port for port in RANGES[name][place::places] if port not in taken]
        free = (port for port in mine if not on_this_machine or is_free(port))
        port = next(free, None)
        if port is None:
            tried = ", ".join(map(str, mine[:5])) or "none is left"
            raise ConfigurationError(
                f"no port for {name}: all that belong to this device are in use ({tried}). End what listens there, or "
                f'give the device a port of its own: capabilities = {{ "{name}" = ... }}'
            )
        ports[name] = port
    return ports


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nothing listens on a port of this machine."""
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere the option lets two programs have one port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno not in (errno.EADDRINUSE, errno.EACCES)
        return True
