"""What a test or a user wants of a device, and which devices that fits: one pure question, whatever the order."""

from __future__ import annotations

import difflib
import functools
import itertools
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_devicefarm.core import versions
from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.patterns import disjoint, fits, fold, unique
from pytest_devicefarm.core.redaction import visible

if TYPE_CHECKING:
    from pytest_devicefarm.core.model import Device

TEXT_KEYS = ("platform", "name", "model", "manufacturer", "udid", "group")
KEYS = ("platform", "version", "name", "model", "manufacturer", "udid", "tags", "group", "real")

_SWITCH = {"yes": True, "true": True, "no": False, "false": False}
_PLAIN = re.compile(r"[^\s'\"\\]+")
_PART = re.compile(r"(?P<key>[^\s=<>!~]*)(?P<operator>[=<>!~]*)(?P<value>.*)", re.DOTALL)


class _Reason(NamedTuple):
    """Why a device does not match, and the pattern behind it where it is about a text."""

    text: str
    key: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class DeviceQuery:
    """What is wanted of a device; everything given has to hold.

    Two queries that ask the same are equal, in whatever order their parts were given.

    Attributes:
        platform: Patterns that all have to fit, as for every other text; ``*`` is any text, case does not matter.
        version: PEP 440 specifier set for the platform version, ``""`` for any; ``==12`` means ``==12.*``.
        tags: Tags the device must have, all of them.
        real: Real devices only, emulators and simulators only, or (``None``) either.

    Raises:
        ConfigurationError: A part is empty or unreadable, or two parts contradict each other.
    """

    platform: tuple[str, ...] = ()
    version: str = ""
    name: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    manufacturer: tuple[str, ...] = ()
    udid: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    real: bool | None = None

    def __post_init__(self) -> None:
        for key in (*TEXT_KEYS, "tags"):
            patterns = getattr(self, key)
            if not all(pattern.strip() for pattern in patterns):
                raise _empty(key)
            object.__setattr__(self, key, unique(patterns))
        for key in TEXT_KEYS:
            for one, other in itertools.combinations(getattr(self, key), 2):
                if disjoint(one, other):
                    raise _contradiction(f'{key}="{one}"', f'{key}="{other}"')
        if self.version:
            specifiers = versions.split_specifiers(self.version)
            object.__setattr__(self, "version", ",".join(specifiers))
            if clash := versions.clash(specifiers):
                raise _contradiction(*(f"version{specifier}" for specifier in clash))

    @classmethod
    def of(cls, **wanted: object) -> DeviceQuery:
        """The query for the keywords of a ``device`` mark; ``None`` counts as not given.

        Args:
            wanted: ``platform``, ``name``, ``model``, ``manufacturer``, ``udid``, ``group`` and ``version`` are texts,
                ``tags`` is a text with commas or several texts, ``real`` is true or false.

        Raises:
            ConfigurationError: An unknown key (names the nearest), a wrong type, or what `DeviceQuery` refuses.
        """
        fields: dict[str, object] = {}
        for key, value in wanted.items():
            if key not in KEYS:
                raise ConfigurationError(_unknown_key(key))
            if value is not None:
                fields[key] = _field(key, value)
        return cls(**fields)  # type: ignore[arg-type]

    @classmethod
    def parse(cls, text: str) -> DeviceQuery:
        """The query for one line such as ``platform=android version>=12 name="Galaxy S22"``.

        Values with spaces are quoted as in a shell, ``version`` takes its PEP 440 operator directly behind it and sets
        with commas, ``tags`` takes commas, ``real`` is ``yes`` or ``no``. A key may come twice; both have to hold.

        Raises:
            ConfigurationError: The text cannot be read, or what `DeviceQuery` refuses.
        """
        try:
            parts = shlex.split(text)
        except ValueError as error:
            raise ConfigurationError(f"device query {text!r} cannot be read: {error}; close every quote") from None
        if not parts:
            raise ConfigurationError("a device query is empty; write for example platform=android")
        return functools.reduce(cls.__and__, (_parse_part(part, text) for part in parts))

    def __and__(self, other: DeviceQuery) -> DeviceQuery:
        """The query that asks for both.

        Raises:
            ConfigurationError: No device can ever fulfil both; names the two parts.
        """
        if self.real is not None and other.real is not None and self.real is not other.real:
            raise _contradiction("real=yes", "real=no")
        return DeviceQuery(
            platform=self.platform + other.platform,
            version=",".join(filter(None, (self.version, other.version))),
            name=self.name + other.name,
            model=self.model + other.model,
            manufacturer=self.manufacturer + other.manufacturer,
            udid=self.udid + other.udid,
            tags=self.tags + other.tags,
            group=self.group + other.group,
            real=self.real if other.real is None else other.real,
        )

    def __str__(self) -> str:
        """The query as `parse` reads it, or ``any device``."""
        parts: list[str] = []
        for key in KEYS:
            if key == "version":
                parts += [f"version{self.version}"] if self.version else []
            elif key == "tags":
                parts += [f"tags={_quoted(','.join(self.tags))}"] if self.tags else []
            elif key == "real":
                parts += [] if self.real is None else [f"real={'yes' if self.real else 'no'}"]
            else:
                parts += [f"{key}={_quoted(pattern)}" for pattern in getattr(self, key)]
        return " ".join(parts) or "any device"

    def reject(self, device: Device) -> tuple[str, ...]:
        """Every reason why the device does not match, for people; none if it does."""
        return tuple(reason.text for reason in self._reasons(device))

    def _reasons(self, device: Device) -> Iterator[_Reason]:
        for key in KEYS:
            if key == "version":
                yield from _version_reasons(self.version, device.version)
            elif key == "tags":
                for tag in self.tags:
                    if not any(fits(tag, has) for has in device.tags):
                        yield _Reason(f'has no tag "{tag}"')
            elif key == "real":
                yield from _real_reasons(self.real, device.real)
            else:
                value = getattr(device, key)
                for pattern in getattr(self, key):
                    if not fits(pattern, value):
                        is_value = f'{key} "{value}"' if value else f"{key} is unknown and"
                        yield _Reason(f'{is_value} is not "{pattern}"', key, pattern)


