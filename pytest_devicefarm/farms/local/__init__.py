"""A pool of one's own: Appium servers and devices listed in ``devicefarm.toml``, Android devices also found by adb."""

from __future__ import annotations

from pytest_devicefarm.core.farm import FarmSpec, Setting
from pytest_devicefarm.core.model import ArtifactKind

__all__ = ["SPEC"]

NEW_COMMAND_TIMEOUT = 120
"""Seconds without a command after which an Appium server ends a session by itself."""

SPEC = FarmSpec(
    name="local",
    title="Local pool",
    factory="pytest_devicefarm.farms.local.farm:LocalFarm",
    settings=(
        Setting(
            "url",
            ("DEVICEFARM_LOCAL_URL",),
            "one running Appium server, instead of those that the file lists",
            required=False,
        ),
        Setting(
            "file", (), "the devicefarm.toml with [[farms.local.servers]] and [[farms.local.devices]]", required=False
        ),
        Setting(
            "adb",
            ("DEVICEFARM_LOCAL_ADB",),
            "true to demand the Android devices of adb, false to leave adb alone; looked at where possible when unset",
            required=False,
        ),
    ),
    resets=("none", "app", "device"),
    artifacts={
        ArtifactKind.DEVICE_LOG: "live",
        ArtifactKind.APPIUM_LOG: "live",
        ArtifactKind.VIDEO: "live",
    },
    cannot={
        "reserve": "Appium books nothing; leases keep the runs of one host apart, hosts that share devices want a grid",
        "renew": "there is nothing booked to prolong",
        "busy after choice": "an Appium server does not say who uses a device, and drivers differ in whom they let in",
        "upload": "builds stay where they lie: the driver reads them there",
        "parse": "nobody looks at a build before a driver installs it; what the driver says of it is told then",
        "link": "an Appium server has no pages",
        "verdict": "an Appium server keeps no verdicts",
        "late artifacts": "what is not taken while the session is open is gone with it",
        ArtifactKind.NETWORK_LOG.value: "not available here: Appium records no network traffic",
    },
    worst_case=(
        f"a session ends {NEW_COMMAND_TIMEOUT} seconds after its last command, a server that the run has started with "
        "the run; one whose creation was under way is found at once only where the server allows session_discovery"
    ),
    poll_seconds=1.0,
)
