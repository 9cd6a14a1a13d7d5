"""What happened on the simulated farm, as facts that a test can assert."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_devicefarm.simulator.sessions import Session

LOG_LENGTH = 5000


class Record:
    """Counts of requests and uploads, and the requests that broke the contract; safe to use from any thread."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.uploads: Counter[str] = Counter()
        self.registered: list[dict[str, Any]] = []
        self.violations: list[dict[str, str]] = []
        self.failures: list[dict[str, str]] = []
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._lock = threading.Lock()

    def request(self, operation: str, **facts: Any) -> None:
        """Counts an answered request and adds it to the log."""
        with self._lock:
            self.requests[operation] += 1
            self._log.append({"operation": operation, **facts})

    def violation(self, method: str, path: str, reason: str) -> None:
        """Notes a request that the contract does not allow."""
        with self._lock:
            self.violations.append({"method": method, "path": path, "reason": reason})

    def failure(self, method: str, path: str, traceback: str) -> None:
        """Notes a request that the simulator itself failed to answer, which is a fault in it."""
        with self._lock:
            self.failures.append({"method": method, "path": path, "traceback": traceback})

    def upload(self, sha256: str) -> None:
        """Counts a file that storage took."""
        with self._lock:
            self.uploads[sha256] += 1

    def register(self, **facts: Any) -> None:
        """Notes a build that was made from an upload."""
        with self._lock:
            self.registered.append(facts)

    def facts(self) -> dict[str, Any]:
        """All of it but the log."""
        with self._lock:
            return {
                "uploads": dict(self.uploads),
                "registered": list(self.registered),
                "violations": list(self.violations),
                "failures": list(self.failures),
                "requests": dict(self.requests),
            }

    def latest(self) -> list[dict[str, Any]]:
        """The latest requests, oldest first."""
        with self._lock:
            return list(self._log)


def overlaps(sessions: Iterable[Session], now: float) -> list[dict[str, Any]]:
    """Pairs of sessions that occupied one device at the same time, with the seconds they share."""
    found = []
    for one, two in combinations(sessions, 2):
        if one.device.udid != two.device.udid:
            continue
        start = max(one.started, two.started)
        end = min(now if one.ended is None else one.ended, now if two.ended is None else two.ended)
        if start < end:
            found.append({"udid": one.device.udid, "sessions": [one.id, two.id], "seconds": round(end - start, 3)})
    return found
