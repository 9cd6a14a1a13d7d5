"""Small things to build tests of reports from, and a farm whose artifacts lie in memory."""

from __future__ import annotations

import json
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from support.clocks import ManualClock

from pytest_devicefarm.core.errors import FarmAnswerError
from pytest_devicefarm.core.farm import DeviceList, Farm, FarmSpec, Hub, Reset, SessionHandle
from pytest_devicefarm.core.model import (
    App,
    Artifact,
    ArtifactKind,
    Build,
    Device,
    FarmSession,
    RemoteArtifact,
    TestRecord,
)
from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.reports.artifacts import SessionJob

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(100)
WEBM = b"\x1aE\xdf\xa3" + bytes(100)
HAR = json.dumps({"log": {"version": "1.2", "entries": [{"request": {"url": "https://shop.example/"}}]}}).encode()
KEY = "key-that-nobody-may-see"


def png(width: int = 1, height: int = 1) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\x30\x60\xa0" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def a_device(name: str = "Galaxy S23", udid: str = "R5CT1") -> Device:
    return Device(id="7", udid=udid, name=name, platform="android", version="14")


def a_session(device: Device | None = None, url: str = "https://portal.example/sessions/42") -> FarmSession:
    return FarmSession(webdriver_id="wd-1", id="42", url=url, device=device or a_device(), started=100.0)


def a_job(
    nodeid: str = "tests/test_shop.py::test_login",
    *,
    kinds: Sequence[ArtifactKind] = (),
    outcome: str = "failed",
    try_number: int = 1,
    role: str = "",
    device: Device | None = None,
    session: FarmSession | None = None,
    opened: bool = True,
    live: Sequence[Artifact] = (),
    infrastructure: str = "",
    waited: float = 0.0,
    facts: Mapping[str, Any] | None = None,
) -> SessionJob:
    device = device or a_device()
    record = TestRecord(nodeid, try_number, outcome, device, role, 100.0, 112.5, facts or {})
    return SessionJob(
        test=record,
        session=(session or a_session(device)) if opened else None,
        kinds=tuple(kinds),
        live=tuple(live),
        infrastructure=infrastructure,
        waited=waited,
    )


class ShelfFarm(Farm):
    """Gives what tests put on its shelf.

    Each kind has a list of what the farm says when asked for it, one entry for each time; the last one stays.
    An entry is a list of contents: bytes, a text for "never", or an error that fetching raises.
    """

    spec = FarmSpec(
        name="shelf",
        title="Shelf",
        factory="",
        settings=(),
        artifacts={
            ArtifactKind.DEVICE_LOG: "late",
            ArtifactKind.APPIUM_LOG: "late",
            ArtifactKind.VIDEO: "late",
            ArtifactKind.NETWORK_LOG: "late",
            ArtifactKind.SCREENSHOT: "late",
        },
    )

    def __init__(self, **shelf: Sequence[Sequence[bytes | str | Exception]]) -> None:
        settings = FarmSettings(farm="shelf", values={}, secrets={"api_key": Secret(KEY)})
        super().__init__(settings, clock=ManualClock())
        self.shelf = {ArtifactKind(name.replace("_", "-")): list(says) for name, says in shelf.items()}
        self.asked: Counter[ArtifactKind] = Counter()
        self.threads: set[str] = set()
        self.closed = False
        self.on_ask: Callable[[], None] = lambda: None
        self._things: dict[str, bytes | Exception] = {}

    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        self.threads.add(threading.current_thread().name)
        self.on_ask()
        offers = []
        for kind in kinds:
            says = self.shelf.get(kind, [[]])
            said = says[min(self.asked[kind], len(says) - 1)]
            self.asked[kind] += 1
            for number, thing in enumerate(said):
                name = f"../{kind}-{number}"
                if isinstance(thing, str):
                    offers.append(RemoteArtifact(kind, name, unavailable=thing))
                else:
                    address = f"https://storage.example/{kind}/{number}/{self.asked[kind]}?X-Amz-Signature=abc"
                    self._things[address] = thing
                    offers.append(RemoteArtifact(kind, name, address=address))
        return offers

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        thing = self._things[artifact.address]
        if isinstance(thing, Exception):
            target.write_bytes(b"half of it")
            raise thing
        if len(thing) > limit:
            raise FarmAnswerError("too large")
        target.write_bytes(thing)
        return "application/octet-stream"

    def close(self) -> None:
        self.closed = True

    @property
    def api(self) -> Any:
        raise NotImplementedError

    @property
    def account(self) -> str:
        raise NotImplementedError

    @property
    def hub(self) -> Hub:
        raise NotImplementedError

    def check(self) -> str:
        raise NotImplementedError

    def list_devices(self) -> DeviceList:
        raise NotImplementedError

    def upload(self, build: Build, *, progress: Callable[[int, int], None] | None = None) -> App:
        raise NotImplementedError

    def list_apps(self) -> Sequence[App]:
        raise NotImplementedError

    def find_app(self, build: Build, known: App | None) -> App | None:
        raise NotImplementedError

    def parse_reference(self, text: str) -> App | None:
        raise NotImplementedError

    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        raise NotImplementedError

    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        raise NotImplementedError

    def end_session(self, handle: SessionHandle) -> bool:
        raise NotImplementedError
