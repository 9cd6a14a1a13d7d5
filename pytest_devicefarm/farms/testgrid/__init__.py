"""TestGrid: what the rest of the package knows of it, and its client for those who want just that.

Nothing heavy is imported here; `TestGridAPI` loads HTTP when it is first used.
"""

from __future__ import annotations

from pytest_devicefarm.core.farm import FarmSpec, Setting
from pytest_devicefarm.core.model import ArtifactKind
from pytest_devicefarm.farms.testgrid.api import TestGridAPI

__all__ = ["SPEC", "TestGridAPI"]

NEW_COMMAND_TIMEOUT = 300
"""Seconds without a command after which Appium ends a session by itself."""

SPEC = FarmSpec(
    name="testgrid",
    title="TestGrid",
    factory="pytest_devicefarm.farms.testgrid.farm:TestGridFarm",
    settings=(
        Setting("url", ("TESTGRID_URL",), "address of the server, such as https://example.testgrid.io"),
        Setting(
            "user_token",
            ("TESTGRID_USER_TOKEN",),
            "token of the account, copied from the portal",
            secret=True,
            required=False,
        ),
        Setting(
            "email",
            ("TESTGRID_EMAIL",),
            "e-mail address of the account; with a password instead of a token, and beside a token where the account "
            "sees other users",
            required=False,
        ),
        Setting("password", ("TESTGRID_PASSWORD",), "password of the account", secret=True, required=False),
        Setting(
            "hub",
            ("TESTGRID_HUB",),
            "where sessions are opened: device (each device's own Appium server) or quantum (the common hub)",
            required=False,
            default="device",
        ),
        Setting(
            "hub_url",
            ("TESTGRID_HUB_URL",),
            "address of the common hub; URL/quantumgrid/wd/hub when unset",
            required=False,
        ),
        Setting(
            "project",
            ("TESTGRID_PROJECT",),
            "project the sessions are filed under",
            required=False,
            default="pytest-devicefarm",
        ),
        Setting(
            "application_token",
            ("TESTGRID_APPLICATION_TOKEN",),
            "token of the application whose network logs are asked for",
            secret=True,
            required=False,
        ),
    ),
    simulator="pytest_devicefarm.farms.testgrid.simulator",
    reserve=True,
    renew=True,
    resets=("none", "app"),
    artifacts={
        ArtifactKind.DEVICE_LOG: "late",
        ArtifactKind.APPIUM_LOG: "late",
        ArtifactKind.VIDEO: "late",
        ArtifactKind.NETWORK_LOG: "late",
        ArtifactKind.SESSION: "late",
    },
    cannot={
        "link": "TestGrid gives a session its number, and with it a page, when it is over",
        "token": "TestGrid shows nothing of a session before it is over; one whose id was lost is ended by its device",
        "device": "TestGrid's clean-up removes everybody's apps from a device, which no run may do by itself",
    },
    worst_case=(
        "a slot ends with its --farm-reserve minutes (twice that after a renewal); a session "
        f"{NEW_COMMAND_TIMEOUT // 60} minutes after its last command"
    ),
)
