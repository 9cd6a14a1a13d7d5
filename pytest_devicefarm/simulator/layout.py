"""Where the elements of a screen stand: every element becomes a widget with a place, a text and a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

HEADER = 56
"""Height of the bar that shows the title."""

MARGIN = 16
_GAP = 8
_LINE = 32
_HEIGHTS = {
    "MockButton": 48,
    "MockInputField": 48,
    "MockSwitch": 48,
    "MockListItem": 44,
    "MockList": 240,
    "MockWebView": 200,
}


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in pixels from the upper left corner of the screen."""

    x: int
    y: int
    width: int
    height: int

    @property
    def center(self) -> tuple[int, int]:
        """The point in the middle, rounded down."""
        return self.x + self.width // 2, self.y + self.height // 2

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def cut(self, other: Rect) -> Rect:
        """What both have in common; of no size when they do not touch."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Rect(left, top, max(0, right - left), max(0, bottom - top))


@dataclass(frozen=True, slots=True)
class Look:
    """What the app's state says about one element, before it has a place."""

    text: str
    visible: bool
    enabled: bool
    selected: bool
    secret: bool
    scroll: int
    children: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Widget:
    """One element as it stands on the screen now.

    Attributes:
        node: The element of the description.
        look: Text and state.
        rect: Its whole place, also what a list has scrolled out of view.
        shown: The part of its place that can be seen; of no size when nothing can.
        children: The widgets inside.
    """

    node: Element
    look: Look
    rect: Rect
    shown: Rect
    children: tuple[Widget, ...] = ()

    @property
    def displayed(self) -> bool:
        """Whether any of it can be seen."""
        return self.shown.width > 0 and self.shown.height > 0

    def walk(self) -> Iterator[Widget]:
        """This widget and all inside, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class View:
    """All that can be seen or found at one moment.

    Attributes:
        title: Text of the bar.
        size: Width and height of the screen as it is held.
        widgets: The screen's elements, those drawn last on top.
        alert: The open alert with its buttons as children, or None.
        focus: The input field that has the keyboard, or None.
    """

    title: str
    size: tuple[int, int]
    widgets: tuple[Widget, ...]
    alert: Widget | None
    focus: Element | None

    def all(self) -> tuple[Widget, ...]:
        """Every widget in document order, those of the alert at the end."""
        roots = self.widgets if self.alert is None else (*self.widgets, self.alert)
        return tuple(widget for root in roots for widget in root.walk())

    def of(self, node: Element) -> Widget | None:
        """The widget of an element, or None while that is not on the screen."""
        return next((widget for widget in self.all() if widget.node is node), None)

    def at(self, x: float, y: float) -> Widget | None:
        """The uppermost widget at a point; an open alert covers all others."""
        roots = self.widgets if self.alert is None else (self.alert,)
        found = [widget for root in roots for widget in root.walk() if widget.shown.holds(x, y)]
        return found[-1] if found else None


def column(
    nodes: tuple[Element, ...], place: Rect, look: Callable[[Element], Look | None], *, clip: Rect
) -> tuple[Widget, ...]:
    """Widgets for `nodes`, one below the other inside `place`.

    An element with `left` or `top` stands exactly there instead, and takes no room in the column.
    `look` answers None for an element that is not there at all. Nothing outside `clip` can be seen.
    """
    widgets = []
    y = place.y
    for node in nodes:
        seen = look(node)
        if seen is None:
            continue
        widget = _stand(node, seen, Rect(place.x, y, place.width, 0), look, clip)
        if not _is_fixed(node):
            y += widget.rect.height + _GAP
        widgets.append(widget)
    return tuple(widgets)


def content_height(widget: Widget) -> int:
    """Height of all that a list holds, seen or not."""
    return sum(child.rect.height + _GAP for child in widget.children)


def _stand(node: Element, seen: Look, place: Rect, look: Callable[[Element], Look | None], clip: Rect) -> Widget:
    x, y = int(float(node.get("left", place.x))), int(float(node.get("top", place.y)))
    width = int(float(node.get("width", place.width)))
    is_list = node.tag == "MockList"
    height = int(float(node.get("height", _HEIGHTS.get(node.tag, 0 if seen.children else _LINE))))
    clip = clip if seen.visible else replace(clip, height=0)
    inner = Rect(x, y - seen.scroll, width, height)
    children = column(seen.children, inner, look, clip=Rect(x, y, width, height).cut(clip) if is_list else clip)
    if not height:
        height = max((child.rect.y + child.rect.height - y for child in children), default=0)
    rect = Rect(x, y, width, height)
    return Widget(node, seen, rect, rect.cut(clip), children)


def _is_fixed(node: Element) -> bool:
    return "left" in node.attrib or "top" in node.attrib
