"""Patterns for names: ``*`` stands for any text, letter case and the way accents are composed do not matter."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def fold(text: str) -> str:
    """The text as it is compared; farms and keyboards compose accents and spaces in ways that look the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())


def unique(patterns: Iterable[str]) -> tuple[str, ...]:
    """Each pattern once, in the first of its spellings, always in the same order."""
    spellings: dict[str, str] = {}
    for pattern in sorted(pattern.strip() for pattern in patterns):
        spellings.setdefault(fold(pattern), pattern)
    return tuple(spellings[folded] for folded in sorted(spellings))


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern."""
    # By hand rather than as a regular expression: time stays linear for any number of wildcards.
    head, *rest = fold(pattern).split("*")
    text = fold(text)
    if not rest:
        return text == head
    *middle, tail = rest
    if not text.startswith(head):
        return False
    at = len(head)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(tail) and text.endswith(tail)


def disjoint(one: str, other: str) -> bool:
    """Whether no text can fit both patterns; false also where that is not known."""
    if "*" not in one:
        return not fits(other, one)
    if "*" not in other:
        return not fits(one, other)
    one, other = fold(one), fold(other)
    heads = sorted((one.partition("*")[0], other.partition("*")[0]), key=len)
    tails = sorted((one.rpartition("*")[2], other.rpartition("*")[2]), key=len)
    return not heads[1].startswith(heads[0]) or not tails[1].endswith(tails[0])
