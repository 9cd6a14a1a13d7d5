"""Phones on a shelf: Android devices plugged into one Appium server that has its session discovery switched on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import DeviceBusy, FarmNotFound, SessionNotCreated
from pytest_devicefarm.core.farm import DeviceList, Farm, FarmSpec, Hub, Progress, Reset, SessionHandle, Setting
from pytest_devicefarm.core.model import App, ArtifactKind, Build, Device, DeviceState, FarmSession, RemoteArtifact
from pytest_devicefarm.core.settings import FarmSettings

NO_FILES = "an Appium server keeps no files; pytest-devicefarm itself takes screenshots and the command timeline"
TOKEN = "shelf:token"

SPEC = FarmSpec(
    name="shelf",
    title="Phones on a shelf",
    factory="devicefarm_shelf:ShelfFarm",
    settings=(
        Setting("url", ("SHELF_URL",), "address of the Appium server"),
        Setting("phones", ("SHELF_PHONES",), "their UDIDs, with commas between"),
    ),
    resets=("none", "app"),
    cannot={
        "reserve": "an Appium server has no bookings; whoever opens a session has the phone",
        "renew": "what cannot be reserved cannot be renewed",
        "upload": "an Appium server keeps no builds: name one by an http address with --farm-app",
        "verdict": "an Appium server keeps no verdicts",
        "link": "an Appium server has no portal",
        "device": "nobody but the owner of the shelf may wipe its phones",
        **dict.fromkeys(["late artifacts", "device-log", "appium-log", "video", "network-log"], NO_FILES),
    },
    worst_case="a session ends two minutes after its last command",
    poll_seconds=1.0,
)


class Status(TypedDict):
    value: dict[str, Any]


class Session(TypedDict):
    id: str
    capabilities: dict[str, Any]


class Sessions(TypedDict):
    value: list[Session]


class ShelfFarm(Farm):
    """One shelf."""

    spec = SPEC

    def __init__(self, settings: FarmSettings, *, clock: Clock) -> None:
        from pytest_devicefarm.core.transport import Transport  # imports HTTP, so not before a shelf is used

        super().__init__(settings, clock=clock)
        self._http = Transport(settings.get("url"), clock=clock)

    def close(self) -> None:
        self._http.close()

    @property
    def api(self) -> Any:
        return self._http

    @property
    def account(self) -> str:
        return self.settings.get("url")

    @property
    def hub(self) -> Hub:
        return Hub(self.settings.get("url"))

    def check(self) -> str:
        return f"Appium says {self._http.call('GET', '/status').decode(Status)['value'].get('message', 'nothing')}"

    def list_devices(self) -> DeviceList:
        used = {session["capabilities"].get("udid") for session in self._sessions()}
        udids = [udid.strip() for udid in self.settings.get("phones").split(",")]
        return DeviceList(tuple(
            Device(udid, udid, udid, "android", state=DeviceState.BUSY if udid in used else DeviceState.FREE)
            for udid in udids
        ))  # fmt: skip

    def list_apps(self) -> Sequence[App]:
        return ()

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        raise self._cannot("upload")

    def find_app(self, build: Build, known: App | None) -> App | None:
        return None

    def parse_reference(self, text: str) -> App | None:
        return App(text, text, platform="android") if text.startswith(("http://", "https://")) else None

    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        wanted = {
            "platformName": "Android",
            "appium:automationName": "UiAutomator2",
            "appium:udid": device.udid,
            "appium:newCommandTimeout": 120,
            "appium:noReset": reset == "none",
            TOKEN: token,
        }
        return wanted | ({"appium:app": app.reference} if app else {})

    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        return FarmSession(webdriver_id, webdriver_id, "", device, started)

    def explain_refusal(self, message: str, device: Device) -> SessionNotCreated:
        used = self.device_states([device])[device.udid][0] is DeviceState.BUSY
        return DeviceBusy(f"{device} is in use: {message}") if used else SessionNotCreated(message)

    def end_session(self, handle: SessionHandle) -> bool:
        found = [one["id"] for one in self._sessions() if one["capabilities"].get(TOKEN) == handle.token]
        for webdriver_id in found:
            with contextlib.suppress(FarmNotFound):  # it ended meanwhile
                self._http.call("DELETE", f"/session/{webdriver_id}")
        return bool(found or handle.webdriver_id)

    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        return [RemoteArtifact(kind, kind, unavailable=NO_FILES) for kind in kinds]

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        raise self._cannot(artifact.kind)

    def _sessions(self) -> list[Session]:
        return self._http.call("GET", "/appium/sessions").decode(Sessions)["value"]
