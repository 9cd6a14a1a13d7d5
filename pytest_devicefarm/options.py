"""Every flag, once: its ini twin, environment variable, key in ``devicefarm.toml`` and type follow from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pytest

    from pytest_devicefarm.core.farm import Reset
    from pytest_devicefarm.core.settings import SettingsFile

Keep = Literal["on", "off", "retain-on-failure"]

_KEEP = ("on", "off", "retain-on-failure")
_YES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


_PATHS = ("farm_app", "farm_world", "farm_output", "farm_state")
_WANTED = {
    "switch": "yes or no",
    "number": "a number",
    "count": "a whole number",
    "minutes": "a whole number of minutes, or off",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag.

    Attributes:
        name: Without the dashes; ``farm-app`` has the ini twin ``farm_app`` and the variable ``DEVICEFARM_APP``.
        kind: What one value is: ``text``, ``number`` (may have a fraction), ``count`` (whole), ``switch``, ``keep``,
            ``choice`` or ``minutes`` (whole, or ``off``).
        many: May be given several times.
        least: Smallest number allowed.
    """

    name: str
    kind: str
    default: Any
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False
    least: float = 0

    @property
    def key(self) -> str:
        """Name in ini files, in ``devicefarm.toml`` and in `Options`."""
        return self.name.replace("-", "_")


