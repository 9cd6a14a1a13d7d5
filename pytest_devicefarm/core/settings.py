"""Where settings come from, which of them wins, and the type that keeps secrets from being printed.

Secrets have two sources only, the environment and ``credentials.toml`` of the user: a flag would show in process lists,
and ``devicefarm.toml`` is committed with the tests.
"""

from __future__ import annotations

import difflib
import hmac
import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never, Self
from urllib.parse import urlsplit

import platformdirs

from pytest_devicefarm.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import FarmSpec, Setting

APPLICATION = "pytest-devicefarm"
FILE_NAME = "devicefarm.toml"
_SECRET_NAME = re.compile(r"(api|access|private|secret)[_-]?key$|password$|token$|secret$", re.IGNORECASE)


class Secret:
    """A credential that cannot be printed, pickled or formatted by accident; `reveal` gives the text."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The text itself; call this only where it is sent."""
        return self.__value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __iter__(self) -> Iterator[Never]:
        raise TypeError("a secret cannot be iterated")

    def __reduce_ex__(self, _protocol: object) -> Never:
        raise TypeError("a secret cannot be pickled or copied")


@dataclass(frozen=True, slots=True)
class FarmSettings:
    """All that a farm was told.

    Attributes:
        farm: Name of the farm.
        values: Settings that may be shown, by name.
        secrets: Settings that may not.
        simulated: Whether the farm is the built-in simulator.
        variables: For each setting the environment variable that gives it, for messages.
    """

    farm: str
    values: Mapping[str, str]
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    simulated: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """A setting, or ``default`` where it is not set."""
        return self.values.get(name) or default

    def secret(self, name: str) -> Secret:
        """A secret.

        Raises:
            ConfigurationError: It is not set.
        """
        if name in self.secrets:
            return self.secrets[name]
        place = f"set {self.variables[name]} or " if name in self.variables else ""
        raise ConfigurationError(
            f"farm {self.farm!r} has no {name}: {place}put {name} under [{self.farm}] in {credentials_path()}"
        )

    def to_pipe(self) -> dict[str, Any]:
        """Everything with the secrets revealed, for the standard input of a child process and nothing else."""
        return {
            "farm": self.farm,
            "values": dict(self.values),
            "secrets": {name: secret.reveal() for name, secret in self.secrets.items()},
            "simulated": self.simulated,
            "variables": dict(self.variables),
        }

    @classmethod
    def from_pipe(cls, data: Mapping[str, Any]) -> Self:
        """What `to_pipe` of another process wrote."""
        return cls(
            farm=data["farm"],
            values=dict(data["values"]),
            secrets={name: Secret(value) for name, value in data["secrets"].items()},
            simulated=data["simulated"],
            variables=dict(data["variables"]),
        )


