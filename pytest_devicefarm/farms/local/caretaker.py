"""A small process that runs one Appium server for as long as anybody uses it, and not a moment longer.

Users are connections to it: the kernel closes them however a process ends, so a run that is killed leaves no server
behind. It is run as a script and imports nothing but the standard library.

Whoever connects is told lines of JSON: ``{"caretaker": key}`` at once, then either ``{"url": address}`` when the server
answers, or ``{"problem": text}`` when it does not start. Saying ``use`` makes it a user. A user says ``bye`` when it is
done; its connection is closed then, which for the last user means that the server has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

FIRST_USER_SECONDS = 10.0
LINGER_SECONDS = 4.0
"""How long the server outlives its last user when that one did not say goodbye: time to end sessions the proper way."""
STOP_SECONDS = 5.0
STARTS = 3
"""How often a free port is tried; somebody else may take it before the server does."""
ANSWER_SECONDS = 2.0
LARGEST_ANSWER = 65536
TAIL_LINES = 15
CANNOT_RUN = "cannot run"
"""How a problem begins that only the file can mend."""
_LOOK_STARTING = 0.1
_LOOK_RUNNING = 0.5
_PORT = "{port}"
_PORT_IN_USE = ("EADDRINUSE", "address already in use", "port is already in use")


class Caretaker:
    """Runs the server that an order describes.

    Args:
        order: ``key``, ``record`` (file), ``command``, ``url``, ``log`` (file), ``folder``, ``ready_seconds``.
    """

    def __init__(self, order: dict[str, Any], listener: socket.socket) -> None:
        self._order = order
        self._listener = listener
        self._connections: list[socket.socket] = []
        self._users: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._server: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._url = ""
        self._answer: dict[str, str] = {}
        self._told = False
        self._deadline = 0.0
        self._nobody_since = time.monotonic() + FIRST_USER_SECONDS - LINGER_SECONDS

    def run(self) -> None:
        """Serve until the server or its last user has gone."""
        try:
            self._start()
            while self._wanted():
                for key, _ in self._selector.select(_LOOK_RUNNING if self._answer else _LOOK_STARTING):
                    if key.fileobj is self._listener:
                        self._welcome()
                    else:
                        self._hear(cast("socket.socket", key.fileobj))
                self._look()
        finally:
            self._stop()
            Path(self._order["record"]).unlink(missing_ok=True)
            self._listener.close()
            for connection in self._connections:
                connection.close()

    def _wanted(self) -> bool:
        if self._answer and self._server_ended() and (self._told or "url" in self._answer):
            return False
        return bool(self._users) or time.monotonic() < self._nobody_since + LINGER_SECONDS

    def _server_ended(self) -> bool:
        return self._server is None or self._server.poll() is not None

    def _start(self) -> None:
        self._starts += 1
        port = _free_port()
        words = [word.replace(_PORT, str(port)) for word in self._order["command"]]
        self._url = self._order["url"].replace(_PORT, str(port))
        self._deadline = time.monotonic() + self._order["ready_seconds"]
        with Path(self._order["log"]).open("wb") as log:
            try:
                self._server = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._order["folder"],
                    start_new_session=True,
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                )
            except OSError as error:
                self._server = None
                self._tell({"problem": f"{CANNOT_RUN} {words[0]}: {error.strerror or error}"})
        self._note()

    def _look(self) -> None:
        """See how the start goes on."""
        if self._answer:
            return
        if self._server_ended():
            status = self._server.returncode if self._server is not None else 0
            picks_port = any(_PORT in word for word in self._order["command"])
            if picks_port and self._starts < STARTS and any(word in self._tail() for word in _PORT_IN_USE):
                self._start()
            else:
                self._tell({"problem": f"it ended with status {status} before it answered"})
        elif answers(self._url):
            self._note(self._url)
            self._tell({"url": self._url})
        elif time.monotonic() > self._deadline:
            self._tell({"problem": f"it did not answer at {self._url} within {self._order['ready_seconds']:g} s"})

    def _tell(self, answer: dict[str, str]) -> None:
        if "problem" in answer and (tail := self._tail()):
            answer["problem"] += f"; last lines of {self._order['log']}:\n{tail}"
        if "problem" in answer:
            self._stop()
        self._answer = answer
        for user in self._users:
            self._answer_to(user)

    def _answer_to(self, user: socket.socket) -> None:
        if self._answer:
            _send(user, self._answer)
            self._told = True

    def _tail(self) -> str:
        try:
            text = Path(self._order["log"]).read_bytes()[-8192:].decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(f"  {line}" for line in text.splitlines()[-TAIL_LINES:])

    def _welcome(self) -> None:
        connection, _ = self._listener.accept()
        self._connections.append(connection)
        self._selector.register(connection, selectors.EVENT_READ)
        _send(connection, {"caretaker": self._order["key"]})

    def _hear(self, connection: socket.socket) -> None:
        try:
            said = connection.recv(64)
        except OSError:
            said = b""
        if b"use" in said:
            self._users.add(connection)
            self._answer_to(connection)
        if said and b"bye" not in said:
            return
        self._selector.unregister(connection)
        if connection in self._users:
            self._users.remove(connection)
            self._nobody_since = time.monotonic() - (LINGER_SECONDS if said else 0.0)
            if not self._users and said:
                return  # it hears from us when all is over
        self._connections.remove(connection)
        connection.close()

    def _stop(self) -> None:
        """End the server with all that it has started."""
        if self._server is None:
            return
        for send in (_terminate, _kill):
            # Its children may live on when it has ended by itself.
            with contextlib.suppress(OSError):
                send(self._server)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(STOP_SECONDS)
                break
        with contextlib.suppress(OSError):
            _kill(self._server)

    def _note(self, url: str = "") -> None:
        """Write down where we are, and where the server answers, for whoever comes next."""
        record = Path(self._order["record"])
        facts = {"port": self._listener.getsockname()[1], "url": url, "log": self._order["log"], "pid": os.getpid()}
        temporary = record.with_suffix(".tmp")
        temporary.write_text(json.dumps(facts), encoding="utf-8")
        temporary.replace(record)


def answers(url: str) -> bool:
    """Whether a WebDriver server answers at an http address of this machine (W3C WebDriver, Status)."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    request = f"GET {parts.path}/status HTTP/1.0\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    answer = b""
    end = time.monotonic() + ANSWER_SECONDS
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(request.encode())
            while (piece := connection.recv(4096)) and len(answer) < LARGEST_ANSWER and time.monotonic() < end:
                answer += piece
    except OSError:
        return False
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/") and b'"value"' in body


def _send(user: socket.socket, answer: dict[str, str]) -> None:
    with contextlib.suppress(OSError):
        user.sendall(json.dumps(answer).encode() + b"\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _terminate(server: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        os.killpg(server.pid, signal.SIGTERM)
    else:
        server.terminate()


def _kill(server: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        os.killpg(server.pid, signal.SIGKILL)
    else:
        server.kill()


def _die_with_parent() -> None:
    """Ask the kernel to end the server should its caretaker be killed."""
    set_death_signal: Callable[[int, int], int] = ctypes.CDLL(None).prctl
    set_death_signal(1, signal.SIGTERM)


def main() -> None:
    """Take the order from standard input, say that all is ready, and go on alone."""
    order = json.loads(sys.stdin.buffer.readline())
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        if hasattr(os, "fork") and os.fork():
            # Whoever started us need not wait for us, nor sees a child that it does not know.
            os._exit(0)
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1):
            os.dup2(quiet, descriptor)
        Caretaker(order, listener).run()


if __name__ == "__main__":
    main()
