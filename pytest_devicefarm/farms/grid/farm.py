"""The Grid's words into ours and back; the only file that knows both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import (
    ConfigurationError,
    DeviceBusy,
    FarmAnswerError,
    FarmAuthenticationError,
    FarmError,
    FarmNotFound,
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
from pytest_devicefarm.core.redaction import redact, strip_query
from pytest_devicefarm.core.settings import FarmSettings
from pytest_devicefarm.farms.grid import NEW_COMMAND_TIMEOUT, SPEC, refusals
from pytest_devicefarm.farms.grid.api import GridAPI
from pytest_devicefarm.farms.grid.api.addresses import grid_url
from pytest_devicefarm.farms.grid.api.status import Session, Status
from pytest_devicefarm.farms.grid.devices import IDLE_SECONDS, devices_of, stereotype_of
from pytest_devicefarm.farms.grid.stereotypes import OWN, misfits, platform_of, text

NODE_PATH = "node:"
"""Begins the reference of a build that lies on the nodes' own disks, for example ``node:/opt/builds/shop.apk``."""

LONGEST_NAME = 200
SETTLE_SECONDS = 2.0
"""How long a Grid may go on listing a session that has just been ended."""


class GridFarm(Farm):
    """One Selenium Grid."""

    spec: ClassVar[FarmSpec] = SPEC
    allotted: ClassVar[frozenset[str]] = frozenset(
        {
            "appium:udid",
            "appium:systemPort",
            "appium:wdaLocalPort",
            "appium:mjpegServerPort",
            "appium:chromedriverPort",
            "se:name",
        }
    )

    def __init__(self, settings: FarmSettings, *, clock: Clock) -> None:
        super().__init__(settings, clock=clock)
        self._url = grid_url(settings.get("url"))
        self._username = settings.get("username")
        self._password = settings.secrets.get("password")
        if self._username and self._password is None:
            settings.secret("password")  # says where it is looked for
        self._api = GridAPI(self._url, username=self._username, password=self._password or "", clock=clock)

    def close(self) -> None:
        """Give back connections; the farm may not be used afterwards."""
        self._api.close()

    @property
    def api(self) -> GridAPI:
        """The Grid's typed client."""
        return self._api

    @property
    def account(self) -> str:
        """Address of the Grid, and user name where it wants one."""
        parts = urlsplit(self._url)
        return f"{parts.netloc}{parts.path} {self._username}".strip()

    @property
    def hub(self) -> Hub:
        """The Grid itself, which finds the slot."""
        return Hub(self._url, self._username or None, self._password)

    def check(self) -> str:
        """Ask for the nodes, and say how many there are.

        Raises:
            FarmAnswerError: It is no Grid, or one without nodes.
        """
        status = self.api.status.get()
        listed = devices_of(status, ())
        if not listed.devices:
            why = "; ".join(listed.problems) or "none of its slots has a stereotype with appium: capabilities"
            raise FarmAnswerError(f"{self._url} has no device: {why}", method="GET", path="/status")
        version = status.nodes[0].version.partition(" ")[0]
        return (
            f"{urlsplit(self._url).netloc}: Selenium Grid {version}, {len(status.nodes)} nodes, "
            f"{len(listed.devices)} devices"
        )

    # devices

    def list_devices(self) -> DeviceList:
        """A device for each slot of a relay node; notes of busy ones tell how many requests wait for them."""
        status = self.api.status.get()
        return devices_of(status, self._queue() if _anything_runs(status) else ())

    def _queue(self) -> Sequence[Mapping[str, Any]]:
        try:
            return self.api.queue.requests()
        except FarmError:
            return ()  # only notes get poorer

    # apps

    def list_apps(self) -> Sequence[App]:
        """None: a Grid stores no builds."""
        return ()

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        """The build by its path, since a Grid stores none: the hosts of the nodes have to see the same file there."""
        path = str(build.path.resolve())
        return App(
            id=build.sha256,
            reference=path,
            platform=build.platform,
            name=build.path.name,
            package=build.package,
            version=build.version,
            sha256=build.sha256,
        )

    def find_app(self, build: Build, known: App | None) -> App | None:
        """The build by its path; see `upload`."""
        return self.upload(build)

    def parse_reference(self, text: str) -> App | None:
        """An http address, which the node's Appium downloads, or ``node:PATH`` for a file that only nodes have."""
        if text.startswith(("http://", "https://")):
            return App(id=strip_query(text), reference=text, platform=_platform_of_file(urlsplit(text).path))
        if text.startswith(NODE_PATH):
            path = text.removeprefix(NODE_PATH)
            return App(id=path, reference=path, platform=_platform_of_file(path))
        return None

    # sessions

    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        """The slot's own stereotype, so that the Grid picks this slot, and what Appium needs beside it."""
        stereotype = {key: value for key, value in stereotype_of(device).items() if not key.startswith(OWN)}
        idle = int(device.details[IDLE_SECONDS])
        return {
            **stereotype,
            "platformName": platform_of(stereotype),
            **({"appium:app": app.reference} if app else {}),
            "appium:noReset": reset == "none",
            "appium:fullReset": False,
            "appium:newCommandTimeout": min(NEW_COMMAND_TIMEOUT, idle) if idle else NEW_COMMAND_TIMEOUT,
            "se:name": f"{_short(name)} {token}",
        }

    def misfits(self, device: Device, capabilities: Mapping[str, Any]) -> Sequence[str]:
        """Each reason why the slot of a device would never take these capabilities; asks the Grid nothing."""
        return list(misfits(stereotype_of(device), capabilities))

    def before_session(self, device: Device, capabilities: Mapping[str, Any]) -> None:
        """Refuse what the Grid would put into its queue, since nobody could say how long for.

        Raises:
            ConfigurationError: The slot does not take these capabilities.
            DeviceBusy: The slot is in use, or its node is going.
        """
        if reasons := self.misfits(device, capabilities):
            raise ConfigurationError(
                f"the slot of {device} does not take what is asked of it: {'; '.join(reasons)}. The Grid would let the "
                "request wait in vain. Change the capabilities, or the stereotype in the node's configuration."
            )
        deadline = self.clock.monotonic() + SETTLE_SECONDS
        while (now := self.device_states([device])[device.udid])[0] is not DeviceState.FREE:
            if self.clock.monotonic() >= deadline:
                raise DeviceBusy(f"{device} cannot be had any more: {now[1]}")
            self.clock.sleep(0.2)

    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        """The session just opened; a Grid knows it by its WebDriver id."""
        url = f"{self._url}/ui/#/session/{quote(webdriver_id, safe='')}"
        return FarmSession(webdriver_id, webdriver_id, url, device, started)

    def explain_refusal(self, message: str, device: Device) -> SessionNotCreated:
        """`DeviceBusy` where the slot was taken or went away meanwhile, else Appium's or the Grid's words."""
        words = refusals.words_of(redact(message, self.settings.secrets.values()))
        said = f"the Grid opened no session on {device}: {words}"
        if refusals.lacks_the_file(words):
            return SessionNotCreated(
                f"{said}\nAppium on the node looks for the build on its own host: give an http address, or a path "
                "that is the same there.",
                retryable=False,
            )
        if refusals.refuses_the_build(words):
            return SessionNotCreated(f"{said}\nCheck the build and how it is signed.", retryable=False)
        if refusals.nobody_could(words):
            return SessionNotCreated(f"{said}\n{self._what_fits(device)}", retryable=False)
        try:
            state, note = self.device_states([device])[device.udid]
        except FarmError:
            state, note = DeviceState.FREE, ""
        if state is not DeviceState.FREE:
            return DeviceBusy(f"{said} ({note})")
        if refusals.waited_in_vain(words):
            return SessionNotCreated(f"{said}\nThe slot is free. {self._what_fits(device)}", retryable=False)
        return SessionNotCreated(said)

    def _what_fits(self, device: Device) -> str:
        stereotype = {key: value for key, value in stereotype_of(device).items() if not key.startswith(OWN)}
        return (
            "What a test asks for has to agree with the stereotype of the slot, "
            f"{', '.join(f'{key}={value}' for key, value in stereotype.items())}: look at the capabilities of marks, "
            "fixtures and devicefarm.toml."
        )

    def means_session_lost(self, message: str) -> bool:
        """Whether the words of a failed command say that the node of the session is not there any more."""
        return refusals.node_is_gone(message)

    def end_session(self, handle: SessionHandle) -> bool:
        """End a session by its id, or those that carry the token of a create whose answer was lost.

        Returns:
            Whether it is over; false where the Grid still lists it, or nothing with that token was found.
        """
        if handle.webdriver_id:
            return self._end(handle.webdriver_id)
        found = [session for session in _sessions(self.api.status.get()) if _carries(session, handle.token)]
        over = [self._end(session.session_id) for session in found]
        return bool(over) and all(over)

    def _end(self, session_id: str) -> bool:
        try:
            self.api.sessions.quit(session_id)
        except FarmNotFound:
            return True
        except FarmAuthenticationError:
            raise
        except FarmError:
            # Its node does not answer. Until the Grid has given the node up, it may come back with the session.
            return all(session.session_id != session_id for session in _sessions(self.api.status.get()))
        return True

    # artifacts

    def start_live(self, driver: Any, kinds: Iterable[ArtifactKind]) -> None:
        """Start the recording of the screen, where the driver can."""
        from pytest_devicefarm.core.live import start_live

        start_live(driver, kinds)

    def take_live(self, driver: Any, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Logs and recording through the driver, each with its data or the reason why not."""
        from pytest_devicefarm.core.live import take_live

        return take_live(driver, kinds)

    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """None that could come: a Grid keeps nothing of a relayed session."""
        why = self.spec.cannot["late artifacts"]
        return [RemoteArtifact(kind, kind.value, unavailable=why) for kind in kinds]

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        """Nothing can be fetched.

        Raises:
            FarmNotFound: Always.
        """
        raise FarmNotFound(f"{artifact.name}: {self.spec.cannot['late artifacts']}")


def _anything_runs(status: Status) -> bool:
    return any(True for _ in _sessions(status))


def _sessions(status: Status) -> list[Session]:
    return [session for node in status.nodes for session in node.sessions()]


def _carries(session: Session, token: str) -> bool:
    return bool(token) and token in text(session.capabilities, "se:name")


def _platform_of_file(path: str) -> str:
    lower = path.lower()
    return "android" if lower.endswith((".apk", ".aab", ".apks")) else "ios" if lower.endswith(".ipa") else ""


def _short(name: str) -> str:
    """A name that people can read in a table; of a long node id the end says more than the beginning."""
    return name if len(name) <= LONGEST_NAME else f"…{name[-LONGEST_NAME + 1 :]}"
