"""A WebDriver session on an app described in XML: what answers when no real Appium stands behind a farm."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_devicefarm.simulator.automation import Automation
from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.commands import alert, device, element, recording, screen, session
from pytest_devicefarm.simulator.commands.route import Request, Route
from pytest_devicefarm.simulator.mailbox import Mailbox
from pytest_devicefarm.simulator.protocol import WebDriverError
from pytest_devicefarm.simulator.source import AppSource, BrokenApp

__all__ = ["ROUTES", "AppSession", "AppSource", "BrokenApp", "CommandRecord", "Mailbox", "WebDriverError"]

ROUTES: tuple[Route, ...] = tuple(
    route for kind in (session, element, screen, alert, device, recording) for route in kind.ROUTES
)
"""Every command there is; paths are those behind `/session/{id}`."""


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """One command that was asked for.

    Attributes:
        name: What it was, as `find_element`; empty when there is no such command.
        method: HTTP method.
        path: Path behind `/session/{id}`.
        at: Begin, in seconds since the epoch on the session's clock.
        duration: Seconds it took on that clock.
        error: The WebDriver error code, or empty.
    """

    name: str
    method: str
    path: str
    at: float
    duration: float
    error: str


class AppSession:
    """One session; commands that arrive together run one after the other, `close` waits for none of them.

    Args:
        app: The app under test, freshly started.
        capabilities: What the session was agreed on; `platformName`, `appium:autoGrantPermissions` are looked at.
        clock: Time of the simulated world.
        mailbox: Where the app's letters go; a mailbox of its own when left out.
    """

    def __init__(
        self, *, app: AppSource, capabilities: Mapping[str, Any], clock: Clock, mailbox: Mailbox | None = None
    ) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._records: list[CommandRecord] = []
        self._automation = Automation(
            app=app, capabilities=capabilities, clock=clock, mailbox=mailbox if mailbox is not None else Mailbox()
        )

    @property
    def commands(self) -> tuple[CommandRecord, ...]:
        """All commands so far, in the order in which they ended."""
        return tuple(self._records)

    @property
    def device_log(self) -> tuple[str, ...]:
        """Every line of the device log so far, whether a command has read it or not."""
        return tuple(line.message for line in self._automation.log_lines)

    def execute(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Run one command and return the `value` of its answer.

        Args:
            method: HTTP method.
            path: Path behind `/session/{id}`, beginning with a slash or empty.
            body: The JSON object that came with it.

        Raises:
            WebDriverError: The command failed, or there is none at that path.
        """
        at = self._clock.now()
        name = error = ""
        try:
            route, parts = _route(method, path)
            name = route.name
            with self._turn:
                self._refuse_when_closed()
                self._automation.app.catch_up()
                value = route.run(self._automation, Request(body or {}, parts))
                self._refuse_when_closed()
                return value
        except WebDriverError as failure:
            error = failure.error
            raise
        finally:
            self._records.append(CommandRecord(name, method, path, at, self._clock.now() - at, error))

    def close(self) -> None:
        """End the session; a command that waits ends at once with `invalid session id`."""
        self._automation.closed.set()
        self._clock.wake()

    def _refuse_when_closed(self) -> None:
        if self._automation.closed.is_set():
            raise WebDriverError("invalid session id", "the session is closed")


def _route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    others = False
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is not None:
            if route.method == method:
                return route, match.groupdict()
            others = True
    if others:
        raise WebDriverError("unknown method", f"{path!r} is no {method} command")
    raise WebDriverError("unknown command", f"there is no command {method} {path!r}")
