"""A relay between a farm and its test double that keeps what was said, and garbles it where a test asks for that.

What goes wrong on a wire is the same for every farm, so no double has to know how to fail.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pytest_devicefarm.simulator.server import ConnectionDropped, WsgiApp, serve

Trouble = Literal[
    "page", "half", "number", "text", "wrong types", "odd entries", "error", "echo", "drop", "lost", "slow"
]
"""What becomes of an answer:

    page         a web page instead, with status 200
    half         only its first half arrives
    number       ``7`` instead
    text         ``"null"`` instead, in quotes
    wrong types  objects become lists, lists objects, numbers text and text numbers
    odd entries  each outermost list of objects has a number as its last entry
    error        a gateway's page with status 502, and nothing happens on the double
    echo         status 400 with all that was sent, credentials too, and nothing happens on the double
    drop         no answer, and nothing happens on the double
    lost         no answer, although it happened
    slow         comes in pieces, with a pause between
"""

CREATE = r"POST .*/session$"
COMMAND = r"(GET|POST) .*/session/[^/]+/"
QUIT = r"DELETE .*/session/[^/]+$"
"""Calls that W3C WebDriver names, as `Relay.troubled` takes them."""

_PIECES = 4
_PAUSE = 0.05
_SECONDS = 30.0
_PAGE = b"<!doctype html><html><title>Sign in</title><body>Please sign in.</body></html>"
_OF_THE_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in, and the answer as the farm got it.

    Attributes:
        call: Method and path without query, as ``GET /v1/devices``.
        status: 0 where there was no answer.
        garbled: Whether something was done to the answer.
    """

    call: str
    sent: bytes = field(repr=False)
    status: int = 0
    got: bytes = field(default=b"", repr=False)
    garbled: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Relay:
    """Listens on loopback once for each address it is put in front of."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._addresses: dict[str, str] = {}
        self._lock = threading.Lock()
        self._trouble: tuple[Trouble, re.Pattern[str]] | None = None
        self.calls: list[Call] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def through(self, url: str) -> str:
        """The address that leads to ``url`` by way of this relay; its path stays."""
        parts = urlsplit(url)
        if parts.netloc not in self._addresses:
            self._addresses[parts.netloc] = self._stack.enter_context(serve(self._app(parts.netloc)))
        return self._addresses[parts.netloc] + url.partition(parts.netloc)[2]

    @contextmanager
    def troubled(self, trouble: Trouble, *, calls: str = "") -> Iterator[None]:
        """Garble the answers meanwhile.

        Args:
            calls: Regular expression that is searched in ``METHOD /path``; every call where it is empty.
        """
        self._trouble = trouble, re.compile(calls)
        try:
            yield
        finally:
            self._trouble = None

    def _app(self, netloc: str) -> WsgiApp:
        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            call = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            sent = environ["wsgi.input"].read()
            armed = self._trouble
            trouble = armed[0] if armed and armed[1].search(call) else None
            try:
                answer = self._answer(netloc, environ, sent, trouble)
            except ConnectionDropped:
                self._keep(Call(call, sent, garbled=trouble is not None))
                raise
            whole = _garbled(answer, trouble)
            self._keep(
                Call(call, sent, whole.status, whole.body, garbled=whole != answer or trouble in ("error", "echo"))
            )
            length = len(whole.body)
            start_response(f"{whole.status} {http.client.responses.get(whole.status, '')}", [
                *whole.headers, ("Content-Length", str(length)),
            ])  # fmt: skip
            if trouble == "half":
                return [whole.body[: length // 2]]
            return _dribbled(whole.body) if trouble == "slow" else [whole.body]

        return app

    def _keep(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)

    def _answer(self, netloc: str, environ: dict[str, Any], sent: bytes, trouble: Trouble | None) -> _Answer:
        if trouble == "drop":
            raise ConnectionDropped
        if trouble == "error":
            return _Answer(502, (("Content-Type", "text/html"),), b"<h1>502 Bad Gateway</h1>")
        if trouble == "echo":
            said = {name: str(value) for name, value in environ.items() if name.startswith(("HTTP_", "QUERY", "RAW"))}
            body = json.dumps({"message": f"what is {said} {sent.decode(errors='replace')}?"}).encode()
            return _Answer(400, (("Content-Type", "application/json"),), body)
        answer = _forwarded(netloc, environ, sent)
        if trouble == "lost":
            raise ConnectionDropped
        return answer


def _forwarded(netloc: str, environ: dict[str, Any], sent: bytes) -> _Answer:
    # The farm's own Host goes along, so that addresses in answers lead through the relay, too.
    headers = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers = {name: value for name, value in headers.items() if name.lower() not in _OF_THE_HOP}
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    connection = http.client.HTTPConnection(netloc, timeout=_SECONDS)
    try:
        connection.request(environ["REQUEST_METHOD"], environ["RAW_URI"], body=sent or None, headers=headers)
        reply = connection.getresponse()
        kept = tuple((name, value) for name, value in reply.getheaders() if name.lower() not in _OF_THE_HOP)
        return _Answer(reply.status, kept, reply.read())
    except (OSError, http.client.HTTPException):
        raise ConnectionDropped from None
    finally:
        connection.close()


def _garbled(answer: _Answer, trouble: Trouble | None) -> _Answer:
    match trouble:
        case "page":
            return replace(answer, status=200, headers=(("Content-Type", "text/html"),), body=_PAGE)
        case "number":
            return replace(answer, body=b"7")
        case "text":
            return replace(answer, body=b'"null"')
        case "wrong types" | "odd entries":
            change = _turned if trouble == "wrong types" else _with_odd_entries
            try:
                return replace(answer, body=json.dumps(change(json.loads(answer.body))).encode())
            except ValueError:
                return answer
        case _:
            return answer


def _turned(value: Any) -> Any:
    match value:
        case dict():
            return [_turned(each) for each in value.values()]
        case list():
            return {str(number): _turned(each) for number, each in enumerate(value)}
        case str():
            return len(value)
        case _:
            return json.dumps(value)


def _with_odd_entries(value: Any) -> Any:
    match value:
        case dict():
            return {name: _with_odd_entries(each) for name, each in value.items()}
        case list() if value and all(isinstance(each, dict) for each in value):
            return [*value, 7]
        case _:
            return value


def _dribbled(body: bytes) -> Iterator[bytes]:
    size = len(body) // _PIECES + 1
    for start in range(0, len(body), size):
        threading.Event().wait(_PAUSE)
        yield body[start : start + size]