def matching(devices: Iterable[Device], query: DeviceQuery) -> list[Device]:
    """The devices that match, in the order given."""
    return narrow(devices, [query])


def narrow(devices: Iterable[Device], queries: Sequence[DeviceQuery]) -> list[Device]:
    """The devices that match any of the queries, in the order given; all of them if there is no query."""
    return [device for device in devices if not queries or any(not query.reject(device) for query in queries)]


def near_misses(devices: Sequence[Device], query: DeviceQuery, limit: int = 5) -> list[tuple[str, tuple[str, ...]]]:
    """The devices that come nearest to a query they do not match, with the reasons; fewest reasons first.

    A text that no device has is answered with the nearest one there is (``did you mean "Galaxy S22"?``).
    """
    nearest = _suggestions(devices, query)
    misses: list[tuple[int, bool, str, tuple[str, ...]]] = []
    for device in devices:
        reasons: list[str] = []
        suggested = False
        for reason in query._reasons(device):
            suggestion = nearest.get((reason.key, reason.pattern))
            if suggestion is not None and suggestion == getattr(device, reason.key):
                suggested = True
                reasons.append(f'{reason.text}: did you mean "{suggestion}"?')
            else:
                reasons.append(reason.text)
        if reasons:
            misses.append((len(reasons), not suggested, str(device), tuple(reasons)))
    # People type names in the farm's portal; nothing in them may act on a terminal.
    return [(visible(name), tuple(map(visible, reasons))) for *_, name, reasons in sorted(misses)[:limit]]


