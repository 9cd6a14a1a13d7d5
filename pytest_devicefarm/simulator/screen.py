"""A running app: what its screen shows, and what happens when it is touched.

An app is XML in the form of the Appium fake driver, `<app width="400" height="852">` with a `<title>`, elements, and
`<alert id= text= hasPrompt=>`. Any tag makes an element; `MockButton`, `MockInputField`, `MockSwitch`, `MockList`,
`MockListItem` and `MockWebView` (with `<html>` inside) are drawn as such. The fake driver reads `id`, `left`, `top`,
`width`, `height`, `visible`, `enabled`, `selected` and `showAlert`. All else here is our extension, which it ignores;
we in turn ignore every attribute that is not in this table.

| where | what | means |
|---|---|---|
| `<app>` | `package version platform` | who the build says it is |
| `<app>` | `set` | variables at the start |
| `<screen id=>` | its children | there only while it is open; the first one opens first; may have a `<title>` |
| element | `text`, else its own text | what it shows; `{name}` is replaced by a variable |
| element | `label` | its accessibility id, beside its `id` (for a button also its text) |
| element | `visibleWhen` | a condition; false takes it off the screen |
| element | `enabledWhen selectedWhen` | a condition |
| `MockInputField` | `id` | is also the variable that holds what was typed |
| `MockInputField` | `hint secret` | shown while empty; `secret="true"` shows asterisks |
| `MockList` | `filter` | a variable; only children that contain its text are there |
| `MockList` | `inbox` | an address; letters to it (`""` = to everybody) are appended as items |
| alert | `accept dismiss` | texts of its buttons (`OK`, and none); elements `<id>-accept` and `<id>-dismiss` |
| alert | `permission` | accepted at once with the capability `autoGrantPermissions` |
| effect | `delay after` | seconds before it happens: the tap waits for it, or returns at once |
| effect | `send to` | sends a text to an address (none = everybody else) through the world's mailbox |
| effect | `set add toggle` | `name=text; ...`, `name=number; ...`, a variable that changes between empty and `on` |
| effect | `goTo showAlert` | opens a screen, an alert |

The effect attributes stand on any element, which does them in the order of the table when tapped, and on its `<effect>`
children. Of these the first one happens whose `when` holds (none = always) and whose `on` fits: `tap`, or in an alert
`accept` and `dismiss`. Conditions are tests joined by `and`: `name`, `!name`, `name=text`, `name!=text`. The variables
`orientation`, `inbox` (the newest letter) and an alert's id (what was typed into its prompt) are set by the app itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from pytest_devicefarm.simulator.layout import HEADER, MARGIN, Look, Rect, View, Widget, column, content_height
from pytest_devicefarm.simulator.mailbox import Mailbox
from pytest_devicefarm.simulator.source import AppSource
from pytest_devicefarm.simulator.variables import Variables

PORTRAIT = "PORTRAIT"
LANDSCAPE = "LANDSCAPE"

_ALERT_WIDTH = 320
_ALERT_HEIGHT = 200


class RunningApp:
    """One app on one phone, from its start to its end; used by one thread at a time."""

    def __init__(
        self,
        source: AppSource,
        *,
        now: Callable[[], float],
        wait: Callable[[float], None],
        mailbox: Mailbox,
        log: Callable[[str], None],
        grants_permissions: bool = False,
    ) -> None:
        self.source = source
        self.running = True
        self.orientation = PORTRAIT
        self._now = now
        self._wait = wait
        self._mailbox = mailbox
        self._log = log
        self._grants_permissions = grants_permissions
        self._address = uuid.uuid4().hex
        self.restart()

    def restart(self) -> None:
        """Start the app anew; nothing it knew is left."""
        self.running = True
        self._root = self.source.tree()
        self._alerts = {node.get("id", ""): node for node in self._root.iter("alert")}
        for name, node in self._alerts.items():
            _add_alert_buttons(name, node)
        self._variables = Variables()
        self._variables["orientation"] = self.orientation
        self._variables.assign(self._root.get("set", ""))
        first = self._root.find("screen")
        self._screens = [] if first is None else [first.get("id", "")]
        self._alert: Element | None = None
        self._focus: Element | None = None
        self._scrolled: dict[Element, int] = {}
        self._taps: dict[Element, int] = {}
        self._later: list[tuple[float, Element]] = []
        self._read = self._mailbox.last
        self._log(f"started {self.source.package} {self.source.version}")

    def stop(self) -> None:
        """End the app; the screen is empty until `restart`."""
        self.running = False
        self._log(f"stopped {self.source.package}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the screen as it is held."""
        upright = self.source.width, self.source.height
        return upright if self.orientation == PORTRAIT else upright[::-1]

    @property
    def alert(self) -> Element | None:
        """The open alert."""
        return self._alert

    @property
    def root(self) -> Element:
        """The description with what the app added to it."""
        return self._root

    def turn(self, orientation: str) -> None:
        """Hold the phone the other way."""
        self.orientation = self._variables["orientation"] = orientation

    def catch_up(self) -> None:
        """Let happen what is due by now: effects with `after`, and letters that have come."""
        now = self._now()
        due = [effect for at, effect in self._later if at <= now]
        self._later = [(at, effect) for at, effect in self._later if at > now]
        for effect in due:
            self._happen(effect, is_due=True)
        for letter in self._mailbox.since(self._read):
            self._read = letter.number
            if letter.to or letter.sender != self._address:
                self._deliver(letter.to, letter.text)

    def view(self) -> View:
        """The screen as it is now."""
        width, height = self.size
        whole = Rect(0, 0, width, height)
        if not self.running:
            return View("", self.size, (), None, None)
        nodes: list[Element] = []
        title = self._root.findtext("title") or ""
        for node in self._root:
            if node.tag == "screen":
                if self._screens[-1] == node.get("id"):
                    title = node.findtext("title") or title
                    nodes += [child for child in node if _is_element(child)]
            elif _is_element(node):
                nodes.append(node)
        place = Rect(MARGIN, HEADER + MARGIN, width - 2 * MARGIN, height)
        widgets = column(tuple(nodes), place, self._look, clip=whole)
        alert = None if self._alert is None else self._alert_widget(self._alert, whole)
        return View(self._variables.fill(title.strip()), self.size, widgets, alert, self._focus)

    def text_of(self, node: Element) -> str:
        """What an element says: its content when it is an input field, else its text."""
        if node.tag == "MockInputField":
            return self._variables[node.get("id", "")]
        return self._variables.fill(node.get("text") or (node.text or "").strip())

    def taps_on(self, node: Element) -> int:
        """How often an element was tapped."""
        return self._taps.get(node, 0)

    def tap(self, node: Element) -> None:
        """Touch an element: it gets the focus, or does what its description says."""
        self._taps[node] = self.taps_on(node) + 1
        self._log(f"tap {node.get('id') or node.tag}")
        alert = self._alert
        if alert is not None and node in alert:
            self.answer_alert("accept" if node is alert[0] else "dismiss")
            return
        if node.tag == "MockInputField":
            self._focus = node
        self._happen(node)

    def type(self, node: Element, text: str) -> None:
        """Put text behind what an input field holds."""
        self._focus = node
        self._variables[node.get("id", "")] += text

    def clear(self, node: Element) -> None:
        """Empty an input field."""
        self._variables[node.get("id", "")] = ""

    def hide_keyboard(self) -> bool:
        """Take the focus away; False when no field had it."""
        had, self._focus = self._focus is not None, None
        return had

    def scroll(self, widget: Widget, pixels: float) -> bool:
        """Move the content of a list up by so many pixels; False when its end stopped it."""
        most = max(0, content_height(widget) - widget.rect.height)
        before = self._scrolled.get(widget.node, 0)
        wanted = before + round(pixels)
        self._scrolled[widget.node] = min(max(0, wanted), most)
        return self._scrolled[widget.node] == wanted

    def back(self) -> None:
        """The back key: away with the alert, else to the screen before."""
        if self._alert is not None:
            self.answer_alert("dismiss")
        elif len(self._screens) > 1:
            self._screens.pop()
            self._focus = None

    def alert_text(self) -> str:
        """What the open alert says."""
        return "" if self._alert is None else self._variables.fill(self._alert.get("text", ""))

    def answer_alert(self, how: str) -> None:
        """Close the open alert with `accept` or `dismiss`."""
        alert, self._alert = self._alert, None
        if alert is not None:
            self._log(f"{how} {alert.get('id')}")
            self._choose(alert, how)

    def type_into_alert(self, text: str) -> bool:
        """Answer a prompt; False when the open alert has none."""
        if self._alert is None or self._alert.get("hasPrompt") != "true":
            return False
        self._variables[self._alert.get("id", "")] = text
        return True

    def _happen(self, node: Element, *, is_due: bool = False) -> None:
        after = float(node.get("after", 0))
        if after and not is_due:
            self._later.append((self._now() + after, node))
            return
        delay = float(node.get("delay", 0))
        if delay:
            self._wait(delay)
        letter = node.get("send")
        if letter is not None:
            to = self._variables.fill(node.get("to", ""))
            self._mailbox.send(self._variables.fill(letter), sender=self._address, to=to)
        self._variables.assign(node.get("set", ""))
        self._variables.add(node.get("add", ""))
        toggled = node.get("toggle")
        if toggled:
            self._variables[toggled] = "" if self._variables[toggled] else "on"
        screen = node.get("goTo")
        if screen is not None:
            self._screens.append(screen)
            self._focus = None
            self._log(f"screen {screen}")
        alert = node.get("showAlert")
        if alert is not None:
            self._show_alert(alert)
        self._choose(node, "tap")

    def _choose(self, node: Element, how: str) -> None:
        for effect in node.findall("effect"):
            when = effect.get("when")
            if effect.get("on", "tap") == how and (when is None or self._variables.holds(when)):
                self._happen(effect)
                return

    def _show_alert(self, name: str) -> None:
        self._alert = self._alerts[name]
        self._log(f"alert {name}")
        if self._grants_permissions and "permission" in self._alert.attrib:
            self.answer_alert("accept")

    def _deliver(self, to: str, text: str) -> None:
        for node in self._root.iter("MockList"):
            address = node.get("inbox")
            if address is not None and self._variables.fill(address) == to:
                SubElement(node, "MockListItem", {"id": f"letter-{len(node) + 1}", "text": text})
                self._variables["inbox"] = text
                self._log("letter came")

    def _look(self, node: Element) -> Look | None:
        condition = node.get("visibleWhen")
        if condition is not None and not self._variables.holds(condition):
            return None
        children = tuple(child for child in node if _is_element(child)) if node.tag != "MockWebView" else ()
        wanted = self._variables[node.get("filter", "")].strip().lower()
        if wanted:
            children = tuple(child for child in children if wanted in self.text_of(child).lower())
        return Look(
            text=self.text_of(node),
            visible=node.get("visible") != "false",
            enabled=self._state(node, "enabled", default=True),
            selected=self._state(node, "selected", default=False),
            secret=node.get("secret") == "true",
            scroll=self._scrolled.get(node, 0),
            children=children,
        )

    def _state(self, node: Element, name: str, *, default: bool) -> bool:
        condition = node.get(f"{name}When")
        if condition is not None:
            return self._variables.holds(condition)
        return node.get(name, "true" if default else "false") == "true"

    def _alert_widget(self, node: Element, screen: Rect) -> Widget:
        width, height = min(_ALERT_WIDTH, screen.width - 2 * MARGIN), _ALERT_HEIGHT
        box = Rect((screen.width - width) // 2, (screen.height - height) // 2, width, height)
        buttons = [child for child in node if child.tag == "MockButton"]
        each = width // len(buttons)
        children = []
        for index, button in enumerate(buttons):
            rect = Rect(box.x + index * each + 8, box.y + height - 56, each - 16, 48)
            look = self._look(button)
            if look is not None:
                children.append(Widget(button, look, rect, rect))
        text = self._variables[node.get("id", "")] if node.get("hasPrompt") == "true" else ""
        look = Look(self.alert_text() + (f"\n{text}" if text else ""), True, True, False, False, 0, ())
        return Widget(node, look, box, box, tuple(children))


def _is_element(node: Element) -> bool:
    return node.tag not in ("title", "alert", "effect", "screen")


def _add_alert_buttons(name: str, node: Element) -> None:
    for position, (answer, default) in enumerate((("accept", "OK"), ("dismiss", None))):
        text = node.get(answer, default)
        if text is not None:
            node.insert(position, Element("MockButton", {"id": f"{name}-{answer}", "text": text}))
