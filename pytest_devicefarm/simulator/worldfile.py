"""Worlds from TOML files, and the one that is used without a file.

[clock]
speed = 20                  # simulated seconds per real second

[delays]                    # simulated seconds; artifacts count from the end of the session
session_create = 2

[[device]]
name = "Galaxy S22"
platform = "android"
version = "13"
busy_until = 30             # another user works on it for the first 30 simulated seconds

[[account]]
name = "other"

[[fault]]
operation = "getDevices"
effect = "status"
status = 503

[appium]                    # used when sessions are passed on to a real Appium server
capabilities = { platformName = "Fake", "appium:app" = "{app_xml}" }
"""

from __future__ import annotations

import hashlib
import secrets
import time
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.faults import Fault, FaultError, nearest
from pytest_devicefarm.simulator.world import Delays, World

SECTIONS = ("clock", "delays", "device", "account", "fault", "appium")
PLATFORMS = ("android", "ios")
_FROM_START = tuple(f.name for f in fields(Device) if f.name.endswith("_until"))
_FIRST_DEVICE_ID = 1001


class WorldFileError(ValueError):
    """A world file that cannot be understood; the text names the place and the key."""


def default_world(*, speed: float | None = None) -> World:
    """The world without a file: see `data/world.toml` in this package.

    Args:
        speed: Another speed of the clock; 0 for one that is turned by hand.
    """
    text = resources.files("pytest_devicefarm.simulator").joinpath("data/world.toml").read_text(encoding="utf-8")
    return parse_world(text, "the default world", speed=speed)


def read_world(path: str | Path) -> World:
    """The world of a file.

    Raises:
        WorldFileError: The file cannot be read or understood.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldFileError(f"cannot read the world file {path}: {error}") from error
    return parse_world(text, str(path))


def parse_world(text: str, source: str = "the world", *, speed: float | None = None) -> World:
    """The world that a TOML text describes; `source` is what messages call it.

    Raises:
        WorldFileError: The text cannot be understood.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorldFileError(f"{source}: {error}") from error
    _known(source, "the top level", given, SECTIONS)
    clock = _table(source, "[clock]", given.get("clock", {}), {"speed": float})
    delays = _table(source, "[delays]", given.get("delays", {}), {f.name: float for f in fields(Delays)})
    appium = _table(source, "[appium]", given.get("appium", {}), {"capabilities": dict})
    rate = speed if speed is not None else clock.get("speed", 20.0)
    start = time.time()
    return World(
        _devices(source, given, start),
        clock=Clock(speed=rate, start=start),
        delays=Delays(**delays),
        faults=_faults(source, given),
        accounts=_accounts(source, given),
        appium_capabilities=appium.get("capabilities"),
    )


def _devices(source: str, given: Mapping[str, Any], start: float) -> list[Device]:
    kinds = {f.name: f.type for f in fields(Device)}
    types: dict[str, type] = {
        name: {"str": str, "bool": bool, "int": int, "float": float}.get(str(kind), list)
        for name, kind in kinds.items()
    }
    devices: list[Device] = []
    for number, raw in enumerate(_tables(source, "device", given), 1):
        place = f"[[device]] number {number}" + (f" ({raw['name']!r})" if "name" in raw else "")
        table = _table(source, place, raw, types)
        for key in ("name", "platform", "version"):
            if key not in table:
                raise WorldFileError(f"{source}, {place}: {key!r} is missing")
        table["platform"] = table["platform"].lower()
        if table["platform"] not in PLATFORMS:
            hint = nearest(table["platform"], PLATFORMS)
            raise WorldFileError(f"{source}, {place}: 'platform' is {raw['platform']!r}, not android or ios{hint}")
        table.setdefault("id", _FIRST_DEVICE_ID + number - 1)
        table.setdefault("udid", hashlib.sha256(f"{number} {table['name']}".encode()).hexdigest()[:16])
        table["tags"] = tuple(str(tag) for tag in table.get("tags", ()))
        for key in _FROM_START:
            if key in table:
                table[key] += start
        for key in ("id", "udid"):
            if any(getattr(d, key) == table[key] for d in devices):
                raise WorldFileError(f"{source}, {place}: {key!r} {table[key]!r} is there twice")
        devices.append(Device(**table))
    if not devices:
        raise WorldFileError(f"{source}: a world needs at least one [[device]]")
    return devices


def _faults(source: str, given: Mapping[str, Any]) -> list[Fault]:
    faults = []
    for number, raw in enumerate(_tables(source, "fault", given), 1):
        try:
            faults.append(Fault.from_mapping(raw))
        except FaultError as error:
            raise WorldFileError(f"{source}, [[fault]] number {number}: {error}") from error
    return faults


def _accounts(source: str, given: Mapping[str, Any]) -> dict[str, str] | None:
    keys: dict[str, str] = {}
    for number, raw in enumerate(_tables(source, "account", given), 1):
        place = f"[[account]] number {number}"
        table = _table(source, place, raw, {"name": str, "key": str})
        if "name" not in table:
            raise WorldFileError(f"{source}, {place}: 'name' is missing")
        keys[table["name"]] = table.get("key", secrets.token_hex(16))
    return keys or None


def _tables(source: str, section: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    tables = given.get(section, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise WorldFileError(f"{source}: {section!r} has to be written as [[{section}]]")
    return tables


def _table(source: str, place: str, given: Any, types: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise WorldFileError(f"{source}: {place} has to be a table")
    _known(source, place, given, types)
    values = {}
    for key, value in given.items():
        wanted = types[key]
        fits = isinstance(value, int | float) if wanted is float else isinstance(value, wanted)
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise WorldFileError(f"{source}, {place}: {key!r} cannot be {value!r}")
        if wanted in (int, float) and value < 0:
            raise WorldFileError(f"{source}, {place}: {key!r} cannot be below 0")
        values[key] = value
    return values


def _known(source: str, place: str, given: Mapping[str, Any], known: Any) -> None:
    for key in given:
        if key not in known:
            raise WorldFileError(f"{source}, {place}: unknown key {key!r}{nearest(key, known)}")
