"""What an Appium server answers beside WebDriver commands: its state, its sessions, and the end of one."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import FarmAnswerError, FarmRefused, FarmUnreachable
from pytest_devicefarm.core.transport import Reply, Transport

_PATIENCE = (2.0, 10.0)


class ListedSession(NamedTuple):
    """A session as the server shows it, with the capabilities it was opened with."""

    id: str
    capabilities: Mapping[str, Any]


class AppiumServer:
    """One Appium server, Appium 2 or 3.

    Args:
        url: Its address with base path, such as ``http://127.0.0.1:4723``.
    """

    def __init__(self, url: str, *, clock: Clock) -> None:
        self.url = url
        self._transport = Transport(url, clock=clock, retries=1, timeout=_PATIENCE)

    def close(self) -> None:
        """Give back connections."""
        self._transport.close()

    def version(self) -> str:
        """The version it tells; ``""`` where it tells none (Appium, GET /status).

        Raises:
            FarmAnswerError: What answers there is no WebDriver server.
        """
        value = _value(self._transport.call("GET", "/status", ok=range(200, 600)))
        if not isinstance(value, dict):
            raise FarmAnswerError(
                f"{self.url} answers, but not as an Appium server does; check the address", method="GET", path="/status"
            )
        build = value.get("build")
        return str(build.get("version", "")) if isinstance(build, dict) else ""

    def sessions(self) -> list[ListedSession] | None:
        """All sessions; ``None`` where the server does not tell.

        Source: Appium 3, GET /appium/sessions, allowed by the server's ``session_discovery``; Appium 2, GET /sessions.
        """
        for path in ("/appium/sessions", "/sessions"):
            try:
                value = _value(self._transport.call("GET", path))
            except (FarmRefused, FarmAnswerError):
                continue
            if isinstance(value, list):
                return [
                    ListedSession(str(one["id"]), one["capabilities"])
                    for one in value
                    if isinstance(one, dict) and "id" in one and isinstance(one.get("capabilities"), dict)
                ]
        return None

    def end(self, session_id: str) -> None:
        """End a session; one that has ended already is fine (W3C WebDriver, Delete Session)."""
        reply = self._transport.call("DELETE", f"/session/{session_id}", ok=(200, 404), timeout=(2.0, 30.0))
        _value(reply)

    def listens(self) -> bool:
        """Whether anything listens at its address; no answer at all, as from a machine that is off, is an error.

        Raises:
            FarmUnreachable: It cannot be told.
        """
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout=_PATIENCE[0]).close()
        except ConnectionRefusedError:
            return False
        except OSError as error:
            raise FarmUnreachable(
                f"no connection to {self.url}: {error.strerror or error}; see whether it is up"
            ) from None
        return True


def _value(reply: Reply) -> Any:
    answer = reply.json()
    if not isinstance(answer, dict) or "value" not in answer:
        raise FarmAnswerError(
            "the answer is not one of an Appium server; check the address of the server",
            method=reply.method,
            path=reply.path,
            status=reply.status,
        )
    return answer["value"]
