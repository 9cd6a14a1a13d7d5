"""Kobiton: what the rest of the package knows of it, and its client for those who want just that.

Nothing heavy is imported here; `KobitonAPI` loads HTTP when it is first used.
"""

from __future__ import annotations

from pytest_devicefarm.core.farm import FarmSpec, Setting
from pytest_devicefarm.core.model import ArtifactKind
from pytest_devicefarm.farms.kobiton.api import DEFAULT_URL, KobitonAPI

__all__ = ["SPEC", "KobitonAPI"]

NEW_COMMAND_TIMEOUT = 300
"""Seconds without a command after which Kobiton ends a session by itself."""

SPEC = FarmSpec(
    name="kobiton",
    title="Kobiton",
    factory="pytest_devicefarm.farms.kobiton.farm:KobitonFarm",
    settings=(
        Setting(
            "url",
            ("KOBITON_URL",),
            "address of the server, with or without /v1",
            default=DEFAULT_URL,
        ),
        Setting(
            "hub_url",
            ("KOBITON_HUB_URL",),
            "address of the Appium hub; URL/wd/hub when unset",
            required=False,
        ),
        Setting("username", ("KOBITON_USERNAME",), "login name or e-mail address"),
        Setting("api_key", ("KOBITON_API_KEY", "KOBITON_ACCESS_KEY"), "API key of the account", secret=True),
    ),
    simulator="pytest_devicefarm.farms.kobiton.simulator",
    reserve=True,
    resets=("none", "app", "device"),
    artifacts={
        ArtifactKind.DEVICE_LOG: "late",
        ArtifactKind.APPIUM_LOG: "late",
        ArtifactKind.VIDEO: "late",
        ArtifactKind.NETWORK_LOG: "late",
        ArtifactKind.SCREENSHOT: "late",
        ArtifactKind.COMMANDS: "late",
        ArtifactKind.SESSION: "late",
    },
    cannot={
        "renew": "Kobiton cannot prolong a reservation; no test starts that the rest of one would not cover",
    },
    worst_case=(
        "a reservation ends with its --farm-reserve minutes; a session "
        f"{NEW_COMMAND_TIMEOUT // 60} minutes after its last command (30 minutes when none was ever sent)"
    ),
)
