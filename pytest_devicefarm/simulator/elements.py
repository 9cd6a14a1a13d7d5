"""Finding elements: the screen as XML, and Appium's locator strategies on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from pytest_devicefarm.simulator.layout import View, Widget
from pytest_devicefarm.simulator.protocol import WebDriverError
from pytest_devicefarm.simulator.screen import RunningApp
from pytest_devicefarm.simulator.xpath import XPathError, select

_UI_CALL = re.compile(r'\.(\w+)\(\s*(?:"([^"]*)"|(\w+))\s*\)')
_CSS_STEP = re.compile(r"(?P<tag>[\w-]+|\*)?(?P<marks>(?:#[\w-]+|\.[\w-]+|\[[\w-]+=(?:\"[^\"]*\"|'[^']*'|[\w-]+)\])*)")
_CSS_MARK = re.compile(r"([#.])([\w-]+)|\[([\w-]+)=[\"']?([^\"'\]]*)[\"']?\]")


@dataclass(frozen=True, slots=True)
class Page:
    """One moment of a context as XML, with the way back to the app's elements."""

    root: Element
    nodes: dict[Element, Element]

    def source(self) -> str:
        """The XML as text."""
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(self.root, encoding="unicode")

    def find(self, strategy: str, selector: str, *, below: Element | None = None) -> list[Element]:
        """The app's elements that a locator fits, in document order.

        Args:
            strategy: `id`, `accessibility id`, `class name`, `tag name`, `xpath`, `css selector` or
                `-android uiautomator`.
            selector: What the strategy looks for.
            below: Only look inside this element of the app.

        Raises:
            WebDriverError: The strategy or the selector cannot be understood.
        """
        start = None
        if below is not None:
            start = next(shown for shown, node in self.nodes.items() if node is below)
        found = _select(self.root, start, strategy, selector)
        return [self.nodes[shown] for shown in found if shown in self.nodes and shown is not start]


def native_page(app: RunningApp, view: View) -> Page:
    """The app's screen: the elements with their own attributes and what can be seen of them now."""
    root = Element("AppiumAUT")
    nodes: dict[Element, Element] = {}
    if app.running:
        described = app.root
        shown = SubElement(root, "app", {"width": str(view.size[0]), "height": str(view.size[1])})
        shown.set("package", app.source.package)
        nodes[shown] = described
        SubElement(shown, "title").text = view.title
        for widget in view.widgets if view.alert is None else (*view.widgets, view.alert):
            _add(shown, widget, view, nodes)
    return Page(root, nodes)


def web_page(html: Element) -> Page:
    """The page inside a web view."""
    return Page(html, {element: element for element in html.iter()})


def attributes_of(widget: Widget, view: View) -> dict[str, str]:
    """What an element tells about itself; the names of the fake driver, of Android and of iOS side by side."""
    node, look, rect = widget.node, widget.look, widget.rect
    content = "*" * len(look.text) if look.secret else look.text
    name = node.get("label") or node.get("id") or ""
    attributes = {
        "id": node.get("id", ""),
        "name": name,
        "content-desc": name,
        "label": node.get("label") or content,
        "class": node.tag,
        "text": content,
        "value": content,
        "hint": node.get("hint", ""),
        "bounds": f"[{rect.x},{rect.y}][{rect.x + rect.width},{rect.y + rect.height}]",
    }
    states = {
        "displayed": widget.displayed,
        "enabled": look.enabled,
        "selected": look.selected,
        "checked": look.selected,
        "focused": view.focus is node,
        "password": look.secret,
        "scrollable": node.tag == "MockList",
    }
    return attributes | {state: str(value).lower() for state, value in states.items()}


def _add(parent: Element, widget: Widget, view: View, nodes: dict[Element, Element]) -> None:
    shown = SubElement(parent, widget.node.tag, attributes_of(widget, view))
    nodes[shown] = widget.node
    for child in widget.children:
        _add(shown, child, view, nodes)


def _select(root: Element, start: Element | None, strategy: str, selector: str) -> list[Element]:
    everywhere = list((root if start is None else start).iter())
    match strategy:
        case "xpath":
            try:
                return select(root, selector, start=start)
            except XPathError as error:
                raise WebDriverError("invalid selector", str(error)) from error
        case "id":
            wanted = selector.rpartition(":id/")[2]
            return [element for element in everywhere if element.get("id") == wanted]
        case "accessibility id":
            return [element for element in everywhere if _is_named(element, selector)]
        case "class name" | "tag name":
            return [element for element in everywhere if element.tag == selector]
        case "css selector":
            return _css(everywhere, root, selector)
        case "-android uiautomator":
            return _ui_selector(everywhere, selector)
    raise WebDriverError("invalid selector", f"the locator strategy {strategy!r} is not supported here")


def _is_named(element: Element, name: str) -> bool:
    return name in (element.get("name"), element.get("id")) or (
        element.tag == "MockButton" and element.get("text") == name
    )


def _css(everywhere: list[Element], root: Element, selector: str) -> list[Element]:
    """Steps of tag, `#id`, `.class` and `[attribute=value]`, apart by blanks."""
    steps = []
    for step in selector.split():
        match = _CSS_STEP.fullmatch(step)
        if match is None:
            break
        steps.append(match)
    if not steps or len(steps) != len(selector.split()):
        raise WebDriverError("invalid selector", f"{selector!r} is not supported as a CSS selector")
    fitting = set(everywhere) if len(steps) == 1 else set(root.iter())
    for index, match in enumerate(steps):
        fitting = {element for element in fitting if _has_marks(element, match)}
        if index + 1 < len(steps):
            fitting = {inner for element in fitting for inner in element.iter() if inner is not element}
    return [element for element in everywhere if element in fitting]


def _has_marks(element: Element, step: re.Match[str]) -> bool:
    if step["tag"] not in (None, "*", element.tag):
        return False
    for sign, name, attribute, value in _CSS_MARK.findall(step["marks"]):
        if sign == "#" and element.get("id") != name:
            return False
        if sign == "." and name not in element.get("class", "").split():
            return False
        if attribute and element.get(attribute) != value:
            return False
    return True


def _ui_selector(everywhere: list[Element], selector: str) -> list[Element]:
    """`new UiSelector().text("Sign in").instance(0)` and its like."""
    head, _, calls = selector.strip().rstrip(";").partition("UiSelector()")
    if head.strip() not in ("", "new") or not calls or _UI_CALL.sub("", calls).strip():
        raise WebDriverError("invalid selector", f"{selector!r} is not supported as a UiSelector")
    found = everywhere
    for call, text, bare in _UI_CALL.findall(calls):
        if call == "instance":
            if not bare.isdigit():
                raise WebDriverError("invalid selector", f"instance({text or bare}) needs a number")
            found = found[int(bare) :][:1]
            continue
        test = _UI_TESTS.get(call)
        if test is None:
            raise WebDriverError("invalid selector", f"UiSelector has no {call}() here")
        found = [element for element in found if test(element, text or bare)]
    return found


_UI_TESTS: dict[str, Callable[[Element, str], bool]] = {
    "text": lambda element, value: element.get("text") == value,
    "textContains": lambda element, value: value.lower() in element.get("text", "").lower(),
    "textStartsWith": lambda element, value: element.get("text", "").lower().startswith(value.lower()),
    "description": lambda element, value: element.get("content-desc") == value,
    "resourceId": lambda element, value: element.get("id") == value.rpartition(":id/")[2],
    "className": lambda element, value: element.tag == value,
    "enabled": lambda element, value: element.get("enabled") == value,
    "scrollable": lambda element, value: element.get("scrollable") == value,
}
