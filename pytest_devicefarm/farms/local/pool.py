"""The table ``[farms.local]`` of ``devicefarm.toml``: which servers and devices there are, checked when it is read."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.model import Device
from pytest_devicefarm.core.settings import SettingsFile, check_address
from pytest_devicefarm.core.transport import is_loopback
from pytest_devicefarm.farms.local.ports import RANGES

READY_SECONDS = 60.0
PORT = "{port}"
"""What stands for a free port in the command and address of a server."""

_SERVER_KEYS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "url": (str,),
    "command": (str, list),
    "ready_seconds": (int, float),
    "log": (str,),
}
_DEVICE_KEYS: Mapping[str, tuple[type, ...]] = {
    "udid": (str,),
    "name": (str,),
    "platform": (str,),
    "version": (str, int, float),
    "model": (str,),
    "manufacturer": (str,),
    "tags": (list,),
    "group": (str,),
    "real": (bool,),
    "server": (str,),
    "capabilities": (dict,),
}
_WORDS: Mapping[type, str] = {
    str: "text in quotes",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list of texts",
    dict: "a table",
}
_LISTS = ("servers", "devices")


@dataclass(frozen=True, slots=True)
class ServerEntry:
    """One Appium server.

    Attributes:
        url: Where it answers; holds ``{port}`` where the run picks the port.
        command: How the run starts it; empty for a server that runs already.
        ready_seconds: Longest wait until it answers.
        log: Where its output goes, ``None`` for a file of the state folder.
        folder: Where the command runs.
    """

    name: str
    url: str
    command: tuple[str, ...] = ()
    ready_seconds: float = READY_SECONDS
    log: Path | None = None
    folder: Path = field(default_factory=Path)


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One device of the file; ``capabilities`` win over those that the pool makes."""

    device: Device
    server: str
    capabilities: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PoolFile:
    """What the file says, complete and without contradictions."""

    servers: tuple[ServerEntry, ...] = ()
    devices: tuple[DeviceEntry, ...] = ()


def read_pool(path: Path, name: str) -> PoolFile:
    """The servers and devices under ``[farms.NAME]`` of a file.

    Raises:
        ConfigurationError: Names the file, the line, the key, and the nearest key that is known.
    """
    return _Reader(path, name, SettingsFile.read(path).farm(name)).read()


