"""Which farms there are: the folders of ``farms/``, entry points of group ``devicefarm``, and what plugins give.

Farms are never imported by name here or elsewhere, so a new one needs no change outside its folder. One that cannot be
imported is kept as a problem: it troubles nobody who asks for another.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.farm import FarmSpec

GROUP = "devicefarm"
FARMS = "pytest_devicefarm.farms"


@dataclass(frozen=True, slots=True)
class Farms:
    """Every farm that was found.

    Attributes:
        specs: By name, in the order of names.
        problems: By name, why a farm cannot be used.
    """

    specs: Mapping[str, FarmSpec]
    problems: Mapping[str, ConfigurationError]

    def find(self, name: str) -> FarmSpec:
        """The SPEC of a farm.

        Raises:
            ConfigurationError: There is none of this name (names the nearest), or it cannot be used (says why).
        """
        if name in self.problems:
            raise self.problems[name]
        if name in self.specs:
            return self.specs[name]
        near = difflib.get_close_matches(name.strip().lower(), self.specs, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(self.specs) or 'none'}"
        broken = f" (not usable: {', '.join(self.problems)})" if self.problems else ""
        raise ConfigurationError(f"there is no farm {name!r}: {hint}{broken}")


def find_farm(name: str, extra: Iterable[FarmSpec | Sequence[FarmSpec]] = ()) -> FarmSpec:
    """The SPEC of the farm that ``--farm`` names.

    Args:
        name: Name of the farm, as its SPEC has it.
        extra: What `pytest_devicefarm_farm` hooks gave.

    Raises:
        ConfigurationError: There is no such farm, or it cannot be used.
    """
    return all_farms(extra).find(name)


def all_farms(extra: Iterable[FarmSpec | Sequence[FarmSpec]] = (), *, package: str = FARMS) -> Farms:
    """Every farm there is.

    Args:
        extra: What `pytest_devicefarm_farm` hooks gave.
        package: The package whose subpackages are farms.
    """
    specs: dict[str, FarmSpec] = {}
    problems: dict[str, ConfigurationError] = {}
    sources: dict[str, str] = {}
    for name, source, found in (*_folders(package), *_entry_points(), *_given(extra)):
        if isinstance(found, ConfigurationError):
            problems[name] = found
        elif found.name in specs and specs[found.name] != found:
            problems[found.name] = ConfigurationError(
                f"two farms are called {found.name!r}: one from {sources[found.name]}, one from {source}; "
                "uninstall or rename one of them"
            )
        else:
            specs[found.name] = found
            sources.setdefault(found.name, source)
    usable = {name: specs[name] for name in sorted(specs) if name not in problems}
    return Farms(usable, dict(sorted(problems.items())))


_Found = tuple[str, str, FarmSpec | ConfigurationError]
"""Name, where it comes from, and the SPEC or why there is none."""


def _folders(package: str) -> Iterator[_Found]:
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        source = f"package {package}.{module.name}"
        try:
            spec = importlib.import_module(f"{package}.{module.name}").SPEC
        except Exception as error:
            yield module.name, source, _unusable(module.name, source, error)
        else:
            yield module.name, source, _checked(module.name, source, spec)


def _entry_points() -> Iterator[_Found]:
    for entry in entry_points(group=GROUP):
        owner = f" of {entry.dist.name}" if entry.dist is not None else ""
        source = f"entry point {entry.name} = {entry.value}{owner}"
        try:
            spec = entry.load()
        except Exception as error:
            yield entry.name, source, _unusable(entry.name, source, error)
        else:
            yield entry.name, source, _checked(entry.name, source, spec)


def _given(extra: Iterable[FarmSpec | Sequence[FarmSpec]]) -> Iterator[_Found]:
    source = "a pytest_devicefarm_farm hook"
    for given in extra:
        for spec in given if isinstance(given, Sequence) else (given,):
            yield getattr(spec, "name", repr(spec)), source, _checked(repr(spec), source, spec)


def _checked(name: str, source: str, spec: object) -> FarmSpec | ConfigurationError:
    if isinstance(spec, FarmSpec):
        return spec
    return ConfigurationError(f"farm {name!r} cannot be used: {source} gives a {type(spec).__name__}, not a FarmSpec")


def _unusable(name: str, source: str, error: Exception) -> ConfigurationError:
    problem = ConfigurationError(f"farm {name!r} cannot be used: {source} fails with {type(error).__name__}: {error}")
    problem.__cause__ = error
    return problem