class SettingsFile:
    """A parsed ``devicefarm.toml``.

    Top-level keys are options, spelled as in the ini file; ``[farms.NAME]`` holds the settings of a farm and
    ``[capabilities]`` adds capabilities to every session.
    """

    def __init__(self, path: Path, data: Mapping[str, Any]) -> None:
        self.path = path
        self._options = {name: value for name, value in data.items() if not isinstance(value, dict)}
        self._farms = _tables(path, data, "farms")
        self.capabilities = dict(_table(path, data, "capabilities"))
        for name in data:
            if name not in self._options and name not in ("farms", "capabilities"):
                raise ConfigurationError(
                    f"{path}: unknown table [{name}]; known are [capabilities] and [farms.NAME]"
                    + _did_you_mean(name, ("capabilities", "farms"))
                )
        tables = {"": self._options, **{f"farms.{farm}.": table for farm, table in self._farms.items()}}
        # Appium's own capabilities hold passwords of the app under test, which is the team's to decide.
        tables["capabilities."] = {name: 0 for name in self.capabilities if not name.startswith("appium:")}
        for prefix, names in tables.items():
            for name in names:
                if _SECRET_NAME.search(name):
                    raise _secret_in_file(path, prefix + name)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Parse a file.

        Raises:
            ConfigurationError: It cannot be read, is no TOML, or holds a secret.
        """
        return cls(path, _read_toml(path))

    @classmethod
    def find(cls, start: Path, *, root: Path | None = None) -> Self | None:
        """The nearest file in ``start`` or a folder above it, up to ``root``; ``None`` where there is none."""
        start = start.resolve()
        for folder in (start, *start.parents):
            path = folder / FILE_NAME
            if path.is_file():
                return cls.read(path)
            if root is not None and folder == root.resolve():
                break
        return None

    def option(self, name: str) -> Any | None:
        """An option as the file has it, ``None`` where it is not set; for example ``farm_wait``."""
        return self._options.get(name)

    def farm(self, name: str) -> Mapping[str, Any]:
        """The table ``[farms.NAME]``, empty where there is none."""
        return self._farms.get(name, {})

    def check_options(self, known: Collection[str]) -> None:
        """Refuse an option nobody knows.

        Raises:
            ConfigurationError: Names file, key and the nearest known key.
        """
        for name in self._options:
            if name not in known:
                raise ConfigurationError(f"{self.path}: unknown option {name!r}{_did_you_mean(name, known)}")


def farm_settings(
    spec: FarmSpec,
    *,
    url: str | None = None,
    hub_url: str | None = None,
    environ: Mapping[str, str],
    file: SettingsFile | None = None,
    credentials: Path | None = None,
    simulated: bool = False,
) -> FarmSettings:
    """Everything a farm has to be told, from flags, environment, ``credentials.toml`` and ``devicefarm.toml``.

    A hub address counts only where it comes from a source that is at least as strong as the one of ``url``, so that
    REST and hub never go to two places by accident.

    Args:
        url: What ``--farm-url`` said.
        hub_url: What ``--farm-hub-url`` said.
        credentials: The user's secrets; the file in the user's configuration folder where not given.
        simulated: The farm is the built-in simulator: ``environ`` is what the simulator printed, files are not read.

    Raises:
        ConfigurationError: Something required is missing, or a file cannot be used; lists everything that is missing.
    """
    flags = {name: text for name, text in (("url", url), ("hub_url", hub_url)) if text}
    for name in flags:
        if all(setting.name != name for setting in spec.settings):
            raise ConfigurationError(f"farm {spec.name!r} has no {name}: leave out --farm-{name.replace('_', '-')}")
    sources: list[Mapping[str, str]] = [flags, _from_environment(spec, environ)]
    path = credentials or credentials_path()
    if not simulated:
        if any(setting.name not in sources[1] for setting in spec.settings):
            sources.append(_from_credentials(spec, path))
        if file is not None:
            sources.append(_from_file(spec, file))
            if any(setting.name == "file" for setting in spec.settings):
                sources.append({"file": str(file.path)})  # for lists and tables, which the farm itself reads
    sources.append({setting.name: setting.default for setting in spec.settings if setting.default})

    found: dict[str, str] = {}
    rank: dict[str, int] = {}
    for index, source in enumerate(sources):
        for name, text in source.items():
            if name not in found:
                found[name], rank[name] = text, index
    if "hub_url" in found and rank["hub_url"] > rank.get("url", len(sources)):
        del found["hub_url"]

    missing = [setting for setting in spec.settings if setting.required and setting.name not in found]
    if missing:
        raise ConfigurationError(_missing(spec, missing, path))
    secret = {setting.name for setting in spec.settings if setting.secret}
    for name in ("url", "hub_url"):
        if name in found:
            setting = next(setting for setting in spec.settings if setting.name == name)
            places = [f"--farm-{name.replace('_', '-')}", *setting.variables]
            check_address(found[name], f"{name} ({' or '.join(places)})")
    return FarmSettings(
        farm=spec.name,
        values={name: text for name, text in found.items() if name not in secret},
        secrets={name: Secret(text) for name, text in found.items() if name in secret},
        simulated=simulated,
        variables={setting.name: setting.variables[0] for setting in spec.settings if setting.variables},
    )


def check_address(address: str, name: str = "url") -> None:
    """Refuse an address no request can go to, or one that carries credentials.

    Raises:
        ConfigurationError: Says what is wrong with it.
    """
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - a broken port raises only here
    except ValueError:
        parts = urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"{name} carries credentials in front of {parts.hostname}: give the address without them; user name and "
            "key have settings of their own"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{name} {address!r} is no address: it has to look like https://farm.example.com")


def variable(option: str) -> str:
    """The environment variable of an option: ``farm_app`` is ``DEVICEFARM_APP``, ``farm`` is ``DEVICEFARM_FARM``."""
    return f"DEVICEFARM_{option.removeprefix('farm_').upper()}"


def resolve(
    name: str, *, flag: Any, environ: Mapping[str, str], ini: Any, file: SettingsFile | None, default: Any
) -> Any:
    """The value of an option: flag > environment > ini > ``devicefarm.toml`` > default.

    ``None``, empty text and empty lists count as not set. The environment gives text; the caller turns it into a type.
    """
    candidates = (flag, environ.get(variable(name)), ini, file.option(name) if file is not None else None)
    return next((value for value in candidates if value is not None and value not in ("", [], ())), default)


def state_folder(text: str | None) -> Path:
    """The folder for leases, journal and upload cache: ``--farm-state``, or the user's own; nothing is created here."""
    return Path(text).expanduser().absolute() if text else platformdirs.user_state_path(APPLICATION)


