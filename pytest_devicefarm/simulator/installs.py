"""Which builds are on which devices, and since when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_devicefarm.simulator.apps import Version


@dataclass
class Install:
    """A build on a device from `since` to `until`, both in seconds since the epoch."""

    udid: str
    version: Version
    since: float
    until: float = math.inf


class Installs:
    """The builds on all devices; of each package the latest one that is complete counts."""

    def __init__(self) -> None:
        self._all: list[Install] = []

    def start(self, udid: str, version: Version, ready: float | None) -> Install:
        """Begins to install a build that will be complete at a moment; None for one that never will."""
        install = Install(udid, version, math.inf if ready is None else ready)
        self._all.append(install)
        return install

    def on(self, udid: str, now: float) -> list[Version]:
        """The builds that are on a device at this moment."""
        complete = sorted((i for i in self._all if i.udid == udid and i.since <= now < i.until), key=lambda i: i.since)
        return list({i.version.package or i.version.name: i.version for i in complete}.values())

    def remove(self, udid: str, at: float, package: str | None = None) -> None:
        """Takes one package, or all of them, off a device at a moment."""
        for install in self._all:
            if install.udid == udid and package in (None, install.version.package):
                install.until = min(install.until, at)
