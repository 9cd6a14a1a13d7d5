"""A stand-in for a phone on the network: it speaks adb's transport as far as ``getprop`` needs it."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

_HEADER = struct.Struct("<4s5I")  # command, two arguments, length and sum of the data, command with its bits turned
_VERSION = 0x01000000
_LARGEST = 4096


class AdbDevice(socketserver.ThreadingTCPServer):
    """Listens on a free port; ``properties`` is what ``getprop`` says."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, properties: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Transport)
        self.properties = properties
        self.connections: list[socket.socket] = []

    @property
    def serial(self) -> str:
        """What adb calls it."""
        return f"127.0.0.1:{self.server_address[1]}"

    def pull_the_plug(self) -> None:
        """Break all connections and take no new ones."""
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)


class _Transport(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        device = cast("AdbDevice", self.server)
        device.connections.append(self.request)
        while len(header := self.rfile.read(_HEADER.size)) == _HEADER.size:
            command, theirs, _, length, _, _ = _HEADER.unpack(header)
            data = self.rfile.read(length)
            if command == b"CNXN":
                self._send(b"CNXN", _VERSION, _LARGEST, b"device::ro.product.model=stub;\0")
            elif command == b"OPEN" and data.startswith(b"shell:getprop"):
                listed = "".join(f"[{name}]: [{value}]\n" for name, value in device.properties.items())
                self._send(b"OKAY", 1, theirs)
                self._send(b"WRTE", 1, theirs, listed.encode())
                self._send(b"CLSE", 1, theirs)
            elif command == b"OPEN":
                self._send(b"CLSE", 0, theirs)

    def _send(self, command: bytes, first: int, second: int, data: bytes = b"") -> None:
        turned = int.from_bytes(command, "little") ^ 0xFFFFFFFF
        self.wfile.write(_HEADER.pack(command, first, second, len(data), sum(data), turned) + data)


@contextmanager
def an_adb_device(properties: Mapping[str, str]) -> Iterator[AdbDevice]:
    """A device that is there until the end or until its plug is pulled."""
    device = AdbDevice(properties)
    thread = threading.Thread(target=device.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield device
    finally:
        device.shutdown()
        device.server_close()
        thread.join()
