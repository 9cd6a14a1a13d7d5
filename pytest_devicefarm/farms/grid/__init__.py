"""Selenium Grid 4 with Appium relay nodes: what the rest of the package knows of it, and its client by itself.

Nothing heavy is imported here; `GridAPI` loads HTTP when it is first used.
"""

from __future__ import annotations

from pytest_devicefarm.core.farm import FarmSpec, Setting
from pytest_devicefarm.core.model import ArtifactKind
from pytest_devicefarm.farms.grid.api import GridAPI

__all__ = ["SPEC", "GridAPI"]

NEW_COMMAND_TIMEOUT = 300
"""Seconds without a command after which Appium ends a session by itself, unless the node does so earlier."""

SPEC = FarmSpec(
    name="grid",
    title="Selenium Grid",
    factory="pytest_devicefarm.farms.grid.farm:GridFarm",
    settings=(
        Setting("url", ("DEVICEFARM_GRID_URL",), "address of the hub, for example http://hub.lab:4444"),
        Setting("username", ("DEVICEFARM_GRID_USERNAME",), "what the hub was started with, if any", required=False),
        Setting(
            "password",
            ("DEVICEFARM_GRID_PASSWORD",),
            "what the hub was started with, if any",
            secret=True,
            required=False,
        ),
    ),
    resets=("none", "app"),
    artifacts={
        ArtifactKind.DEVICE_LOG: "live",
        ArtifactKind.APPIUM_LOG: "live",
        ArtifactKind.VIDEO: "live",
    },
    cannot={
        "reserve": "a Grid has slots and a queue, no bookings: what keeps runs apart is the session in the slot",
        "renew": "a Grid has no bookings",
        "upload": "a Grid stores no builds: give an http address, or a path that the node's host can read",
        "parse": "a Grid stores no builds: Appium on the node refuses what it cannot install",
        "install": "Appium installs the build while it opens the session",
        "verdict": "a Grid keeps no verdicts",
        "late artifacts": "a Grid keeps nothing of a relayed session: se:recordVideo is for Docker nodes alone",
        "device": "a Grid hands devices on as they are; appium:fullReset removes the build, nothing else",
        ArtifactKind.NETWORK_LOG.value: "neither Grid nor Appium captures the traffic of a device",
        ArtifactKind.SCREENSHOT.value: "a Grid takes none; the process of the test does",
    },
    worst_case=(
        f"a session ends {NEW_COMMAND_TIMEOUT // 60} minutes after its last command, or after the --session-timeout of "
        "its node where that is shorter; a request that nobody waits for any more leaves the queue at once"
    ),
    poll_seconds=2.0,
)
