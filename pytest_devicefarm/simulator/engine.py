"""What executes a session's WebDriver commands: the built-in engine, or a real Appium server."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import requests

from pytest_devicefarm.simulator.webdriver import AppSession, WebDriverError

_CHANGES_SCREEN = ("/click", "/value", "/clear", "/actions", "/orientation", "/url", "/back", "/dismiss", "/accept")
_CONNECT_TIMEOUT, _COMMAND_TIMEOUT = 5, 600


class Reply(NamedTuple):
    """An answer as it goes over the wire."""

    status: int
    content_type: str
    body: bytes


class EngineRefused(Exception):
    """No session could be opened; carries the answer to pass on."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body[:500].decode("utf-8", "replace"))
        self.reply = reply


class Engine(Protocol):
    """One session's executor; commands may come from several threads."""

    @property
    def capabilities(self) -> Mapping[str, Any]:
        """What the new session can do."""
        ...

    def forward(self, method: str, path: str, body: bytes) -> Reply:
        """Executes one command; `path` is the part behind `/session/{id}`."""
        ...

    def picture(self, path: str, reply: Reply) -> bytes | None:
        """A PNG of the screen if the command just answered shows or changes it, else None."""
        ...

    def device_lines(self) -> list[str]:
        """What the app wrote to the device's log, as far as no command has read it."""
        ...

    def close(self) -> None:
        """Ends the session; calls again do nothing."""
        ...


def webdriver_reply(value: Any, status: int = 200) -> Reply:
    """An answer in W3C form."""
    body = json.dumps({"value": value}, separators=(",", ":")).encode()
    return Reply(status, "application/json; charset=utf-8", body)


def webdriver_error(error: str, message: str, status: int) -> Reply:
    """A refusal in W3C form."""
    return webdriver_reply({"error": error, "message": message, "stacktrace": ""}, status)


class BuiltInEngine:
    """Drives an app described in XML."""

    def __init__(self, session: AppSession, capabilities: Mapping[str, Any]) -> None:
        self._session = session
        self.capabilities = capabilities

    def forward(self, method: str, path: str, body: bytes) -> Reply:
        """Executes one command."""
        try:
            given = json.loads(body) if body.strip() else {}
        except ValueError:
            return webdriver_error("invalid argument", "the body is not JSON", 400)
        if not isinstance(given, dict):
            return webdriver_error("invalid argument", "the body is not a JSON object", 400)
        try:
            return webdriver_reply(self._session.execute(method, path, given))
        except WebDriverError as error:
            return webdriver_error(error.error, error.message, error.status)

    def picture(self, path: str, reply: Reply) -> bytes | None:
        """A PNG of the screen after a command that changed it."""
        if reply.status >= 400:
            return None
        if path == "/screenshot":
            return _decoded(reply)
        if not path.endswith(_CHANGES_SCREEN):
            return None
        return _decoded(self.forward("GET", "/screenshot", b""))

    def device_lines(self) -> list[str]:
        """What the app wrote to the device's log."""
        return list(self._session.device_log)

    def close(self) -> None:
        """Ends the session."""
        self._session.close()


class AppiumEngine:
    """Passes commands on to a real Appium server; statuses and bodies come back unchanged.

    Raises:
        EngineRefused: The server opened no session, or does not answer.
    """

    def __init__(self, url: str, capabilities: Mapping[str, Any]) -> None:
        self._url = url.rstrip("/")
        self._local = threading.local()
        self._closed = False
        body = json.dumps({"capabilities": {"alwaysMatch": capabilities, "firstMatch": [{}]}}).encode()
        reply = self._send("POST", "/session", body)
        if reply.status != 200:
            raise EngineRefused(reply)
        value = json.loads(reply.body)["value"]
        self.capabilities: Mapping[str, Any] = value["capabilities"]
        self._session = f"/session/{value['sessionId']}"

    def forward(self, method: str, path: str, body: bytes) -> Reply:
        """Executes one command."""
        return self._send(method, self._session + path, body)

    def picture(self, path: str, reply: Reply) -> bytes | None:
        """A PNG of the screen when the command was to take one."""
        return _decoded(reply) if path == "/screenshot" and reply.status == 200 else None

    def device_lines(self) -> list[str]:
        """Nothing: the server keeps its devices' logs to itself."""
        return []

    def close(self) -> None:
        """Ends the session at the server; whether the server is still there does not matter."""
        if not self._closed:
            self._closed = True
            self._send("DELETE", self._session, b"")

    def _send(self, method: str, path: str, body: bytes) -> Reply:
        http: requests.Session | None = getattr(self._local, "http", None)
        if http is None:
            http = self._local.http = requests.Session()
            http.trust_env = False
        try:
            answer = http.request(
                method,
                self._url + path,
                data=body or None,
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=(_CONNECT_TIMEOUT, _COMMAND_TIMEOUT),
                allow_redirects=False,
            )
        except requests.RequestException:
            page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
            return Reply(502, "text/html", page)
        return Reply(answer.status_code, answer.headers.get("Content-Type", "application/json"), answer.content)


def _decoded(reply: Reply) -> bytes | None:
    try:
        return base64.b64decode(json.loads(reply.body)["value"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
