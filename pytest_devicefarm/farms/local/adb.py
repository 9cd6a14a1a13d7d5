"""The Android devices that adb sees, each looked at once."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_devicefarm.core.errors import ConfigurationError, FarmUnreachable
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.redaction import visible

INSTALL = "pip install 'pytest-devicefarm[local]'"
SECONDS = 10.0
"""Longest wait for an answer of adb or of a device."""

_PROPERTY = re.compile(r"^\[([^]]+)]: \[(.*)]\r?$", re.MULTILINE)
_ADVICE = {
    "unauthorized": "confirm the key of this computer on its screen",
    "offline": "plug it in again",
    "recovery": "start it into Android",
    "no permissions": "see the udev rules of this computer",
}


@dataclass(frozen=True, slots=True)
class Attached:
    """What adb said.

    Attributes:
        states: State of each device by serial number, in adb's words; ``device`` is one that can be used.
        problems: Why adb could not be asked, or a device not be looked at.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def state_of(self, serial: str) -> tuple[DeviceState, str] | None:
        """Whether a device can be used; ``None`` for one that adb does not know."""
        word = self.states.get(serial)
        if word is None:
            return None
        if word == "device":
            return DeviceState.FREE, ""
        advice = _ADVICE.get(word, "")
        return DeviceState.OFFLINE, f"adb: {visible(word)}{f'; {advice}' if advice else ''}"


class Adb:
    """The adb server of this machine.

    Args:
        demanded: Whether its devices have to be there; otherwise an adb that is not there is only a note, and none is
            started.
    """

    def __init__(self, *, demanded: bool) -> None:
        self._demanded = demanded
        self._seen: dict[str, Device] = {}

    def look(self) -> Attached:
        """The devices now.

        Raises:
            ConfigurationError: They are demanded, and adbutils is not installed.
            FarmUnreachable: They are demanded, and there is no adb.
        """
        try:
            import adbutils
        except ImportError:
            if self._demanded:
                raise ConfigurationError(
                    f"adb = true wants the devices of adb, and adbutils is not installed: {INSTALL}"
                ) from None
            return Attached(problems=(f"adb was not asked, since adbutils is not installed ({INSTALL})",))
        if not self._demanded and not _listens():
            return Attached()
        try:
            listed = adbutils.AdbClient(socket_timeout=SECONDS).list()
        except Exception as error:  # of many kinds, from a missing program to an answer cut short
            problem = f"adb cannot be asked for its devices: {type(error).__name__}: {visible(str(error))}"
            if self._demanded:
                raise FarmUnreachable(f"{problem}; see what `adb devices` says") from None
            return Attached(problems=(problem,))
        return Attached({entry.serial: entry.state for entry in listed})

    def device(self, serial: str) -> Device:
        """A device with the facts that it tells of itself; asked once.

        Raises:
            FarmUnreachable: It does not answer.
        """
        if serial not in self._seen:
            self._seen[serial] = _device(serial, self._properties(serial))
        return self._seen[serial]

    def _properties(self, serial: str) -> dict[str, str]:
        import adbutils

        try:
            text: Any = adbutils.AdbClient(socket_timeout=SECONDS).device(serial).shell("getprop", timeout=SECONDS)
        except Exception as error:  # as above
            raise FarmUnreachable(f"device {serial} does not answer adb: {visible(str(error))}") from None
        return dict(_PROPERTY.findall(str(text)))


def _device(serial: str, properties: Mapping[str, str]) -> Device:
    def told(*names: str) -> str:
        return visible(next((properties[name] for name in names if properties.get(name)), ""))

    model = told("ro.product.model")
    emulated = serial.startswith("emulator-") or properties.get("ro.kernel.qemu") == "1"
    return Device(
        id=serial,
        udid=serial,
        name=told("ro.product.marketname", "ro.config.marketing_name", "ro.boot.qemu.avd_name") or model or serial,
        platform="android",
        version=told("ro.build.version.release"),
        model=model,
        manufacturer=told("ro.product.manufacturer"),
        real=not emulated,
    )


def _listens() -> bool:
    """Whether an adb server runs, which asking for devices would otherwise start."""
    host = os.environ.get("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    port = os.environ.get("ANDROID_ADB_SERVER_PORT", "5037")
    try:
        socket.create_connection((host, int(port)), timeout=1.0).close()
    except (OSError, ValueError):
        return False
    return True
