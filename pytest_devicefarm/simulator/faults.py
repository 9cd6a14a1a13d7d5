"""What goes wrong on the simulated farm, when, and how often."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

ANYWHERE = {
    "status": "answers with `status` and `body` (JSON), `html` or `text`; nothing happens on the farm",
    "delay": "answers `seconds` of simulated time later",
    "drop": "closes the connection before anything happens",
    "lost_reply": "does what was asked, then closes the connection without an answer",
    "half": "does what was asked, then sends half of the answer and closes the connection",
    "wrong_types": "answers with numbers where text should be, and the other way round",
}
"""What can happen to every operation."""

IN_PLACES = {
    "parse_failure": "registers the build, whose parsing then fails for `reason`",
    "busy_after_choice": "gives the device to another user for `seconds`, just before the session would open",
    "session_not_created": "refuses the session for `reason`",
    "hub_gone": "forgets the session (404), or answers as a gateway without a hub (`status` = 502)",
    "device_unauthorised": "the session's device wants somebody's hands: the session is over, the device out of use",
    "device_offline": "takes the session's device off the network: the session is over, the device not online any more",
    "reservation_pending": "takes the booking, which somebody has yet to approve",
    "install_never": "starts the installation, which never ends",
    "reservation_half": "reserves all but `udids`; without any named, all but the last half",
    "artifact_never": "the session asked about never shows the artifacts named in `kinds`",
}
"""What can happen to some operations; each farm's routes say to which."""

EFFECTS = {**ANYWHERE, **IN_PLACES}


class FaultError(ValueError):
    """A fault that cannot be understood; the text says what is wrong and what was perhaps meant."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        operation: What it happens to: an operation id of the farm, `hub.create`, `storage.put` and so on.
        effect: One of `EFFECTS`.
        count: How often it happens; -1 for ever.
        after: How many requests pass unharmed before.
        retry_after: Seconds in the `Retry-After` header of a `status` fault; 0 for no such header.
    """

    operation: str
    effect: str = "status"
    count: int = 1
    after: int = 0
    status: int = 0
    body: Any = None
    html: str = ""
    text: str = ""
    seconds: float = 60.0
    retry_after: int = 0
    reason: str = ""
    udids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("device_log", "appium_log", "video", "network_log")

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Fault:
        """Reads a fault from a table of a world file or a JSON object.

        Raises:
            FaultError: A key, a value's type, or the effect is not known.
        """
        known = {f.name: f.default for f in fields(cls)}
        for key, value in given.items():
            if key not in known:
                raise FaultError(f"unknown key {key!r}{nearest(key, known)}")
            wanted = {"status": int, "body": object, "seconds": (int, float), "udids": list, "kinds": list}
            kind = wanted.get(key, int if key in ("count", "after", "retry_after") else str)
            if not isinstance(value, kind) or (isinstance(value, bool) and key != "body"):  # type: ignore[arg-type]
                raise FaultError(f"{key!r} cannot be {value!r}")
        if "operation" not in given:
            raise FaultError("'operation' is missing")
        effect = given.get("effect", "status")
        if effect not in EFFECTS:
            raise FaultError(f"unknown effect {effect!r}{nearest(effect, EFFECTS)}")
        values: dict[str, Any] = {k: tuple(v) if k in ("udids", "kinds") else v for k, v in given.items()}
        return cls(**values)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that was perhaps meant, to be put behind a message; may be empty."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


@dataclass
class _Armed:
    fault: Fault
    left: int = field(init=False)
    pause: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.fault.count
        self.pause = self.fault.after

    def strikes(self) -> bool:
        if self.pause > 0:
            self.pause -= 1
            return False
        if self.left == 0:
            return False
        if self.left > 0:
            self.left -= 1
        return True


class Faults:
    """The faults still to come; the first one armed for an operation strikes first."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        for fault in faults:
            self.add(fault)

    def __iter__(self) -> Iterator[Fault]:
        return iter([armed.fault for armed in self._armed])

    def add(self, fault: Fault) -> None:
        """Arms a fault."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Disarms all."""
        with self._lock:
            self._armed.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this request, which thereby is used up once."""
        with self._lock:
            for armed in self._armed:
                if armed.fault.operation == operation and armed.strikes():
                    return armed.fault
        return None
