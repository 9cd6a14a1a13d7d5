"""A real Appium server with its fake drivers, fetched once and started on a port of the loopback interface."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from real.node import Node
from real.npm import installed

SOURCE = Path(__file__).parents[1] / "appium"
STARTS = 3
START_SECONDS = 60.0


@dataclass(frozen=True)
class Appium:
    """An installed Appium; `home` is also its APPIUM_HOME, so drivers are found from package.json."""

    home: Path
    node: Node


@dataclass(frozen=True)
class AppiumServer:
    """A running Appium server."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def install_appium(source: Path = SOURCE) -> Appium:
    """Gives the Appium that the lock file in `source` names, installed on first need."""
    return Appium(*installed(source))


@contextmanager
def running_appium(appium: Appium, log: Path, port: int | None = None) -> Iterator[AppiumServer]:
    """Starts a server, waits until it answers, and stops it at the end; its output goes to the file `log`.

    Args:
        port: Where it is to listen; left out, on a free port.
    """
    server = _start(appium, log, port)
    try:
        yield server
    finally:
        server.process.terminate()
        try:
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait(10)


def _start(appium: Appium, log: Path, wanted: int | None) -> AppiumServer:
    """Starts a server; another process may take the free port before Appium does, hence several tries."""
    script = appium.home / "node_modules/appium/index.js"
    for _ in range(STARTS):
        port = wanted or _free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [appium.node.node, script, "server", "--address", "127.0.0.1", "--port", str(port), "--log-no-colors"],
                cwd=appium.home,
                env={**appium.node.environment, "APPIUM_HOME": str(appium.home)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        server = AppiumServer(port, log, process)
        if _answers(server):
            return server
    raise RuntimeError(f"Appium ended {STARTS} times before it answered:\n{log.read_text(errors='replace')[-2000:]}")


def _answers(server: AppiumServer) -> bool:
    """Waits until the server answers; false when it ended before."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None:
        try:
            opener.open(f"{server.url}/status", timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                server.process.kill()
                server.process.wait(10)
                raise TimeoutError(f"Appium did not answer within {START_SECONDS:.0f} s, see {server.log}") from None
            time.sleep(0.05)
        else:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
