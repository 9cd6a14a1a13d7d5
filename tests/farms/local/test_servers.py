"""Servers that the run starts: once for all, and not a moment longer than somebody needs them."""

from __future__ import annotations

import shlex
import socket
import sys
import time
from pathlib import Path

import pytest
from support.processes import Child, eventually

from pytest_devicefarm.core.errors import ConfigurationError, FarmUnreachable
from pytest_devicefarm.farms.local.pool import ServerEntry
from pytest_devicefarm.farms.local.servers import Servers

SERVER = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answer = json.dumps({"value": {"ready": True, "build": {"version": "3.0"}}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

print("started", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

USER = """
import sys
from pathlib import Path
from pytest_devicefarm.farms.local.pool import ServerEntry
from pytest_devicefarm.farms.local.servers import Servers

servers = Servers([ServerEntry("a", "http://127.0.0.1:{port}", (sys.executable, sys.argv[1], "{port}"))], "pool")
print(servers.address("a"), flush=True)
sys.stdin.readline()
servers.close()
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    return path


def an_entry(script: Path | str, *, url: str = "http://127.0.0.1:{port}", ready: float = 20.0) -> ServerEntry:
    port = "{port}" if "{port}" in url else url.rpartition(":")[2]
    command = (sys.executable, str(script), port) if isinstance(script, Path) else tuple(shlex.split(script))
    return ServerEntry("a", url, command, ready_seconds=ready)


def listens(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=1).close()
    except OSError:
        return False
    return True


def test_all_processes_share_a_server_that_ends_with_the_last_of_them(script: Path) -> None:
    servers = Servers([an_entry(script)], "pool")
    with Child(USER, script) as other:
        url = other.read()
        assert servers.address("a") == url
        other.tell("done")
        other.wait()
        assert listens(url)
        servers.close()
        assert not listens(url)
        assert servers.running_address("a") == ""


def test_a_killed_user_leaves_no_server(script: Path) -> None:
    with Child(USER, script) as only:
        url = only.read()
        only.kill()
    assert listens(url)  # for a moment, so that sessions can be ended
    assert eventually(lambda: not listens(url), 20)


def test_a_look_starts_nothing_and_keeps_nothing_alive(script: Path) -> None:
    servers, looker = (Servers([an_entry(script)], "pool") for _ in range(2))
    assert looker.running_address("a") == ""
    assert looker.log("a") is None
    url = servers.address("a")
    assert looker.running_address("a") == url
    log = looker.log("a")
    assert log is not None
    assert log.read_text().startswith("started")
    servers.close()
    assert not listens(url)


def test_a_server_that_ended_is_started_again(script: Path, tmp_path: Path) -> None:
    once = tmp_path / "once.py"
    once.write_text(
        "import os, pathlib, sys, threading\n"
        "ended = pathlib.Path(sys.argv[0] + '.ended')\n"
        "if not ended.exists():\n"
        "    ended.touch()\n"
        "    threading.Timer(1.5, os._exit, (3,)).start()\n" + SERVER
    )
    servers = Servers([an_entry(once)], "pool")
    first = servers.address("a")
    assert eventually(lambda: not listens(first), 20)
    assert eventually(lambda: servers.address("a") != first, 10)
    assert listens(servers.address("a"))
    servers.close()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "print('cannot find module'); raise SystemExit(2)",
            r"status 2 before it answered; last lines(.|\n)*cannot find",
        ),
        ("import time; print('thinking', flush=True); time.sleep(60)", r"did not answer .* within 1 s(.|\n)*thinking"),
    ],
    ids=["ends", "silent"],
)
def test_a_server_that_does_not_start_shows_its_last_lines(script: str, words: str) -> None:
    command = (sys.executable, "-c", script, "{port}")
    servers = Servers([ServerEntry("a", "http://127.0.0.1:{port}", command, ready_seconds=1.0)], "pool")
    with pytest.raises(FarmUnreachable, match=words):
        servers.address("a")
    began = time.monotonic()
    with pytest.raises(FarmUnreachable, match=words):
        servers.address("a")
    assert time.monotonic() - began < 0.5
    assert servers.problem("a").startswith("server 'a' does not start")
    servers.close()


def test_a_program_that_is_not_there_is_the_users_to_mend() -> None:
    servers = Servers([an_entry("no-such-appium --port {port}")], "pool")
    with pytest.raises(ConfigurationError, match="cannot run no-such-appium: No such file"):
        servers.address("a")
    servers.close()


def test_a_port_that_something_else_has_is_named(script: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        servers = Servers([an_entry(script, url=f"http://127.0.0.1:{port}")], "pool")
        with pytest.raises(FarmUnreachable, match=f"port {port} is in use"):
            servers.address("a")


def test_a_free_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    unlucky = tmp_path / "unlucky.py"
    unlucky.write_text(
        "import pathlib, sys\n"
        "tried = pathlib.Path(sys.argv[0] + '.tried')\n"
        "if not tried.exists():\n"
        "    tried.touch()\n"
        "    sys.exit('listen EADDRINUSE: address already in use')\n" + SERVER
    )
    servers = Servers([an_entry(unlucky)], "pool")
    assert listens(servers.address("a"))
    servers.close()


def test_a_running_server_at_the_address_of_a_command_is_used_as_it_is(script: Path) -> None:
    first = Servers([an_entry(script)], "one pool")
    url = first.address("a")
    second = Servers([an_entry(script, url=url)], "another pool")
    assert second.address("a") == url
    second.close()
    assert listens(url)
    first.close()
