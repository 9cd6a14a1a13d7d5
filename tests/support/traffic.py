"""A relay in front of a server that keeps every byte of both directions."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class Relay(socketserver.ThreadingTCPServer):
    """Passes connections on to one address."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(url)
        self.target = (parts.hostname or "", parts.port or 80)
        self.seen = bytearray()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def signatures(self) -> set[str]:
        """The signatures of all addresses that the farm has given."""
        return {match.decode() for match in re.findall(rb"X-Amz-Signature=([0-9a-f]{64})", bytes(self.seen))}


class _Handler(socketserver.BaseRequestHandler):
    server: Relay
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(self.server.target, timeout=60) as farm:
            answers = threading.Thread(target=self._pass_on, args=(farm, self.request), daemon=True)
            answers.start()
            self._pass_on(self.request, farm)
            answers.join()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.server.seen += data
                target.sendall(data)
        for side in (source, target):  # whoever hangs up ends both directions, as without a relay
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@contextmanager
def relayed(url: str) -> Iterator[Relay]:
    """Run a relay in front of an address."""
    with Relay(url) as relay:
        thread = threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            relay.shutdown()
            thread.join()
