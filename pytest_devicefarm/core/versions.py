"""Platform versions: as farms spell them, and as PEP 440 specifier sets ask for them."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_devicefarm.core.errors import ConfigurationError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

EXAMPLE = 'write for example version=">=12", version="==12" or version=">=12,<14"'

_SPELLING = re.compile(
    r"\s*(?:android|ipados|ios|v)?\s*(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9}){0,5})(?![0-9])(?P<late>L\b)?", re.IGNORECASE
)
_LONGEST_SPECIFIER = 100


def normal_version(text: str) -> Version | None:
    """The version a farm's spelling stands for: "12L" is 12.1, text behind the number is dropped.

    Returns:
        ``None`` where no number can be read.
    """
    from packaging.version import Version

    found = _SPELLING.match(text)
    if found is None:
        return None
    # The release after Android 12 has a letter for people and is 12.1 in its own sources.
    return Version("12.1" if found["late"] and found["number"] == "12" else found["number"])


def split_specifiers(text: str) -> tuple[str, ...]:
    """The specifiers of a set such as ``>=12, <14``, each once and always in the same order.

    Raises:
        ConfigurationError: One of them cannot be read; names it and shows an example.
    """
    parts = {re.sub(r"\s+", "", part) for part in text.split(",")}
    for part in parts:
        _specifier(part)
    return tuple(sorted(parts, key=lambda part: (part.lstrip("<>=!~"), part)))


def contains(specifier: str, version: Version) -> bool:
    """Whether one specifier takes a version; ``==12`` takes 12.1 too, and pre-releases count."""
    return _specifier(specifier).contains(version, prereleases=True)


def clash(specifiers: Sequence[str]) -> tuple[str, ...]:
    """Those specifiers that no version can fulfil together: two where two are enough, none where all get along."""
    if _satisfiable(specifiers):
        return ()
    for pair in itertools.combinations(specifiers, 2):
        if not _satisfiable(pair):
            return pair
    return tuple(specifiers)


@functools.lru_cache(maxsize=256)
def _specifier(part: str) -> SpecifierSet:
    """One specifier with ``==`` and ``!=`` widened: whoever asks for 12 means 12.0.1 too."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    wide = re.fullmatch(r"([=!]=)([^=*]+)", part)
    try:
        if part and len(part) <= _LONGEST_SPECIFIER:
            return SpecifierSet(f"{wide[1]}{wide[2]}.*" if wide else part)
    except InvalidSpecifier:
        pass
    raise ConfigurationError(f"version {part!r} is not a PEP 440 version specifier; {EXAMPLE}")


def _satisfiable(specifiers: Sequence[str]) -> bool:
    """Whether any version made of numbers fits all specifiers.

    A specifier changes its answer only at the version it names and at the next one of the same length, so looking at
    these, just above each of them and at 0 is looking at all.
    """
    from packaging.version import InvalidVersion, Version

    edges: set[tuple[int, ...]] = {(0,)}
    for specifier in specifiers:
        try:
            release = Version(specifier.lstrip("<>=!~").removesuffix(".*")).release
        except InvalidVersion:  # what === takes need not be a version
            continue
        edges.add(release)
        for length in range(1, len(release) + 1):
            edges.add((*release[: length - 1], release[length - 1] + 1))
    depth = max(map(len, edges))
    candidates = edges | {(*edge, *(0,) * (depth - len(edge)), 1) for edge in edges}
    return any(
        all(contains(specifier, version) for specifier in specifiers)
        for version in (Version(".".join(map(str, candidate))) for candidate in candidates)
    )
