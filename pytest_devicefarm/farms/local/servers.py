"""The servers of the pool as one process sees them: where each answers, started where the file says how.

A server that the file says how to start is started by whichever process needs it first and used by all; it ends with
the last of them (see `caretaker`).
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pytest_devicefarm.core.errors import ConfigurationError, FarmUnreachable
from pytest_devicefarm.core.files import exclusively, private_folder, read_value, safe_name
from pytest_devicefarm.core.settings import state_folder
from pytest_devicefarm.core.transport import is_loopback
from pytest_devicefarm.farms.local import caretaker
from pytest_devicefarm.farms.local.pool import PORT, ServerEntry
from pytest_devicefarm.farms.local.ports import is_free

CONNECT_SECONDS = 2.0
STOP_SECONDS = 15.0
"""Longest wait for a server that is about to end."""


class Record(msgspec.Struct, frozen=True):
    """What the caretaker of a server has written down; ``url`` is empty until the server answers."""

    port: int
    url: str
    log: str


class Servers:
    """All servers of the pool; usable from several threads.

    Args:
        origin: What tells this pool from others, usually the path of its file.
    """

    def __init__(self, entries: Iterable[ServerEntry], origin: str) -> None:
        self.entries: Mapping[str, ServerEntry] = {entry.name: entry for entry in entries}
        self._origin = origin
        self._lock = threading.Lock()
        self._used: dict[str, tuple[socket.socket, str]] = {}
        self._failed: dict[str, ConfigurationError | FarmUnreachable] = {}

    def address(self, name: str) -> str:
        """Where a server answers; it is started if it has to be, and stays at least until `close`.

        Raises:
            FarmUnreachable: It does not start, or something else has its port; remembered, since it would fail again.
            ConfigurationError: Its command cannot be run.
        """
        entry = self.entries[name]
        if not entry.command:
            return entry.url
        with self._lock:
            if name in self._failed:
                raise self._failed[name].with_traceback(None)
            if name in self._used:
                connection, url = self._used[name]
                if not _hung_up(connection):
                    return url
                self._used.pop(name)[0].close()  # the server has ended; start another
            try:
                return self._use(entry)
            except (ConfigurationError, FarmUnreachable) as error:
                self._failed[name] = error
                raise

    def running_address(self, name: str) -> str:
        """Where a server answers without starting it; ``""`` where it does not run."""
        entry = self.entries[name]
        if not entry.command:
            return entry.url
        record = self._record(entry)
        if record is not None:
            return record.url
        # One that ran already before any run of ours.
        return entry.url if PORT not in entry.url and caretaker.answers(entry.url) else ""

    def problem(self, name: str) -> str:
        """Why a server did not start in this process, ``""`` for no reason."""
        return str(self._failed[name]).partition("\n")[0] if name in self._failed else ""

    def log(self, name: str) -> Path | None:
        """The file with a server's output, ``None`` where no run of ours has started it."""
        record = self._record(self.entries[name])
        return Path(record.log) if record is not None else None

    def on_this_machine(self, name: str) -> bool:
        """Whether a server, its drivers and their ports are on this machine."""
        return is_loopback(self.entries[name].url.replace(PORT, "1"))

    def close(self) -> None:
        """Use no server any more; those that nobody else uses have ended when this returns."""
        with self._lock:
            connections = [connection for connection, _ in self._used.values()]
            self._used.clear()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.sendall(b"bye\n")
        for connection in connections:
            with connection, contextlib.suppress(OSError):
                connection.settimeout(STOP_SECONDS)
                while connection.recv(4096):
                    pass

    def _use(self, entry: ServerEntry) -> str:
        with exclusively(self._folder(entry) / "start.lock", seconds=entry.ready_seconds + STOP_SECONDS):
            connection = self._join(entry)
            if connection is None:
                if PORT not in entry.url:
                    if caretaker.answers(entry.url):
                        return entry.url
                    _refuse_used_port(entry)
                connection = self._start(entry)
        try:
            url = _answer(connection, entry)
        except BaseException:
            connection.close()
            raise
        self._used[entry.name] = (connection, url)
        return url

    def _join(self, entry: ServerEntry) -> socket.socket | None:
        """A connection to the caretaker that runs the server already, ``None`` where there is none."""
        record = self._record(entry)
        return _connected(record.port, self._key(entry)) if record is not None else None

    def _start(self, entry: ServerEntry) -> socket.socket:
        log = entry.log or self._folder(entry) / "server.log"
        order = {
            "key": self._key(entry),
            "record": str(self._record_path(entry)),
            "command": entry.command,
            "url": entry.url,
            "log": str(log),
            "folder": str(entry.folder),
            "ready_seconds": entry.ready_seconds,
        }
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.touch()
        except OSError as error:
            raise ConfigurationError(
                f"server {entry.name!r}: its log {log} cannot be written: {error.strerror or error}"
            ) from None
        with subprocess.Popen(
            [sys.executable, "-S", "-E", "-P", caretaker.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes were asked for
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(order).encode() + b"\n")
                process.stdin.flush()
            port = process.stdout.readline().strip()
        connection = _connected(int(port), self._key(entry)) if port.isdigit() else None
        if connection is None:
            raise FarmUnreachable(f"server {entry.name!r} cannot be started: the process that was to run it has ended")
        return connection

    def _key(self, entry: ServerEntry) -> str:
        return safe_name(json.dumps([self._origin, entry.name, entry.url, entry.command]))

    def _folder(self, entry: ServerEntry) -> Path:
        return private_folder(state_folder(None), "servers", self._key(entry))

    def _record_path(self, entry: ServerEntry) -> Path:
        return state_folder(None) / "servers" / self._key(entry) / "server.json"

    def _record(self, entry: ServerEntry) -> Record | None:
        """What the caretaker of a server wrote, ``None`` where there is none that lives."""
        try:
            record = read_value(self._record_path(entry), Record)
        except ValueError:
            return None
        if record is None:
            return None
        try:
            socket.create_connection(("127.0.0.1", record.port), timeout=CONNECT_SECONDS).close()
        except OSError:
            return None
        return record


def _connected(port: int, key: str) -> socket.socket | None:
    """A connection as a user of the server whose caretaker listens on a port; ``None`` where it is somebody else.

    One that is ending its server says nothing until that is done, and then hangs up.
    """
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=CONNECT_SECONDS)
    except OSError:
        return None
    try:
        connection.settimeout(STOP_SECONDS)
        if _line(connection).get("caretaker") == key:
            connection.sendall(b"use\n")
            return connection
    except OSError:
        pass
    connection.close()
    return None