def _field(key: str, value: object) -> object:
    if key == "real":
        if not isinstance(value, bool):
            raise ConfigurationError(f"real={value!r} is neither True nor False")
        return value
    if key == "tags":
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, Iterable) or isinstance(texts, (bytes, Mapping)):
            raise ConfigurationError(f'tags={value!r} is no text; write for example tags=["smoke", "5g"]')
        tags = list(texts)
        if not tags or not all(isinstance(tag, str) for tag in tags):
            raise ConfigurationError(f'tags={value!r} holds no texts; write for example tags=["smoke", "5g"]')
        return tuple(part for tag in tags for part in tag.split(","))
    if not isinstance(value, str):
        example = 'version=">=12"' if key == "version" else f'{key}="..."'
        raise ConfigurationError(f"{key}={value!r} is no text; write for example {example}")
    if key == "version":
        if not value.strip():
            raise _empty(key)
        return value
    return (value,)


def _parse_part(part: str, text: str) -> DeviceQuery:
    found = _PART.match(part)
    key, operator, value = found.group("key", "operator", "value") if found else (part, "", "")
    if key not in KEYS:
        raise ConfigurationError(f"device query {text!r}: {_unknown_key(key)}")
    if key == "version":
        if not operator:
            raise ConfigurationError(f"device query {text!r}: version has no operator; {versions.EXAMPLE}")
        return DeviceQuery.of(version=operator + value)
    if operator != "=":
        raise ConfigurationError(
            f"device query {text!r}: {part!r} is not of the form {key}=...; only version takes other operators, "
            "and a value with spaces needs quotes"
        )
    if key == "real":
        if value.lower() not in _SWITCH:
            raise ConfigurationError(f"device query {text!r}: real={value} is neither yes nor no")
        return DeviceQuery.of(real=_SWITCH[value.lower()])
    return DeviceQuery.of(**{key: value})


def _unknown_key(key: str) -> str:
    near = difflib.get_close_matches(key.lower(), KEYS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(KEYS)}"
    return f"devices have no {key!r}: {hint}"


def _empty(key: str) -> ConfigurationError:
    return ConfigurationError(f"{key} is empty; leave it out to take any, or give a value")


def _contradiction(*parts: str) -> ConfigurationError:
    # One part alone is a version set that nothing fits, such as <0.
    contradict = "contradict each other" if len(parts) > 1 else "cannot be"
    return ConfigurationError(f"{' and '.join(parts)} {contradict}: no device can ever fulfil this")


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _suggestions(devices: Sequence[Device], query: DeviceQuery) -> dict[tuple[str, str], str]:
    """For each pattern without wildcard that no device fits: the nearest value there is."""
    nearest: dict[tuple[str, str], str] = {}
    for key in TEXT_KEYS:
        values = {fold(getattr(device, key)): getattr(device, key) for device in devices if getattr(device, key)}
        for pattern in getattr(query, key):
            if "*" not in pattern and fold(pattern) not in values:
                close = difflib.get_close_matches(fold(pattern), sorted(values), n=1)
                if close:
                    nearest[key, pattern] = values[close[0]]
    return nearest


def _real_reasons(wanted: bool | None, is_real: bool | None) -> Iterator[_Reason]:
    if wanted is None or wanted is is_real:
        return
    if is_real is None:
        yield _Reason(f"the farm does not say whether it is real, wanted real={'yes' if wanted else 'no'}")
    elif wanted:
        yield _Reason("is an emulator or simulator, not a real device")
    else:
        yield _Reason("is a real device, not an emulator or simulator")


def _version_reasons(wanted: str, spelt: str) -> Iterator[_Reason]:
    if not wanted:
        return
    version = versions.normal_version(spelt)
    if version is None:
        told = f'version "{spelt}" has no number' if spelt else "version is unknown"
        yield _Reason(f"{told}, wanted {wanted}")
        return
    shown = spelt if spelt == str(version) else f"{spelt} ({version})"
    for specifier in wanted.split(","):
        if not versions.contains(specifier, version):
            yield _Reason(f"version {shown} is not {specifier}")
