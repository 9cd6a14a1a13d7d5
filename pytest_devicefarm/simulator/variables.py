"""What a running app remembers, and the small language its description uses to read and change it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

_PLACEHOLDER = re.compile(r"\{([\w.-]+)\}")
_TEST = re.compile(r"\s*(?P<no>!)?(?P<name>[\w.-]+)\s*(?:(?P<operator>!=|=)\s*(?P<value>.*?))?\s*")


class Variables:
    """Named texts; a name that was never set is the empty text."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, "")

    def __setitem__(self, name: str, value: str) -> None:
        self._values[name] = value

    def fill(self, template: str) -> str:
        """`template` with each `{name}` replaced by that variable."""
        return _PLACEHOLDER.sub(lambda match: self[match[1]], template)

    def holds(self, condition: str) -> bool:
        """Whether `condition` is true: tests joined by `and`, each one `name`, `!name`, `name=text` or `name!=text`.

        A name alone is true unless its text is empty or `0`. A text that is no test at all is false.
        """
        return all(self._test(part) for part in re.split(r"\s+and\s+", condition))

    def _test(self, text: str) -> bool:
        match = _TEST.fullmatch(text)
        if match is None:
            return False
        if match["operator"] is None:
            return (self[match["name"]] in ("", "0")) == bool(match["no"])
        equal = self[match["name"]] == self.fill(match["value"])
        return equal == (match["operator"] == "=")

    def assign(self, changes: str) -> None:
        """Set variables: `name=text; other={name}`."""
        for name, value in _changes(changes):
            self[name] = self.fill(value)

    def add(self, changes: str) -> None:
        """Count: `basket=1; total=-2.50`. What is no number counts as 0; decimals are kept as written."""
        for name, value in _changes(changes):
            self[name] = str(_number(self[name]) + _number(self.fill(value)))


def _changes(text: str) -> Iterator[tuple[str, str]]:
    for change in text.split(";"):
        name, equals, value = change.partition("=")
        if equals:
            yield name.strip(), value.strip()


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)
