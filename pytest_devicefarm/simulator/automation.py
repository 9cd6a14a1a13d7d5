"""What one WebDriver session holds between its commands; the commands in `commands/` work on it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.elements import Page, native_page, web_page
from pytest_devicefarm.simulator.layout import View, Widget
from pytest_devicefarm.simulator.mailbox import Mailbox
from pytest_devicefarm.simulator.protocol import WebDriverError
from pytest_devicefarm.simulator.screen import RunningApp
from pytest_devicefarm.simulator.source import AppSource

NATIVE = "NATIVE_APP"
_POLL = 0.25


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the device log; `at` is in seconds since the epoch."""

    at: float
    level: str
    message: str


class Automation:
    """The app under test as WebDriver sees it: contexts, element ids, timeouts, settings, the device log."""

    def __init__(self, *, app: AppSource, capabilities: Mapping[str, Any], clock: Clock, mailbox: Mailbox) -> None:
        self.capabilities = dict(capabilities)
        self.clock = clock
        self.closed = threading.Event()
        self.context = NATIVE
        self.timeouts = {"script": 30000, "pageLoad": 300000, "implicit": 0}
        self.settings: dict[str, Any] = {}
        self.log_lines: list[LogLine] = []
        self._log_read = 0
        self.actions: list[Any] = []
        self.is_recording = False
        self._elements: dict[str, Element] = {}
        self.app = RunningApp(
            app,
            now=clock.now,
            wait=self.wait,
            mailbox=mailbox,
            log=self.log,
            grants_permissions=self.capability("autoGrantPermissions") is True,
        )

    def capability(self, name: str) -> Any:
        """A capability of Appium, with or without its prefix."""
        return self.capabilities.get(f"appium:{name}", self.capabilities.get(name))

    @property
    def is_ios(self) -> bool:
        """Whether the phone is one of Apple's."""
        return str(self.capabilities.get("platformName", "")).lower() == "ios"

    def log(self, message: str) -> None:
        """Add a line to the device log."""
        self.log_lines.append(LogLine(self.clock.now(), "INFO", message))

    def unread_log(self) -> list[LogLine]:
        """The lines of the device log since the last call, as a reader of logcat gets them."""
        lines = self.log_lines[self._log_read :]
        self._log_read += len(lines)
        return lines

    def wait(self, seconds: float) -> None:
        """Let simulated seconds pass; ends at once, with an error, when the session is closed meanwhile."""
        self.clock.sleep(seconds, until=self.closed.is_set)
        if self.closed.is_set():
            raise WebDriverError("invalid session id", "the session was closed while a command was running")

    def view(self) -> View:
        """The screen as it is now."""
        return self.app.view()

    def page(self) -> Page:
        """What the locators of the present context look at."""
        if self.context == NATIVE:
            return native_page(self.app, self.view())
        return web_page(self._web_pages()[self.context])

    @property
    def contexts(self) -> tuple[str, ...]:
        """The native context and one for each web view on the screen."""
        return (NATIVE, *self._web_pages())

    def _web_pages(self) -> dict[str, Element]:
        shown = [widget.node for widget in self.view().all() if widget.node.tag == "MockWebView"]
        return {f"WEBVIEW_{number}": node[0] for number, node in enumerate(shown, 1) if len(node)}

    def find(self, strategy: str, selector: str, *, below: str | None = None, first: bool = False) -> list[Element]:
        """The elements a locator fits, waiting for one as long as the implicit timeout says.

        Args:
            strategy: As in `Page.find`.
            selector: What the strategy looks for.
            below: Id of the element to look inside.
            first: A miss is an error: `no such element`.
        """
        end = self.clock.now() + self.timeouts["implicit"] / 1000
        while True:
            self.app.catch_up()
            parent = None if below is None else self.element(below)
            found = self.page().find(strategy, selector, below=parent)
            left = end - self.clock.now()
            if found or left <= 0:
                break
            self.wait(min(_POLL, left))
        if first and not found:
            raise WebDriverError("no such element", f"no element on the screen has {strategy} {selector!r}")
        return found

    def id_of(self, element: Element) -> str:
        """The id by which commands name an element."""
        for known, node in self._elements.items():
            if node is element:
                return known
        new = str(uuid.uuid4())
        self._elements[new] = element
        return new

    def element(self, element_id: str) -> Element:
        """The element of an id.

        Raises:
            WebDriverError: The id was never given out, or its element is no longer on the screen.
        """
        node = self._elements.get(element_id)
        if node is None:
            raise WebDriverError("no such element", f"no element of this session has the id {element_id!r}")
        if all(node is not shown for shown in self.page().nodes.values()):
            raise WebDriverError("stale element reference", f"<{node.tag} id={node.get('id')!r}> has left the screen")
        return node

    def widget(self, element_id: str) -> Widget | None:
        """The element as it stands on the native screen; None for one inside a web page."""
        return self.view().of(self.element(element_id))
