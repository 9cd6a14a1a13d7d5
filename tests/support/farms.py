"""A small farm that keeps its sessions and reservations in a folder, so that several processes see the same farm."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_devicefarm.core.errors import FarmUnreachable
from pytest_devicefarm.core.farm import (
    DeviceList,
    Farm,
    FarmSpec,
    Hub,
    Progress,
    Reset,
    SessionHandle,
    Setting,
)
from pytest_devicefarm.core.model import (
    App,
    ArtifactKind,
    Build,
    Device,
    DeviceState,
    FarmSession,
    RemoteArtifact,
    Reservation,
)
from pytest_devicefarm.core.settings import FarmSettings, Secret

SPEC = FarmSpec(
    name="fake",
    title="A farm in a folder",
    factory="support.farms:FakeFarm",
    settings=(Setting("url", ("FAKE_URL",), "its folder"), Setting("key", ("FAKE_KEY",), "any text", secret=True)),
    reserve=True,
    poll_seconds=1.0,
)


def a_device(udid: str = "pixel-7", **facts: Any) -> Device:
    """A device that differs from others in what the test gives."""
    return Device(**{"id": udid, "udid": udid, "name": udid.title(), "platform": "android", "version": "14", **facts})


def fake_settings(folder: Path, **values: str) -> FarmSettings:
    """Settings of a farm in a folder; ``close_seconds`` is how long it takes to end a session."""
    return FarmSettings(farm="fake", values={"url": str(folder), **values}, secrets={"key": Secret("canary-key")})


class FakeFarm(Farm):
    """A farm in a folder; a file ``unreachable`` there takes it off the network."""

    spec = SPEC

    def __init__(self, settings: FarmSettings, *, clock: Any) -> None:
        super().__init__(settings, clock=clock)
        self.folder = Path(settings.get("url"))
        self.devices: list[Device] = []
        self.asked = 0

    # what a test does to it

    def open_session(self, token: str) -> str:
        """Open a session; gives its WebDriver id."""
        self._file("session", token).write_text("open")
        return f"wd-{token}"

    def sessions(self) -> set[str]:
        """Tokens of open sessions."""
        return self._open("session")

    def reservations(self) -> set[str]:
        """Ids of open reservations."""
        return self._open("reservation")

    def ended(self) -> list[str]:
        """Tokens and ids in the order in which they were asked to end."""
        log = self.folder / "ended.log"
        return log.read_text().split() if log.exists() else []

    # what the package asks of it

    @property
    def api(self) -> Any:
        return self

    @property
    def account(self) -> str:
        return f"fake://{self.settings.get('account', 'us')}@{self.folder}"

    @property
    def hub(self) -> Hub:
        return Hub("http://127.0.0.1:9/wd/hub")

    def check(self) -> str:
        return "we are here"

    def list_devices(self) -> DeviceList:
        return DeviceList(tuple(self.devices))

    def device_states(self, devices: Sequence[Device]) -> Mapping[str, tuple[DeviceState, str]]:
        self.asked += 1
        return super().device_states(devices) if self.devices else {}

    def reserve(self, devices: Sequence[Device], *, seconds: int, token: str) -> Reservation:
        self._answer()
        self._file("reservation", f"r-{token}").write_text("open")
        return Reservation(f"r-{token}", tuple(device.udid for device in devices), self.clock.time() + seconds)

    def cancel(self, reservation_id: str) -> None:
        self._end("reservation", reservation_id)

    def find_reservations(self, udids: Sequence[str], *, token: str, since: float) -> Sequence[str]:
        self._answer()
        return sorted(self.reservations() & {f"r-{token}"})

    def list_apps(self) -> Sequence[App]:
        return ()

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        return App(build.sha256, build.upload_name, sha256=build.sha256)

    def find_app(self, build: Build, known: App | None) -> App | None:
        return known

    def parse_reference(self, text: str) -> App | None:
        return None

    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        return {"appium:udid": device.udid}

    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        return FarmSession(webdriver_id, "", "", device, started)

    def end_session(self, handle: SessionHandle) -> bool:
        return self._end("session", handle.token)

    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        return ()

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        raise NotImplementedError

    def _file(self, kind: str, name: str) -> Path:
        self.folder.mkdir(exist_ok=True)
        return self.folder / f"{name}.{kind}"

    def _open(self, kind: str) -> set[str]:
        return {path.stem for path in self.folder.glob(f"*.{kind}")}

    def _answer(self) -> None:
        if (self.folder / "unreachable").exists():
            raise FarmUnreachable(f"the farm does not answer; the key is {self.settings.secret('key').reveal()}")

    def _end(self, kind: str, name: str) -> bool:
        self._answer()
        time.sleep(float(self.settings.get("close_seconds", "0")))
        file = self._file(kind, name)
        known = file.exists() or name in self.ended()
        file.unlink(missing_ok=True)
        with (self.folder / "ended.log").open("a") as log:
            log.write(f"{name}\n" if known else "")
        return known
