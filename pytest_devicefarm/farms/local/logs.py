"""What the server of a session wrote while the session was open, where the run has started that server."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pytest_devicefarm.core.model import ArtifactKind, RemoteArtifact

LARGEST_LOG = 16 * 1024 * 1024
"""Bytes of a server's log that are kept of one session, the last ones."""


class ServerLogs:
    """Where the logs of servers stood when the sessions of this process began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begins: dict[str, int] = {}

    def start(self, driver: Any, log: Path) -> None:
        """Mark where the log of a session begins."""
        with self._lock:
            self._begins[driver.session_id] = _size(log)

    def take(self, driver: Any, log: Path) -> RemoteArtifact:
        """What was written since `start`, or the reason why there is nothing."""
        kind, name = ArtifactKind.APPIUM_LOG, "appium.log"
        with self._lock:
            begin = self._begins.pop(driver.session_id, 0)
        try:
            with log.open("rb") as file:
                # A server that was started again has begun its file anew.
                begin = max(begin if begin <= _size(log) else 0, _size(log) - LARGEST_LOG)
                file.seek(begin)
                return RemoteArtifact(kind, name, data=file.read(LARGEST_LOG))
        except OSError as error:
            why = f"the server's log {log} cannot be read: {error.strerror or error}"
            return RemoteArtifact(kind, name, unavailable=why)


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
