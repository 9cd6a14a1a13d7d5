"""A stand-in for the adb server: it knows devices, their states, and what ``getprop`` says on them."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

PIXEL = {
    "ro.product.model": "Pixel 8",
    "ro.product.manufacturer": "Google",
    "ro.build.version.release": "14",
}


class AdbServer(socketserver.ThreadingTCPServer):
    """Listens on a free port; ``devices`` maps serial numbers to states."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, devices: dict[str, str], properties: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.devices = devices
        self.properties = properties
        self.asked: list[str] = []


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast("AdbServer", self.server)
        serial = ""
        while size := self.rfile.read(4):
            command = self.rfile.read(int(size, 16)).decode()
            server.asked.append(command)
            self.wfile.write(b"OKAY")
            if command == "host:version":
                self.wfile.write(b"00040029")
                return
            if command == "host:devices":
                listed = "".join(f"{name}\t{state}\n" for name, state in server.devices.items())
                self.wfile.write(f"{len(listed):04x}{listed}".encode())
                return
            if command.startswith(("host:tport:", "host:transport:")):
                serial = command.rpartition(":")[2]
                if command.startswith("host:tport:"):
                    self.wfile.write(bytes(8))
                continue
            facts = server.properties.get(serial, {})
            self.wfile.write("".join(f"[{name}]: [{value}]\n" for name, value in facts.items()).encode())
            return


@contextmanager
def an_adb_server(
    devices: dict[str, str], properties: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[AdbServer]:
    """A server that runs until the end."""
    with AdbServer(devices, properties or {}) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
