"""Appium servers and devices of one's own as a farm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pytest_devicefarm.core import live
from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import (
    ConfigurationError,
    FarmError,
    FarmNotFound,
    FarmUnreachable,
    SessionNotCreated,
)
from pytest_devicefarm.core.farm import DeviceList, Farm, FarmSpec, Hub, Progress, Reset, SessionHandle
from pytest_devicefarm.core.model import (
    App,
    ArtifactKind,
    Build,
    Device,
    DeviceState,
    FarmSession,
    RemoteArtifact,
)
from pytest_devicefarm.core.settings import FarmSettings
from pytest_devicefarm.farms.local import NEW_COMMAND_TIMEOUT, SPEC
from pytest_devicefarm.farms.local.adb import Adb, Attached
from pytest_devicefarm.farms.local.api import AppiumServer
from pytest_devicefarm.farms.local.apps import app_at
from pytest_devicefarm.farms.local.logs import ServerLogs
from pytest_devicefarm.farms.local.pool import PoolFile, ServerEntry, read_pool
from pytest_devicefarm.farms.local.ports import RANGES, allot
from pytest_devicefarm.farms.local.servers import Servers

TOKEN = "appium:devicefarmToken"  # noqa: S105 - a name; servers show it in their list of sessions

_PLATFORMS = {"android": ("Android", "UiAutomator2"), "ios": ("iOS", "XCUITest")}
_RESETS: dict[Reset, tuple[bool, bool]] = {"none": (True, False), "app": (False, False), "device": (False, True)}
_ABOUT_THE_APP = re.compile(
    r"INSTALL_(FAILED|PARSE)|does not exist or is not accessible|provisioning profile|Unhandled application"
    r"|\b(install|pars|verif)\w*\W.{0,40}\b(app|application|apk|ipa|bundle|package)\b",
    re.IGNORECASE,
)
_AT_A_TIME = 8


class LocalFarm(Farm):
    """The pool that a ``devicefarm.toml`` lists, or one running server and the devices of adb."""

    spec: ClassVar[FarmSpec] = SPEC
    allotted: ClassVar[frozenset[str]] = frozenset({"appium:udid", *RANGES})

    def __init__(self, settings: FarmSettings, *, clock: Clock) -> None:
        super().__init__(settings, clock=clock)
        self._file = Path(settings.get("file")) if settings.get("file") else None
        pool = read_pool(self._file, SPEC.name) if self._file is not None else PoolFile()
        url = settings.get("url").rstrip("/")
        servers = (ServerEntry("url", url),) if url else pool.servers
        if not servers:
            raise ConfigurationError(
                f"farm {SPEC.name!r} knows no Appium server: list it in {self._file or 'devicefarm.toml'} under "
                f"[[farms.{SPEC.name}.servers]], or give --farm-url"
            )
        self._entries = {
            entry.device.udid: replace(entry, server=servers[0].name) if url else entry for entry in pool.devices
        }
        self._servers = Servers(servers, str(self._file or url))
        self._apis: dict[str, AppiumServer] = {}
        adb = settings.get("adb").lower()
        if adb not in ("", "true", "false"):
            raise ConfigurationError(f"adb of farm {SPEC.name!r} is true or false, not {adb!r}")
        self._adb_demanded = adb == "true"
        self._adb = None if adb == "false" else Adb(demanded=self._adb_demanded)
        self._logs = ServerLogs()

    def close(self) -> None:
        """Give back connections, and end the servers that were started and that nobody else uses."""
        for api in self._apis.values():
            api.close()
        self._servers.close()

    @property
    def api(self) -> Mapping[str, AppiumServer]:
        """The servers that run now, by name."""
        addresses = {name: self._servers.running_address(name) for name in self._servers.entries}
        return {name: self._api(address) for name, address in addresses.items() if address}

    @property
    def account(self) -> str:
        """The same for every pool: a device that two files list is still one device."""
        return SPEC.name

    @property
    def hub(self) -> Hub:
        """The first server of the pool, started if it has to be."""
        return Hub(self._servers.address(next(iter(self._servers.entries))))

    def hub_of(self, device: Device) -> Hub:
        """The device's own server, started if it has to be.

        Raises:
            FarmUnreachable: It does not start; shows its last lines.
        """
        return Hub(self._servers.address(self._server_of(device.udid)))

    def check(self) -> str:
        """Ask each server that should run for its version, and adb for its devices."""
        told = []
        for name, entry in self._servers.entries.items():
            address = self._servers.running_address(name)
            if address:
                told.append(
                    f"{name} answers at {address} (Appium {self._api(address).version() or 'of unknown version'})"
                )
            else:
                told.append(f"{name} is started by the run ({entry.command[0]})")
        count = len(self.list_devices().devices)
        return f"{'; '.join(told)}; {count} device{'s' * (count != 1)}"

    # devices

    def list_devices(self) -> DeviceList:
        """The devices of the file in its order, then those that adb sees besides."""
        attached = self._attached()
        problems = list(attached.problems)
        found = [(entry.device, entry.server) for entry in self._entries.values()]
        for serial in sorted(set(attached.states) - set(self._entries)):
            device = Device(id=serial, udid=serial, name=serial, platform="android")
            if attached.states[serial] == "device":
                try:
                    device = self._adb.device(serial) if self._adb else device
                except FarmUnreachable as error:
                    problems.append(str(error))
                    continue
            found.append((device, self._server_of(serial)))
        servers = self._server_states({server for _, server in found})
        devices = []
        for place, (device, server) in enumerate(found):
            state, note = self._state(device, servers[server], attached)
            details = {"server": server, "place": str(place), "places": str(len(found))}
            devices.append(replace(device, state=state, note=note, details=details))
        return DeviceList(tuple(devices), tuple(problems))

    def device_states(self, devices: Sequence[Device]) -> Mapping[str, tuple[DeviceState, str]]:
        """Whether each device's server answers, and what adb says of it."""
        attached = self._attached()
        servers = self._server_states({self._server_of(device.udid) for device in devices})
        return {device.udid: self._state(device, servers[self._server_of(device.udid)], attached) for device in devices}

    def _attached(self) -> Attached:
        return self._adb.look() if self._adb is not None else Attached()

    def _state(self, device: Device, server_problem: str, attached: Attached) -> tuple[DeviceState, str]:
        if server_problem:
            return DeviceState.OFFLINE, server_problem
        told = attached.state_of(device.udid)
        if told is not None:
            return told
        listed = device.udid in self._entries
        if device.platform == "android" and (not listed or self._adb_demanded):
            return DeviceState.OFFLINE, "adb does not see it; is it plugged in?"
        return DeviceState.FREE, ""

    def _server_of(self, udid: str) -> str:
        """Name of a device's server; devices that only adb knows are on the first one of this machine."""
        if udid in self._entries:
            return self._entries[udid].server
        names = list(self._servers.entries)
        return next(filter(self._servers.on_this_machine, names), names[0])

    def _server_states(self, names: Iterable[str]) -> dict[str, str]:
        """Why a server cannot be used, ``""`` for one that answers or will be started."""
        names = list(names)
        if not names:
            return {}
        with ThreadPoolExecutor(min(len(names), _AT_A_TIME)) as threads:
            return dict(zip(names, threads.map(self._server_problem, names), strict=True))

    def _server_problem(self, name: str) -> str:
        entry = self._servers.entries[name]
        if entry.command:
            return self._servers.problem(name)
        try:
            self._api(entry.url).version()
        except FarmError as error:
            return f"server {name!r}: {error}"
        return ""

    def _api(self, address: str) -> AppiumServer:
        return self._apis.setdefault(address, AppiumServer(address, clock=self.clock))

    # apps

    def list_apps(self) -> Sequence[App]:
        """None: builds stay where they are."""
        return ()

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        """The build where it lies: the driver reads it there."""
        path = str(build.path.absolute())
        if progress is not None:
            progress(build.size, build.size)
        return App(
            build.sha256,
            path,
            platform=build.platform,
            name=build.path.name,
            package=build.package,
            version=build.version,
            sha256=build.sha256,
        )

    def find_app(self, build: Build, known: App | None) -> App | None:
        """The build where it lies now; where it lay in an earlier run does not count."""
        return self.upload(build)

    def parse_reference(self, text: str) -> App | None:
        """A web address, or a file of a kind that only drivers know, such as an ``.app`` folder."""
        return app_at(text, self._file.parent if self._file is not None else Path.cwd())

    # sessions

    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        """Capabilities for a session on this very device, its own ports among them.

        Raises:
            ConfigurationError: The build lies here and the device's server elsewhere, or no port is free.
        """
        server = self._server_of(device.udid)
        here = self._servers.on_this_machine(server)
        if app is not None and not here and "://" not in app.reference:
            raise ConfigurationError(
                f"server {server!r} is on another machine and cannot read {app.reference}; give an address instead: "
                "--farm-app https://..."
            )
        platform, automation = _PLATFORMS.get(device.platform, (device.platform, ""))
        no_reset, full_reset = _RESETS[reset]
        own = self._entries[device.udid].capabilities if device.udid in self._entries else {}
        wanted = {
            "platformName": platform,
            "appium:automationName": automation,
            "appium:udid": device.udid,
            "appium:deviceName": device.name,
            "appium:platformVersion": device.version,
            "appium:app": app.reference if app else "",
            "appium:noReset": no_reset,
            "appium:fullReset": full_reset,
            "appium:newCommandTimeout": NEW_COMMAND_TIMEOUT,
            TOKEN: token,
            **allot(
                device.platform,
                place=int(device.details.get("place", "0")),
                places=int(device.details.get("places", "1")),
                taken=self._taken_ports(),
                on_this_machine=here,
            ),
            **own,
        }
        return {key: value for key, value in wanted.items() if value != ""}

    def _taken_ports(self) -> set[int]:
        return {
            entry.capabilities[name]
            for entry in self._entries.values()
            for name in RANGES
            if name in entry.capabilities
        }

    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        """The session just opened; its id is its address, so that it can be ended whatever the file says by then."""
        address = self._servers.running_address(self._server_of(device.udid))
        return FarmSession(webdriver_id, f"{address}/session/{webdriver_id}" if address else "", "", device, started)

    def explain_refusal(self, message: str, device: Device) -> SessionNotCreated:
        """What the server said, and where to read more."""
        server = self._server_of(device.udid)
        if _ABOUT_THE_APP.search(message):
            return SessionNotCreated(
                f"server {server!r} opened no session on {device}: {message}\nCheck the build.", retryable=False
            )
        log = self._servers.log(server)
        more = f"and the server's log, {log}" if log is not None else "and the log of the server"
        return SessionNotCreated(
            f"server {server!r} opened no session on {device}: {message}\nCheck the capabilities, {more}."
        )

    def end_session(self, handle: SessionHandle) -> bool:
        """End a session by its id; one whose id is not known where the server tells which sessions it has."""
        address, _, listed_id = handle.session_id.rpartition("/session/")
        session_id = handle.webdriver_id or listed_id
        if address:
            return self._end(address, session_id, handle.token)
        own = [self._server_of(handle.udid)] if handle.udid in self._entries else self._servers.entries
        running = [address for name in own if (address := self._servers.running_address(name))]
        ended = [self._end(address, session_id, handle.token) for address in running]
        # Each server that does not know an id says so; a token is looked for until it is found.
        return not running or (all(ended) if session_id else any(ended))

    def _end(self, address: str, session_id: str, token: str) -> bool:
        """End one session at a server; a server that is not there any more has ended all of its sessions."""
        api = self._api(address)
        try:
            if session_id:
                api.end(session_id)
                return True
            names = (TOKEN, TOKEN.partition(":")[2])
            ours = [one.id for one in api.sessions() or () if token in map(one.capabilities.get, names)]
            for one in ours:
                api.end(one)
            return bool(ours)
        except FarmUnreachable:
            if api.listens():
                raise
            return True

    # artifacts

    def start_live(self, driver: Any, kinds: Iterable[ArtifactKind]) -> None:
        """Start recording the screen where the driver can, and mark where the server's log stands."""
        live.start_live(driver, kinds)
        if (log := self._log_of(driver)) is not None:
            self._logs.start(driver, log)

    def take_live(self, driver: Any, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Device log, server log and recording, each with its data or what it lacks."""
        log = self._log_of(driver)
        of_driver = [kind for kind in kinds if log is None or kind is not ArtifactKind.APPIUM_LOG]
        taken = [*live.take_live(driver, of_driver)]
        if log is not None and ArtifactKind.APPIUM_LOG in kinds:
            taken.append(self._logs.take(driver, log))
        return taken

    def _log_of(self, driver: Any) -> Path | None:
        udid = driver.capabilities.get("udid") or driver.capabilities.get("deviceUDID") or ""
        return self._servers.log(self._server_of(str(udid)))

    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Nothing comes after the session has ended."""
        why = SPEC.cannot["late artifacts"]
        return [RemoteArtifact(kind, kind.value, unavailable=SPEC.cannot.get(kind.value, why)) for kind in kinds]

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        """Nothing: what there is was taken from the driver.

        Raises:
            FarmNotFound: Always.
        """
        raise FarmNotFound(f"{artifact.name} is not there any more: {SPEC.cannot['late artifacts']}")
