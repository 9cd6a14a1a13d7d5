"""What an Appium driver itself gives while its session is open: logs and a recording of the screen.

For farms that keep nothing of a session. Drivers differ in what they can, so each kind either comes or says why not.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from selenium.common.exceptions import WebDriverException

from pytest_devicefarm.core.errors import SessionLost
from pytest_devicefarm.core.model import ArtifactKind, RemoteArtifact

DEVICE_LOGS = ("logcat", "syslog", "browser")
"""Appium's names for the log of an Android device, of an iOS device, and of a browser that is driven as one."""
SERVER_LOG = "server"
LONGEST_RECORDING = 1800
"""Seconds; without saying so Android's driver records three minutes, and it refuses more than this."""


def start_live(driver: Any, kinds: Iterable[ArtifactKind]) -> None:
    """Start the recording of the screen where it is wanted; a driver that cannot says so in `take_live`."""
    if ArtifactKind.VIDEO in kinds:
        with contextlib.suppress(WebDriverException):
            driver.start_recording_screen(timeLimit=str(LONGEST_RECORDING), forceRestart=True)


def take_live(driver: Any, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
    """The kinds of ``kinds`` that a driver can give, each with its data or the reason why not.

    Raises:
        SessionLost: The session is gone, so there is nothing more to ask.
    """
    takers: dict[ArtifactKind, tuple[str, Callable[[Any], bytes]]] = {
        ArtifactKind.DEVICE_LOG: ("device.log", _device_log),
        ArtifactKind.APPIUM_LOG: ("appium.log", _appium_log),
        ArtifactKind.VIDEO: ("video.mp4", _video),
    }
    return [_taken(kind, *takers[kind], driver) for kind in kinds if kind in takers]


class _NotOffered(Exception):
    """The driver has no such thing."""


def _taken(kind: ArtifactKind, name: str, take: Callable[[Any], bytes], driver: Any) -> RemoteArtifact:
    try:
        return RemoteArtifact(kind, name, data=take(driver))
    except SessionLost:
        raise
    except _NotOffered as reason:
        return RemoteArtifact(kind, name, unavailable=str(reason))
    except WebDriverException as refusal:
        said = (refusal.msg or "").strip().partition("\n")[0] or type(refusal).__name__
        return RemoteArtifact(kind, name, unavailable=f"the driver gives none: {said}")


def _device_log(driver: Any) -> bytes:
    offered = _log_types(driver)
    for name in DEVICE_LOGS:
        if name in offered:
            return _log(driver, name)
    raise _NotOffered(f"the driver offers no log of the device, only: {', '.join(offered) or 'none at all'}")


def _appium_log(driver: Any) -> bytes:
    if SERVER_LOG not in _log_types(driver):
        raise _NotOffered(
            "the driver does not offer Appium's log; those that do need Appium with --allow-insecure=*:get_server_logs"
        )
    return _log(driver, SERVER_LOG)


def _log_types(driver: Any) -> list[str]:
    return [str(name) for name in driver.log_types or ()]


def _log(driver: Any, name: str) -> bytes:
    """One line for each entry: time in UTC, level, message."""
    entries = driver.get_log(name)
    lines = [_line(entry) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _line(entry: dict[str, Any]) -> str:
    stamp = entry.get("timestamp")
    when = ""
    if isinstance(stamp, int | float) and 0 < stamp < 32_503_680_000_000:  # the year 3000, in milliseconds
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(stamp / 1000)) + f".{int(stamp) % 1000:03} "
    level = entry.get("level") or "ALL"
    return f"{when}{'' if level == 'ALL' else f'{level} '}{entry.get('message', '')}"


def _video(driver: Any) -> bytes:
    recorded = driver.stop_recording_screen()
    try:
        data = base64.b64decode(recorded or "", validate=False)
    except (binascii.Error, TypeError, ValueError):
        data = b""
    if not data:
        raise _NotOffered("the driver recorded nothing")
    return data
