"""A small threaded HTTP server for WSGI applications on this machine.

It keeps connections alive, hands bodies over as they come, and lets an application break off a connection, all of
which the development server of werkzeug does not do.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any
from urllib.parse import unquote

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_IDLE, _LINGER, _POLL = 120.0, 2.0, 0.01
_PIECE = 256 * 1024


class ConnectionDropped(Exception):
    """Raised by an application that wants the connection closed without an answer."""


class _Body:
    """A request's body: no more than its length, and aware of what is left."""

    def __init__(self, file: BufferedIOBase, length: int) -> None:
        self._file = file
        self.left = length

    def read(self, size: int = -1) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        data = self._file.read(wanted) if wanted else b""
        self.left = self.left - len(data) if len(data) == wanted else 0
        return data

    def readline(self, size: int = -1) -> bytes:
        data = self._file.readline(self.left if size < 0 else min(size, self.left))
        self.left -= len(data)
        return data

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(iter(self.readline, b""))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    sys_version = ""
    timeout = _IDLE
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def __getattr__(self, name: str) -> Any:
        # http.server looks for one method per verb; the application decides about all of them.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the console quiet; the record has every request."""

    def _answer(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            self.send_error(400)
            return
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        body = _Body(self.rfile, length)
        parts: Iterable[bytes] = ()
        try:
            started: list[Any] = []
            parts = self.server.app(
                self._environ(body), lambda status, headers, error=None: started.extend((status, headers))
            )
            self._send(started[0], started[1], parts, after_body=body.left == 0 and not chunked)
        except ConnectionDropped:
            self.close_connection = True
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        if self.close_connection and (body.left or chunked):
            self._linger()

    def _environ(self, body: _Body) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if "Content-Length" in self.headers:
            environ["CONTENT_LENGTH"] = self.headers["Content-Length"]
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes], *, after_body: bool) -> None:
        names = {name.lower(): value for name, value in headers}
        promised = int(names.get("content-length", -1))
        if promised < 0 or not after_body or names.get("connection", "").lower() == "close":
            self.close_connection = True
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection and "connection" not in names:
            self.send_header("Connection", "close")
        self.end_headers()
        sent = 0
        for part in parts:
            sent += len(part)
            self.wfile.write(part)
        self.wfile.flush()
        if self.command != "HEAD" and sent != promised:
            self.close_connection = True

    def _linger(self) -> None:
        """Swallows what the client is still sending, so that it gets to read the answer before the reset."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER)
            while self.connection.recv(_PIECE):
                pass


class Server(ThreadingHTTPServer):
    """Serves one application on loopback, one thread per connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, app: WsgiApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:4711`."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serves one connection to its end."""
        self._connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.discard(request)

    def server_close(self) -> None:
        """Stops listening and breaks off the connections that are still open."""
        super().server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Reports errors of the application, and leaves out clients that hang up."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


@contextmanager
def serve(app: WsgiApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serves an application from a thread of this process, and gives its address.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
    """
    server = Server(app, host, port)
    thread = threading.Thread(target=server.serve_forever, args=(_POLL,), name="simulator", daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
