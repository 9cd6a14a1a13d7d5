"""The part of XPath 1.0 that Appium tests use, on a tree of `xml.etree`.

Steps `/` and `//` with a name, `*`, `.` or `..`, a path in parentheses, and predicates of positions, `last()`,
`@attribute`, `text()`, `.`, `contains`, `starts-with`, `normalize-space`, `not`, `=`, `!=`, `and`, `or`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<number>\d+)|(?P<symbol>//|!=|\.\.|[/()\[\]@=,.*])|(?P<name>[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?))"""
)
_DEEPEST = 50


class XPathError(ValueError):
    """A path that cannot be read; the message says what was expected where."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What a predicate is asked about."""

    element: Element
    position: int
    last: int


_Value = str | bool | int | None
_Expression = Callable[[_Place], _Value]
_Path = Callable[[list[Element]], list[Element]]


def select(root: Element, path: str, *, start: Element | None = None) -> list[Element]:
    """The elements that `path` selects, in document order.

    Args:
        root: The tree's root element; an absolute path begins above it.
        path: What to look for.
        start: Where a relative path begins, and where `//` looks when it is given; else above `root`.

    Raises:
        XPathError: The path is broken, or uses more of XPath than there is here.
    """
    document = Element("")
    document.append(root)
    order = {element: number for number, element in enumerate(document.iter())}
    parents = {child: parent for parent in document.iter() for child in parent}
    reader = _Reader(path, parents)
    found = reader.read()([document if start is None else start])
    return sorted((element for element in set(found) if element is not document), key=order.__getitem__)


class _Reader:
    """Turns the text of a path into functions, from left to right."""

    def __init__(self, path: str, parents: dict[Element, Element]) -> None:
        self._path = path
        self._parents = parents
        self._tokens = self._split(path)
        self._next = 0
        self._depth = 0

    def read(self) -> _Path:
        path = self._union()
        if self._peek() is not None:
            raise self._error("the end")
        return path

    def _split(self, path: str) -> list[str]:
        tokens, position, text = [], 0, path.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise XPathError(f"{path!r} cannot be read as XPath from {text[position:][:20]!r} on")
            tokens.append(match[0].strip())
            position = match.end()
        return tokens

    def _union(self) -> _Path:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise XPathError(f"the XPath {self._path[:60]!r}... is nested too deeply")
        if self._accept("("):
            inner = self._union()
            self._expect(")")
            steps: list[_Path] = [inner, self._filter(self._predicates())]
        else:
            steps = [] if self._peek() in ("/", "//") else [self._step(deep=False)]
        while (slash := self._peek()) in ("/", "//"):
            self._next += 1
            steps.append(self._step(deep=slash == "//"))
        self._depth -= 1
        if not steps:
            raise self._error("a step")

        def walk(elements: list[Element]) -> list[Element]:
            for step in steps:
                elements = step(elements)
            return elements

        return walk

    def _step(self, *, deep: bool) -> _Path:
        name = self._take("a name")
        if name not in ("*", ".", "..") and not (name[0].isalpha() or name[0] == "_"):
            raise self._error("a name", back=1)
        keep = self._filter(self._predicates())

        def targets(element: Element) -> Iterable[Element]:
            if name == ".":
                return (element,)
            if name == "..":
                return (self._parents[element],) if element in self._parents else ()
            return (child for child in element if name in ("*", child.tag))

        def walk(elements: list[Element]) -> list[Element]:
            bases = [inner for element in elements for inner in element.iter()] if deep else elements
            # A position counts among the children of one parent: //a[1] is the first <a> of every parent.
            found = (keep(list(targets(base))) for base in dict.fromkeys(bases))
            return list(dict.fromkeys(element for group in found for element in group))

        return walk

    def _predicates(self) -> list[_Expression]:
        predicates = []
        while self._accept("["):
            predicates.append(self._either())
            self._expect("]")
        return predicates

    def _filter(self, predicates: list[_Expression]) -> _Path:
        def keep(elements: list[Element]) -> list[Element]:
            for predicate in predicates:
                places = [_Place(element, number, len(elements)) for number, element in enumerate(elements, 1)]
                elements = [place.element for place in places if _agrees(predicate(place), place)]
            return elements

        return keep

    def _either(self) -> _Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise XPathError(f"the XPath {self._path[:60]!r}... is nested too deeply")
        parts = [self._both()]
        while self._accept("or"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else lambda place: any(_agrees(part(place), place) for part in parts)

    def _both(self) -> _Expression:
        parts = [self._comparison()]
        while self._accept("and"):
            parts.append(self._comparison())
        return parts[0] if len(parts) == 1 else lambda place: all(_agrees(part(place), place) for part in parts)

    def _comparison(self) -> _Expression:
        left = self._operand()
        for sign in ("=", "!="):
            if self._accept(sign):
                right = self._operand()
                return lambda place: _compare(left(place), right(place), equal=sign == "=")
        return left

    def _operand(self) -> _Expression:
        found = self._take("a value")
        match found:
            case "@":
                attribute = self._take("the name of an attribute")
                return lambda place: place.element.get(attribute)
            case ".":
                return lambda place: "".join(place.element.itertext())
            case "(":
                inner = self._either()
                self._expect(")")
                return inner
        if found[0] in "\"'":
            return lambda place: found[1:-1]
        if found.isdigit():
            return lambda place: int(found)
        return self._call(found)

    def _call(self, name: str) -> _Expression:
        self._expect("(")
        given: list[_Expression] = []
        while not self._accept(")"):
            if given:
                self._expect(",")
            given.append(self._either())
        match name, given:
            case "text", []:
                return lambda place: place.element.text
            case "position", []:
                return lambda place: place.position
            case "last", []:
                return lambda place: place.last
            case "contains", [text, part]:
                return lambda place: _text(part(place)) in _text(text(place))
            case "starts-with", [text, part]:
                return lambda place: _text(text(place)).startswith(_text(part(place)))
            case "normalize-space", [text]:
                return lambda place: " ".join(_text(text(place)).split())
            case "not", [inner]:
                return lambda place: not _agrees(inner(place), place)
        raise XPathError(f"{self._path!r} calls {name}() with {len(given)} arguments, which is not supported here")

    def _peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _accept(self, token: str) -> bool:
        found = self._peek() == token
        self._next += found
        return found

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise self._error(repr(token))

    def _take(self, what: str) -> str:
        token = self._peek()
        if token is None:
            raise self._error(what)
        self._next += 1
        return token

    def _error(self, what: str, back: int = 0) -> XPathError:
        place = self._next - back
        found = repr(self._tokens[place]) if place < len(self._tokens) else "the end"
        return XPathError(f"{self._path!r} is not supported as XPath: {what} expected, {found} found")


def _agrees(value: _Value, place: _Place) -> bool:
    return value == place.position if type(value) is int else bool(value)


def _text(value: _Value) -> str:
    return "" if value is None else str(value)


def _compare(left: _Value, right: _Value, *, equal: bool) -> bool:
    # A comparison with what is not there is never true, not even `!=`.
    if left is None or right is None:
        return False
    return (str(left) == str(right)) == equal