FLAGS = (
    Flag("farm", "text", None, "device farm to run on, for example kobiton; `devicefarm farms` lists them", "NAME"),
    Flag("farm-url", "text", None, "address of the farm; every other address is derived from it", "URL"),
    Flag("farm-hub-url", "text", None, "address of the farm's Appium hub, where it cannot be derived", "URL"),
    Flag(
        "farm-simulate", "switch", False, "start the built-in simulator of the farm and run on it, without an account"
    ),
    Flag("farm-world", "text", None, "devices and faults of the simulator, a TOML file", "FILE"),
    Flag(
        "farm-app",
        "text",
        (),
        "build to upload and install, a path or a reference of the farm; repeatable, the platform decides which test "
        "gets which",
        "PATH_OR_REF",
        many=True,
    ),
    Flag(
        "farm-device",
        "text",
        (),
        'narrow every test to such devices, such as "platform=android version>=12 name=Galaxy*"; repeatable (any of)',
        "QUERY",
        many=True,
    ),
    Flag("farm-max-devices", "count", None, "at most N devices at a time", "N", least=1),
    Flag(
        "farm-reset",
        "choice",
        "app",
        "what separates two tests on one device: none, app or device",
        choices=("none", "app", "device"),
    ),
    Flag("farm-wait", "number", 600.0, "longest wait for a device, seconds", "SECONDS"),
    Flag(
        "farm-reserve", "minutes", 30, "length of the farm-side booking that goes with a lease, or off", "MINUTES|off"
    ),
    Flag(
        "farm-retries",
        "count",
        1,
        "repeats after an infrastructure failure, on another device; never after a test failure",
        "N",
    ),
    Flag("farm-video", "keep", "retain-on-failure", "keep the video of sessions", choices=_KEEP),
    Flag("farm-device-log", "keep", "retain-on-failure", "keep the device log", choices=_KEEP),
    Flag("farm-appium-log", "keep", "retain-on-failure", "keep Appium's log", choices=_KEEP),
    Flag("farm-network-log", "keep", "retain-on-failure", "keep the network log (HAR)", choices=_KEEP),
    Flag("farm-screenshot", "keep", "retain-on-failure", "keep screenshots", choices=_KEEP),
    Flag(
        "farm-artifact-wait",
        "number",
        120.0,
        "longest wait for late artifacts at the end of the run, seconds",
        "SECONDS",
    ),
    Flag("farm-output", "text", "farm-results", "folder for artifacts, one folder per run in it", "DIR"),
    Flag("farm-hold", "switch", False, "after a failed test keep device and session open to look in"),
    Flag("farm-hold-minutes", "number", 10.0, "how long --farm-hold holds, minutes", "N"),
    Flag("farm-progress", "choice", "auto", "live lines: auto, plain or off", choices=("auto", "plain", "off")),
    Flag("farm-state", "text", None, "folder for leases, journal and upload cache; share it to let users meet", "DIR"),
    Flag(
        "farm-unmatched",
        "choice",
        "error",
        "what a test gets that no device can ever satisfy: an error at collection, or a skip",
        choices=("error", "skip"),
    ),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose; one field for each flag."""

    farm: str
    farm_url: str | None
    farm_hub_url: str | None
    farm_simulate: bool
    farm_world: str | None
    farm_app: tuple[str, ...]
    farm_device: tuple[str, ...]
    farm_max_devices: int | None
    farm_reset: Reset
    farm_wait: float
    farm_reserve: int
    farm_retries: int
    farm_video: Keep
    farm_device_log: Keep
    farm_appium_log: Keep
    farm_network_log: Keep
    farm_screenshot: Keep
    farm_artifact_wait: float
    farm_output: str
    farm_hold: bool
    farm_hold_minutes: float
    farm_progress: str
    farm_state: str | None
    farm_unmatched: str


def add_options(parser: pytest.Parser) -> None:
    """Register every flag and its ini twin."""
    group = parser.getgroup("device farm")
    for flag in FLAGS:
        words: dict[str, Any] = {"dest": flag.key, "default": None, "help": _help(flag)}
        if flag.kind == "switch":
            words["action"] = "store_true"
        else:
            words["metavar"] = flag.metavar or "|".join(flag.choices)
            if flag.many:
                words["action"] = "append"
        group.addoption(f"--{flag.name}", **words)
        parser.addini(flag.key, f"see --{flag.name}", type=_ini_type(flag), default=None)


def read_options(
    config: pytest.Config, environ: Mapping[str, str] = os.environ
) -> tuple[Options, SettingsFile | None] | None:
    """What the user chose, and the ``devicefarm.toml`` in force; ``None`` where no farm was named.

    Raises:
        ConfigurationError: A value is not of its flag's kind; names the flag and where the value came from.
    """
    if not _farm_mentioned(config, environ):
        return None
    from pytest_devicefarm.core.settings import SettingsFile, resolve

    file = SettingsFile.find(config.invocation_params.dir, root=config.rootpath) or SettingsFile.find(
        config.rootpath, root=config.rootpath
    )
    if file is not None:
        file.check_options([flag.key for flag in FLAGS])
    # Both files come as values here, since paths in them are meant from where they lie.
    values = {
        flag.key: _typed(
            flag,
            resolve(
                flag.key,
                flag=getattr(config.option, flag.key, None),
                environ=environ,
                ini=_ini(config, flag),
                file=None,
                default=_in_file(file, flag),
            ),
        )
        for flag in FLAGS
    }
    return (Options(**values), file) if values["farm"] else None


def _farm_mentioned(config: pytest.Config, environ: Mapping[str, str]) -> bool:
    # Decided without importing anything: most runs of a suite that has this plugin installed name no farm.
    folders = {config.rootpath, config.invocation_params.dir, *config.invocation_params.dir.parents}
    return bool(
        getattr(config.option, "farm", None)
        or environ.get("DEVICEFARM_FARM")
        or config.getini("farm")
        or any((folder / "devicefarm.toml").is_file() for folder in folders)
    )


def _ini(config: pytest.Config, flag: Flag) -> Any:
    import pytest

    try:
        value = config.getini(flag.key)
    except (TypeError, ValueError, pytest.UsageError) as error:  # which of them depends on the version of pytest
        from pytest_devicefarm.core.errors import ConfigurationError

        wanted = _WANTED.get(flag.kind, "text")
        raise ConfigurationError(f"{flag.key} in the ini file (--{flag.name}) has to be {wanted}: {error}") from None
    return _anchored(flag, value, config.inipath)


def _in_file(file: SettingsFile | None, flag: Flag) -> Any:
    value = file.option(flag.key) if file is not None else None
    return flag.default if file is None or value in (None, "", []) else _anchored(flag, value, file.path)


def _anchored(flag: Flag, value: Any, file: Path | None) -> Any:
    """A path in a file is meant from where that file lies, wherever pytest was started."""
    if file is None or flag.key not in _PATHS:
        return value
    if isinstance(value, list):
        return [_anchored(flag, each, file) for each in value]
    is_relative = isinstance(value, str) and ":" not in value and not Path(value).expanduser().is_absolute()
    return str(file.parent / value) if value and is_relative else value


def _help(flag: Flag) -> str:
    default = {True: "on", False: "off", None: "none"}.get(flag.default, flag.default) if flag.default != () else "none"
    shown = int(default) if isinstance(default, float) and default.is_integer() else default
    return f"{flag.help} (default: {shown})".replace("%", "%%")


def _ini_type(flag: Flag) -> Any:
    if flag.many:
        return "linelist"
    return {"switch": "bool", "count": "int", "number": "float"}.get(flag.kind, "string")


def _typed(flag: Flag, value: Any) -> Any:
    if flag.many:
        texts: Sequence[str] = value.splitlines() if isinstance(value, str) else value
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
            raise _wrong(flag, value, "a text or a list of texts")
        return tuple(text.strip() for text in texts if text.strip())
    if value is None:
        return None
    return _KINDS[flag.kind](flag, value)


def _switch(flag: Flag, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _YES[str(value).strip().lower()]
    except KeyError:
        raise _wrong(flag, value, _WANTED["switch"]) from None


def _number(flag: Flag, value: Any) -> float:
    try:
        number = float("" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        raise _wrong(flag, value, _WANTED[flag.kind]) from None
    if not flag.least <= number < float("inf"):
        raise _wrong(flag, value, f"a number of at least {flag.least:g}")
    return number


def _count(flag: Flag, value: Any) -> int:
    number = _number(flag, value)
    if not number.is_integer():
        raise _wrong(flag, value, _WANTED[flag.kind])
    return int(number)


def _minutes(flag: Flag, value: Any) -> int:
    return 0 if str(value).strip().lower() in ("off", "false") else _count(flag, value)


def _choice(flag: Flag, value: Any) -> str:
    text = str(value).strip()
    if text not in flag.choices:
        raise _wrong(flag, value, " or ".join(flag.choices))
    return text


_KINDS: Mapping[str, Callable[[Flag, Any], Any]] = {
    "text": lambda _, value: str(value),
    "switch": _switch,
    "number": _number,
    "count": _count,
    "minutes": _minutes,
    "choice": _choice,
    "keep": _choice,
}


def _wrong(flag: Flag, value: Any, wanted: str) -> Exception:
    from pytest_devicefarm.core.errors import ConfigurationError
    from pytest_devicefarm.core.settings import variable

    return ConfigurationError(
        f"--{flag.name} is {value!r}, but has to be {wanted}; it may also come from {flag.key} in the ini file or in "
        f"devicefarm.toml, or from {variable(flag.key)}"
    )
