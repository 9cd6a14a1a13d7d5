"""Appium sessions as the farm keeps them, from the first wish to long after the end."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_devicefarm.simulator.apps import Version
    from pytest_devicefarm.simulator.devices import Device
    from pytest_devicefarm.simulator.engine import Engine

START, COMPLETE, TIMEOUT, ERROR, TERMINATED = "START", "COMPLETE", "TIMEOUT", "ERROR", "TERMINATED"


@dataclass(frozen=True)
class Command:
    """One WebDriver command; times are seconds since the epoch, `screenshot` is a storage key."""

    id: int
    method: str
    path: str
    body: str
    status: int
    started: float
    ended: float
    screenshot: str | None = None


@dataclass
class Case:
    """One test case within a session, as far as the farm was told of it.

    Attributes:
        verdict: The word the client gave; empty while it has given none.
    """

    name: str
    started: float
    steps: list[str] = field(default_factory=list)
    verdict: str = ""


@dataclass
class Session:
    """One Appium session on one device; times are seconds since the epoch.

    Attributes:
        webdriver_id: What WebDriver addresses it by; None while it is being created.
        capabilities: What the client asked for, without credentials.
        state: The farm's word: START while it runs, then how it ended, or the verdict set afterwards.
        verdicts: Every state that a client has set, in order.
        cases: The test cases that a client has named, in order.
        idle_limit: Longest pause between two commands, in simulated seconds.
        running: Commands being executed at this moment; a session is not idle meanwhile.
        device_lines: What the app wrote to the device's log, once the session has ended.
        never: Kinds of artifacts that this session will never show.
        stored: Storage keys of the artifacts made so far, by kind.
        removed: Whether it was taken out of the farm's history.
    """

    id: int
    account: str
    device: Device
    name: str
    description: str
    capabilities: dict[str, Any]
    build: Version | None
    idle_limit: float
    started: float
    last_command: float
    updated: float
    state: str = START
    webdriver_id: str | None = None
    ended: float | None = None
    engine: Engine | None = None
    running: int = 0
    removed: bool = False
    verdicts: list[str] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    device_lines: list[str] = field(default_factory=list)
    never: set[str] = field(default_factory=set)
    stored: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def open(self) -> bool:
        """Whether it still occupies its device."""
        return self.ended is None

    def idle_end(self) -> float | None:
        """When it dies of inactivity; None while a command runs or when it is not open for commands."""
        if not self.open or self.running or self.webdriver_id is None:
            return None
        return self.last_command + self.idle_limit


class Sessions:
    """All sessions that were ever asked for; ended ones stay."""

    def __init__(self) -> None:
        self._by_id: dict[int, Session] = {}
        self._ids = itertools.count(3001)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_id.values()))

    def get(self, session_id: int) -> Session | None:
        """The session of the farm's own id."""
        return self._by_id.get(session_id)

    def by_webdriver_id(self, webdriver_id: str) -> Session | None:
        """The session that WebDriver addresses by this id."""
        return next((s for s in self if s.webdriver_id == webdriver_id), None)

    def on(self, device: Device) -> Session | None:
        """The open session that occupies a device."""
        return next((s for s in self if s.open and s.device is device), None)

    def add(self, **facts: Any) -> Session:
        """Stores a session that begins; the fields are those of `Session` but for the id."""
        session = Session(id=next(self._ids), **facts)
        self._by_id[session.id] = session
        return session
