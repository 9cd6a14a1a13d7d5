"""A web server on loopback that gives prepared answers and keeps what it was asked."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

_KEPT = 2 * 1024**2


@dataclass(frozen=True)
class Answer:
    """What the server says; ``length`` overrides the announced length, ``hang_up`` ends without a word."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    length: int | None = None
    hang_up: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it came in; of a large body only the start is kept."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    size: int


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Gives the answers in turn, the last one for ever."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._answers = list(answers) or [Answer()]
        self._lock = threading.Lock()
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        left = size = int(self.headers.get("Content-Length", "0"))
        body = b""
        while left and (block := self.rfile.read(min(left, 65536))):
            left -= len(block)
            body += block if len(body) < _KEPT else b""
        answer = self.server.take(Asked(self.command, self.path, dict(self.headers), body, size - left))
        self.close_connection = True
        if answer.hang_up:
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def answering(*answers: Answer) -> Iterator[ScriptedServer]:
    """Run a server that gives these answers."""
    with ScriptedServer(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
