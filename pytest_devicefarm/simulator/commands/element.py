"""Finding elements, reading them and acting on them (W3C WebDriver, section 12)."""

from __future__ import annotations

import base64
from xml.etree.ElementTree import Element

from pytest_devicefarm.simulator.automation import NATIVE, Automation
from pytest_devicefarm.simulator.commands.route import Request, Route
from pytest_devicefarm.simulator.elements import attributes_of
from pytest_devicefarm.simulator.layout import Widget
from pytest_devicefarm.simulator.picture import screenshot
from pytest_devicefarm.simulator.protocol import ELEMENT_KEY, WebDriverError, text_in

_BACKSPACE = "\ue003"


def find_element(automation: Automation, request: Request) -> dict[str, str]:
    """Find the first fitting element, on the screen or inside another."""
    return _references(automation, request, first=True)[0]


def find_elements(automation: Automation, request: Request) -> list[dict[str, str]]:
    """Find all fitting elements, on the screen or inside another."""
    return _references(automation, request, first=False)


def get_active_element(automation: Automation, request: Request) -> dict[str, str]:
    """The input field that has the keyboard."""
    focus = automation.view().focus
    if focus is None:
        raise WebDriverError("no such element", "no element has the focus")
    return {ELEMENT_KEY: automation.id_of(focus)}


def click(automation: Automation, request: Request) -> None:
    """Tap an element; nothing happens on a disabled one, as on a phone."""
    node = automation.element(request.element)
    if automation.context == NATIVE:
        widget = _touchable(automation, node)
        if not widget.look.enabled:
            return
    automation.app.tap(node)


def send_keys(automation: Automation, request: Request) -> None:
    """Type behind what an input field holds; a backspace takes its last character away."""
    text = _typed(request)
    field = _field(automation, request.element)
    for part in text:
        if part == _BACKSPACE:
            kept = automation.app.text_of(field)[:-1]
            automation.app.clear(field)
            automation.app.type(field, kept)
        elif part.isprintable() or part in "\n\t":
            automation.app.type(field, part)


def clear(automation: Automation, request: Request) -> None:
    """Empty an input field."""
    automation.app.clear(_field(automation, request.element))


def get_text(automation: Automation, request: Request) -> str:
    """What an element says, a secret one in asterisks."""
    node = automation.element(request.element)
    widget = automation.view().of(node)
    if widget is None:
        return " ".join("".join(node.itertext()).split())
    return attributes_of(widget, automation.view())["text"]


def get_tag_name(automation: Automation, request: Request) -> str:
    """The element's tag in the description."""
    return automation.element(request.element).tag


def get_attribute(automation: Automation, request: Request) -> str | None:
    """A state or attribute of an element; `clicks` counts its taps, as in the fake driver."""
    name = request.parts["name"]
    node = automation.element(request.element)
    if name == "clicks":
        return str(automation.app.taps_on(node))
    widget = automation.view().of(node)
    if widget is None:
        return node.get(name)
    return attributes_of(widget, automation.view()).get(name, node.get(name))


def get_css_value(automation: Automation, request: Request) -> str:
    """A value of the `style` attribute, for elements of a web view."""
    if automation.context == NATIVE:
        raise WebDriverError("unsupported operation", "only an element of a web view has CSS values")
    style = automation.element(request.element).get("style", "")
    pairs = (pair.partition(":") for pair in style.split(";"))
    return next((value.strip() for name, _, value in pairs if name.strip() == request.parts["name"]), "")


def is_displayed(automation: Automation, request: Request) -> bool:
    """Whether anything of an element can be seen."""
    widget = automation.widget(request.element)
    return widget is None or widget.displayed


def is_enabled(automation: Automation, request: Request) -> bool:
    """Whether an element reacts to taps."""
    widget = automation.widget(request.element)
    return widget is None or widget.look.enabled


def is_selected(automation: Automation, request: Request) -> bool:
    """Whether an element is switched on."""
    widget = automation.widget(request.element)
    return widget is not None and widget.look.selected


def get_rect(automation: Automation, request: Request) -> dict[str, int]:
    """Place and size of an element in pixels."""
    widget = automation.widget(request.element)
    if widget is None:
        return {"x": 0, "y": 0, "width": 0, "height": 0}
    rect = widget.rect
    return {"x": rect.x, "y": rect.y, "width": rect.width, "height": rect.height}


def take_element_screenshot(automation: Automation, request: Request) -> str:
    """The visible part of an element as a PNG in base64."""
    widget = automation.widget(request.element)
    if widget is None or not widget.displayed:
        raise WebDriverError("unable to capture screen", "nothing of the element can be seen")
    return base64.b64encode(screenshot(automation.view(), widget.shown)).decode("ascii")


def _references(automation: Automation, request: Request, *, first: bool) -> list[dict[str, str]]:
    strategy, selector = text_in(request.body, "using"), text_in(request.body, "value")
    found = automation.find(strategy, selector, below=request.parts.get("element"), first=first)
    return [{ELEMENT_KEY: automation.id_of(node)} for node in found]


def _touchable(automation: Automation, node: Element) -> Widget:
    view = automation.view()
    if view.alert is not None and all(node is not inside for inside in view.alert.node):
        raise WebDriverError("unexpected alert open", f"an alert is open: {automation.app.alert_text()!r}")
    widget = view.of(node)
    if widget is None or not widget.displayed:
        raise WebDriverError("element not interactable", f"<{node.tag} id={node.get('id')!r}> cannot be seen")
    return widget


def _field(automation: Automation, element_id: str) -> Element:
    node = automation.element(element_id)
    widget = _touchable(automation, node)
    if node.tag != "MockInputField" or not widget.look.enabled:
        raise WebDriverError("invalid element state", f"<{node.tag} id={node.get('id')!r}> takes no text")
    return node


def _typed(request: Request) -> str:
    text = request.body.get("text", request.body.get("value"))
    if isinstance(text, list) and all(isinstance(part, str) for part in text):
        return "".join(text)
    if not isinstance(text, str):
        raise WebDriverError("invalid argument", "'text' must be a text")
    return text


ROUTES = (
    Route("POST", "/element", find_element),
    Route("POST", "/elements", find_elements),
    Route("GET", "/element/active", get_active_element),
    Route("POST", "/element/{element}/element", find_element),
    Route("POST", "/element/{element}/elements", find_elements),
    Route("POST", "/element/{element}/click", click),
    Route("POST", "/element/{element}/value", send_keys),
    Route("POST", "/element/{element}/clear", clear),
    Route("GET", "/element/{element}/text", get_text),
    Route("GET", "/element/{element}/name", get_tag_name),
    Route("GET", "/element/{element}/attribute/{name}", get_attribute),
    Route("GET", "/element/{element}/property/{name}", get_attribute),
    Route("GET", "/element/{element}/css/{name}", get_css_value),
    Route("GET", "/element/{element}/displayed", is_displayed),
    Route("GET", "/element/{element}/enabled", is_enabled),
    Route("GET", "/element/{element}/selected", is_selected),
    Route("GET", "/element/{element}/rect", get_rect),
    Route("GET", "/element/{element}/screenshot", take_element_screenshot),
)