def _answer(connection: socket.socket, entry: ServerEntry) -> str:
    """The address that the caretaker tells when the server answers there."""
    connection.settimeout(entry.ready_seconds * caretaker.STARTS + STOP_SECONDS)
    try:
        answer = _line(connection)
    except OSError as error:
        answer = {"problem": f"the process that was to run it does not answer ({error})"}
    if url := answer.get("url", ""):
        return url
    problem = answer.get("problem") or "the process that ran it has ended"
    if problem.startswith(caretaker.CANNOT_RUN):
        raise ConfigurationError(f"server {entry.name!r} does not start: {problem}; correct its command in the file")
    raise FarmUnreachable(f"server {entry.name!r} does not start: {problem}")


def _line(connection: socket.socket) -> dict[str, str]:
    """The next line, byte by byte so that nothing behind it is lost; empty where the other side hung up."""
    line = b""
    while not line.endswith(b"\n"):
        piece = connection.recv(1)
        if not piece:
            return {}
        line += piece
    try:
        return msgspec.json.decode(line, type=dict[str, str])
    except msgspec.DecodeError:
        return {}


def _hung_up(connection: socket.socket) -> bool:
    connection.settimeout(0.0)
    try:
        return not connection.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _refuse_used_port(entry: ServerEntry) -> None:
    """Refuse to start a server on a port that something else has.

    Raises:
        FarmUnreachable: Says which port, and what to do.
    """
    parts = urlsplit(entry.url)
    port = parts.port or 80
    if is_loopback(entry.url) and not is_free(port):
        raise FarmUnreachable(
            f"server {entry.name!r} cannot be started: port {port} is in use, by something that does not answer as an "
            f"Appium server. End that, or put {PORT} into command and url in place of the port"
        )
