"""Pools of one's own: their file, runs on them, and Appium servers that the simulator's engine stands in for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from support.appium import AppiumDouble
from support.runs import Run

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.mailbox import Mailbox
from pytest_devicefarm.simulator.protocol import WebDriverError
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.source import AppSource
from pytest_devicefarm.simulator.webdriver import AppSession


class AppServer(AppiumDouble):
    """An Appium server for simulator apps: it takes the path of a build, as drivers do."""

    def __init__(self, clock: Clock, mailbox: Mailbox) -> None:
        super().__init__()
        self.clock.close()
        self.clock = clock
        self._mailbox = mailbox
        self.opened: list[dict[str, Any]] = []

    def open(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Open a session of the app that is asked for."""
        answer = super().open(wanted)
        path = wanted.get("appium:app", "")
        try:
            app = AppSource.from_zip(path) if path else AppSource.default()
        except OSError:
            self.answer("DELETE", f"/session/{answer['sessionId']}", {})
            message = f"The application at '{path}' does not exist or is not accessible"
            raise WebDriverError("session not created", message) from None
        session = AppSession(app=app, capabilities=wanted, clock=self.clock, mailbox=self._mailbox)
        self.sessions[answer["sessionId"]] = session, answer["capabilities"]
        self.opened.append(answer["capabilities"])
        return answer


@contextmanager
def app_servers(count: int) -> Iterator[list[tuple[AppServer, str]]]:
    """Servers with their addresses; the apps on all of them can write to each other."""
    clock, mailbox = Clock(speed=20), Mailbox()
    with ExitStack() as stack:
        doubles = [AppServer(clock, mailbox) for _ in range(count)]
        yield [(double, stack.enter_context(serve(double))) for double in doubles]
    clock.close()


def pool_toml(servers: Sequence[Mapping[str, Any]], devices: Sequence[Mapping[str, Any]], more: str = "") -> str:
    """The file of a pool; adb is left alone."""
    lines = ["[farms.local]", "adb = false", more]
    for kind, entries in (("servers", servers), ("devices", devices)):
        for entry in entries:
            lines += [f"[[farms.local.{kind}]]", *(f"{key} = {_toml(value)}" for key, value in entry.items())]
    return "\n".join(lines) + "\n"


@contextmanager
def a_pool_run(folder: Path, *arguments: str, **environment: str) -> Iterator[Run]:
    """A run on the pool that the folder's file lists; killed at the end if it still lives."""
    known = {
        "DEVICEFARM_FARM": "local",
        "DEVICEFARM_STATE": str(folder / "state"),
        "XDG_STATE_HOME": str(folder / "user-state"),
    }
    run = Run(folder, {**known, **environment}, *arguments)
    try:
        yield run
    finally:
        run.kill()


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return "{ " + ", ".join(f"{_toml(name)} = {_toml(each)}" for name, each in value.items()) + " }"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