def credentials_path() -> Path:
    """Where the user's ``credentials.toml`` lies."""
    return platformdirs.user_config_path(APPLICATION) / "credentials.toml"


def _from_environment(spec: FarmSpec, environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for setting in spec.settings:
        text = next((environ[name].strip() for name in setting.variables if environ.get(name, "").strip()), "")
        if text:
            found[setting.name] = text
    return found


def _from_credentials(spec: FarmSpec, path: Path) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:  # elsewhere the user's folder itself keeps others out
        raise ConfigurationError(f"{path}: others than its owner can read it; run `chmod 600 {path}`")
    table = _table(path, _read_toml(path), spec.name)
    return _texts(spec, path, spec.name, table)


def _from_file(spec: FarmSpec, file: SettingsFile) -> dict[str, str]:
    for setting in spec.settings:
        if setting.secret and setting.name in file.farm(spec.name):
            raise _secret_in_file(file.path, f"farms.{spec.name}.{setting.name}")
    return _texts(spec, file.path, f"farms.{spec.name}", file.farm(spec.name))


def _texts(spec: FarmSpec, path: Path, table: str, values: Mapping[str, Any]) -> dict[str, str]:
    known = {setting.name for setting in spec.settings}
    found = {}
    for name, value in values.items():
        if isinstance(value, (list, dict)):
            continue  # lists of hosts and the like, which the farm itself reads
        if name not in known:
            raise ConfigurationError(f"{path}: unknown key {name!r} in [{table}]{_did_you_mean(name, known)}")
        if isinstance(value, bool):
            value = str(value).lower()
        if not isinstance(value, str):
            raise ConfigurationError(f"{path}: {name} in [{table}] has to be text in quotes")
        if value.strip():
            found[name] = value.strip()
    return found


def _missing(spec: FarmSpec, missing: list[Setting], credentials: Path) -> str:
    lines = [f"farm {spec.name!r} needs {len(missing)} more setting{'s' if len(missing) > 1 else ''}:"]
    for setting in missing:
        places = [f"variable {' or '.join(setting.variables)}"] if setting.variables else []
        if setting.name == "url":
            places.append("--farm-url")
        file = f"[{spec.name}] in {credentials}" if setting.secret else f"[farms.{spec.name}] in {FILE_NAME}"
        places.append(f"key {setting.name!r} under {file}")
        lines.append(f"  {setting.name} ({setting.help}): {', or '.join(places)}")
    if spec.simulator:
        lines.append("To try it without an account add --farm-simulate.")
    return "\n".join(lines)


def _secret_in_file(path: Path, key: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}: {key} is a secret, and this file is committed with the tests; remove it, replace the credential, and "
        f"set the environment variable or use {credentials_path()}"
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is no TOML: {error}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is no TOML ({type(error).__name__})") from None


def _table(path: Path, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: {name} has to be a table, [{name}]")
    return table


def _tables(path: Path, data: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, Any]]:
    tables = _table(path, data, name)
    return {key: _table(path, tables, key) for key in tables}


def _did_you_mean(name: str, known: Collection[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; known are {', '.join(sorted(known))}"
