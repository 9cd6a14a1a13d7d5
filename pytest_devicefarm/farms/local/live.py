"""What a driver gives while its session is open: the device's log, the server's log, a recording of the screen."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from selenium.common.exceptions import WebDriverException

from pytest_devicefarm.core.model import ArtifactKind, RemoteArtifact
from pytest_devicefarm.core.redaction import visible

LONGEST_RECORDING = 1800
"""Seconds; more than Android records in one go is refused by its driver."""

LARGEST_LOG = 16 * 1024 * 1024
"""Bytes of a server's log that are kept of one session, the last ones."""

_LOGS = {"android": ("logcat",), "ios": ("syslog",)}
_OTHER_LOGS = ("browser", "logcat", "syslog")
_NAMES = {
    ArtifactKind.DEVICE_LOG: "device.log",
    ArtifactKind.APPIUM_LOG: "appium.log",
    ArtifactKind.VIDEO: "video.mp4",
}


class LiveArtifacts:
    """Artifacts of the sessions of one process; what a driver has not is said, and never an error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recordings: dict[str, str] = {}
        self._begins: dict[str, int] = {}

    def start(self, driver: Any, kinds: Iterable[ArtifactKind], log: Path | None) -> None:
        """Begin what has to run along with a session.

        Args:
            log: File with the output of the session's server, where there is one.
        """
        problem = ""
        if ArtifactKind.VIDEO in kinds:
            try:
                driver.start_recording_screen(timeLimit=str(LONGEST_RECORDING), forceRestart=True)
            except WebDriverException as refusal:
                problem = _missing(driver, "screen recording", refusal)
        with self._lock:
            self._recordings[driver.session_id] = problem
            self._begins[driver.session_id] = _size(log)

    def take(self, driver: Any, kinds: Iterable[ArtifactKind], log: Path | None) -> list[RemoteArtifact]:
        """Those of the kinds that there are, each with its bytes or the reason why not."""
        taken = []
        for kind in kinds:
            match kind:
                case ArtifactKind.VIDEO:
                    taken.append(self._video(driver))
                case ArtifactKind.DEVICE_LOG:
                    taken.append(_device_log(driver))
                case ArtifactKind.APPIUM_LOG:
                    taken.append(self._server_log(driver, log))
        return taken

    def _video(self, driver: Any) -> RemoteArtifact:
        with self._lock:
            problem = self._recordings.pop(driver.session_id, "no recording was begun")
        if problem:
            return _note(ArtifactKind.VIDEO, problem)
        try:
            data = base64.b64decode(driver.stop_recording_screen() or "", validate=True)
        except WebDriverException as refusal:
            return _note(ArtifactKind.VIDEO, _missing(driver, "screen recording", refusal))
        except (binascii.Error, ValueError, TypeError):
            return _note(ArtifactKind.VIDEO, f"{_driver(driver)} gave a recording that cannot be read")
        if not data:
            return _note(ArtifactKind.VIDEO, f"{_driver(driver)} gave an empty recording")
        return RemoteArtifact(ArtifactKind.VIDEO, _NAMES[ArtifactKind.VIDEO], data=data)

    def _server_log(self, driver: Any, log: Path | None) -> RemoteArtifact:
        kind = ArtifactKind.APPIUM_LOG
        if log is None:
            return _note(
                kind, "not available here: the server was not started by the run, so its output goes elsewhere"
            )
        with self._lock:
            begin = self._begins.pop(driver.session_id, 0)
        try:
            with log.open("rb") as file:
                # A server that was started again has begun its file anew.
                begin = max(begin if begin <= _size(log) else 0, _size(log) - LARGEST_LOG)
                file.seek(begin)
                data = file.read(LARGEST_LOG)
        except OSError as error:
            return _note(kind, f"the server's log {log} cannot be read: {error.strerror or error}")
        return RemoteArtifact(kind, _NAMES[kind], data=data)


def _device_log(driver: Any) -> RemoteArtifact:
    kind = ArtifactKind.DEVICE_LOG
    capabilities: Mapping[str, Any] = driver.capabilities
    names = _LOGS.get(str(capabilities.get("platformName", "")).lower(), _OTHER_LOGS)
    refusals = []
    for name in names:
        try:
            entries = driver.get_log(name)
        except WebDriverException as refusal:
            refusals.append(refusal)
        else:
            return RemoteArtifact(kind, _NAMES[kind], data="".join(map(_line, entries or ())).encode())
    return _note(kind, _missing(driver, f"log {' or '.join(names)}", refusals[0]))


def _line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return f"{entry}\n"
    try:
        time = datetime.fromtimestamp(float(entry["timestamp"]) / 1000, UTC).isoformat(timespec="milliseconds")
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        time = "-"
    return f"{time} {entry.get('level', '')} {entry.get('message', '')}\n"


def _missing(driver: Any, what: str, refusal: WebDriverException) -> str:
    words = visible((refusal.msg or type(refusal).__name__).strip().splitlines()[0])[:200]
    return f"not available here: {_driver(driver)} has no {what} ({words})"


def _driver(driver: Any) -> str:
    return f"driver {driver.capabilities.get('automationName') or 'of this device'}"


def _note(kind: ArtifactKind, why: str) -> RemoteArtifact:
    return RemoteArtifact(kind, _NAMES[kind], unavailable=why)


def _size(log: Path | None) -> int:
    try:
        return log.stat().st_size if log is not None else 0
    except OSError:
        return 0