class _Reader:
    def __init__(self, path: Path, name: str, table: Mapping[str, Any]) -> None:
        self._path = path
        self._name = name
        self._table = table
        self._lines = path.read_text(encoding="utf-8").splitlines()

    def read(self) -> PoolFile:
        for key, value in self._table.items():
            if isinstance(value, list | dict) and key not in _LISTS:
                raise self._error(
                    f"unknown table {key!r} in [farms.{self._name}]{_nearest(key, _LISTS)}", self._line_of_table(key)
                )
        servers = tuple(self._server(number, entry) for number, entry in self._entries("servers", _SERVER_KEYS))
        for number, server in enumerate(servers):
            if any(other.name == server.name for other in servers[:number]):
                raise self._wrong("servers", number, "name", f"two servers are called {server.name!r}")
        devices: list[DeviceEntry] = []
        for number, entry in self._entries("devices", _DEVICE_KEYS):
            devices.append(self._device(number, entry, servers, devices))
        self._check_ports(devices)
        return PoolFile(servers, tuple(devices))

    def _entries(self, kind: str, keys: Mapping[str, tuple[type, ...]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        entries = self._table.get(kind, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._error(
                f"{kind} has to be a list of tables, each under [[farms.{self._name}.{kind}]]",
                self._line_of_table(kind),
            )
        for number, entry in enumerate(entries):
            for key, value in entry.items():
                if key not in keys:
                    raise self._wrong(kind, number, key, f"unknown key {key!r}{_nearest(key, keys)}")
                known = keys[key]
                # A bool is an int in Python, and a mistake where a number is asked for.
                fits = isinstance(value, known) and (not isinstance(value, bool) or bool in known)
                if fits and isinstance(value, list):
                    fits = all(isinstance(one, str) for one in value)
                if not fits:
                    words = " or ".join(dict.fromkeys(_WORDS[one] for one in known))
                    raise self._wrong(kind, number, key, f"{key} has to be {words}, not {value!r}")
            yield number, entry

    def _server(self, number: int, entry: Mapping[str, Any]) -> ServerEntry:
        command = self._command(number, entry.get("command", ()))
        picks_port = any(PORT in word for word in command)
        url = entry.get("url", f"http://127.0.0.1:{PORT}" if picks_port else "")
        if not url:
            more = f"command needs {PORT} where its port goes, or a url" if command else "it needs a url or a command"
            raise self._wrong("servers", number, "command", more)
        if (PORT in url) is not picks_port:
            raise self._wrong(
                "servers", number, "url", f"{PORT} has to stand in both url and command, or in neither of them"
            )
        try:
            check_address(url.replace(PORT, "4723"))
        except ConfigurationError as error:
            raise self._wrong("servers", number, "url", str(error)) from None
        if command and not (url.startswith("http://") and is_loopback(url.replace(PORT, "4723"))):
            raise self._wrong(
                "servers", number, "url", "a server that the run starts has an http address of this machine"
            )
        log = entry.get("log")
        return ServerEntry(
            name=entry.get("name") or f"server-{number + 1}",
            url=url.rstrip("/"),
            command=command,
            ready_seconds=float(entry.get("ready_seconds", READY_SECONDS)),
            log=(self._path.parent / log) if log else None,
            folder=self._path.parent,
        )

    def _command(self, number: int, value: str | Sequence[str]) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(value) if isinstance(value, str) else value)
        except ValueError as error:
            raise self._wrong("servers", number, "command", f"command cannot be read: {error}") from None

    def _device(
        self, number: int, entry: Mapping[str, Any], servers: Sequence[ServerEntry], earlier: Sequence[DeviceEntry]
    ) -> DeviceEntry:
        for key in ("udid", "platform"):
            if not entry.get(key, "").strip():
                raise self._wrong("devices", number, key, f"the device has no {key}")
        udid = entry["udid"].strip()
        if any(other.device.udid == udid for other in earlier):
            raise self._wrong("devices", number, "udid", f"two devices have the udid {udid!r}")
        names = [server.name for server in servers]
        server = entry.get("server") or (names[0] if len(names) == 1 else "")
        if server not in names:
            said = f"there is no server {server!r}{_nearest(server, names)}" if server else "the device has no server"
            where = f"; known are {', '.join(names)}" if names and not server else ""
            where = where or ("" if names else f"; list it under [[farms.{self._name}.servers]]")
            raise self._wrong("devices", number, "server", said + where)
        device = Device(
            id=udid,
            udid=udid,
            name=entry.get("name") or udid,
            platform=entry["platform"].strip().lower(),
            version=str(entry.get("version", "")),
            model=entry.get("model", ""),
            manufacturer=entry.get("manufacturer", ""),
            tags=tuple(entry.get("tags", ())),
            group=entry.get("group", ""),
            real=entry.get("real"),
        )
        return DeviceEntry(device, server, dict(entry.get("capabilities", {})))

    def _check_ports(self, devices: Sequence[DeviceEntry]) -> None:
        seen: dict[tuple[str, int], DeviceEntry] = {}
        for number, entry in enumerate(devices):
            for name in RANGES:
                port = entry.capabilities.get(name)
                if port is None:
                    continue
                if not isinstance(port, int) or not 0 < port < 65536:
                    raise self._wrong("devices", number, "capabilities", f"{name} has to be a port, not {port!r}")
                other = seen.setdefault((name, port), entry)
                if other is not entry and other.server == entry.server:
                    raise self._wrong(
                        "devices",
                        number,
                        "capabilities",
                        f"{name} is {port} for {other.device.udid} and for {entry.device.udid}, which share a server; "
                        "leave it out of both, then each device gets a port of its own",
                    )

    def _wrong(self, kind: str, number: int, key: str, text: str) -> ConfigurationError:
        return self._error(f"{kind[:-1]} {number + 1}: {text}", self._line_of_key(kind, number, key))

    def _error(self, text: str, line: int) -> ConfigurationError:
        return ConfigurationError(f"{self._path}{f', line {line}' if line else ''}: {text}")

    def _line_of_key(self, kind: str, number: int, key: str) -> int:
        """Line of a key of the n-th table of a kind, of its header where the key is missing."""
        header = re.compile(rf"\s*\[\[\s*farms\s*\.\s*[\"']?{self._name}[\"']?\s*\.\s*[\"']?{kind}[\"']?\s*\]\]")
        starts = [line for line, text in enumerate(self._lines) if header.match(text)]
        if number >= len(starts):
            return self._line_of_table(kind)
        start = starts[number]
        for line, text in enumerate(self._lines[start + 1 :], start + 2):
            if re.match(r"\s*\[\[", text):
                break
            if re.match(rf"\s*(\[.*\.)?[\"']?{re.escape(key)}[\"']?\s*[=\].]", text):
                return line
        return start + 1

    def _line_of_table(self, key: str) -> int:
        wanted = re.compile(rf"\s*(\[+.*\b)?[\"']?{re.escape(key)}[\"']?\s*[=\]]")
        return next((line for line, text in enumerate(self._lines, 1) if wanted.match(text)), 0)


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
