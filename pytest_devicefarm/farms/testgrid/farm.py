"""TestGrid's words into ours and back; the only file that knows both."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import (
    ConfigurationError,
    DeviceBusy,
    FarmAuthenticationError,
    FarmError,
    FarmNotFound,
    FarmRefused,
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
    Reservation,
    Verdict,
)
from pytest_devicefarm.core.redaction import redact
from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.farms.testgrid import NEW_COMMAND_TIMEOUT, SPEC
from pytest_devicefarm.farms.testgrid.api import TestGridAPI
from pytest_devicefarm.farms.testgrid.api.devices import Device as Listed
from pytest_devicefarm.farms.testgrid.api.devices import is_on
from pytest_devicefarm.farms.testgrid.api.users import User
from pytest_devicefarm.farms.testgrid.artifacts import SessionArtifacts, case_name
from pytest_devicefarm.farms.testgrid.bookings import Bookings
from pytest_devicefarm.farms.testgrid.builds import Builds, app_of_reference
from pytest_devicefarm.farms.testgrid.devices import (
    APPIUM_URL,
    AUTOMATION,
    SYSTEM_PORT,
    WDA_PORT,
    read_devices,
    udid_of,
)

DEVICE, QUANTUM = "device", "quantum"
"""What the setting ``hub`` may be: each device's own Appium server, or the common hub, which queues."""

CLEANING_SECONDS = 60.0
CLEANING_PAUSE = 0.5
QUEUE_SECONDS = 120
"""How long the common hub holds a session request while the device is busy."""

SERVER_START_MS = 90_000

COMES_UP_SECONDS = 1800 + NEW_COMMAND_TIMEOUT
"""How long after it was asked for a session may run whose id nobody knows: none gets a command, so each ends itself."""

_PLATFORMS = {"android": ("android", "UiAutomator2"), "ios": ("iOS", "XCUITest")}
_ABOUT_THE_APP = re.compile(
    r"\b(app|application|package|bundle|activity)\b.{0,80}\b(not (found|exist|accessible)|does ?n.t exist|unknown)"
    r"|INSTALL_(FAILED|PARSE)|provisioning profile|\b(un)?sign(ing|ature|ed)\b",
    re.IGNORECASE | re.DOTALL,
)


class TestGridFarm(Farm):
    """One TestGrid account."""

    __test__ = False

    spec: ClassVar[FarmSpec] = SPEC

    allotted: ClassVar[frozenset[str]] = frozenset({"appium:udid", "appium:systemPort", "appium:wdaLocalPort"})

    def __init__(self, settings: FarmSettings, *, clock: Clock) -> None:
        super().__init__(settings, clock=clock)
        _check(settings)
        self._url = settings.get("url").rstrip("/")
        self._mode = settings.get("hub", DEVICE)
        self._api = TestGridAPI(
            self._url,
            user_token=settings.secrets.get("user_token"),
            email=settings.get("email"),
            password=settings.secrets.get("password"),
            clock=clock,
        )
        self._user: User | None = None
        self._builds = Builds(self._api, clock)
        self._bookings = Bookings(self._api, clock, user_id=self._user_id, is_taken=self._is_taken)
        self._artifacts = SessionArtifacts(
            self._api,
            clock,
            project=settings.get("project", "pytest-devicefarm"),
            application_token=settings.secrets.get("application_token"),
        )

    def close(self) -> None:
        """Give back connections; the farm may not be used afterwards."""
        self._api.close()

    @property
    def api(self) -> TestGridAPI:
        """TestGrid's typed client."""
        return self._api

    @property
    def account(self) -> str:
        """Server and e-mail address, or a digest of the token where there is no address."""
        parts = urlsplit(self._url)
        who = self.settings.get("email")
        if not who:
            digest = hashlib.sha256(self.settings.secret("user_token").reveal().encode()).hexdigest()
            who = f"account-{digest[:8]}"
        return f"{parts.netloc}{parts.path} {who}"

    @property
    def hub(self) -> Hub:
        """The common hub; sessions go there with the setting ``hub = "quantum"``."""
        return Hub(self.settings.get("hub_url") or f"{self._url}/quantumgrid/wd/hub")

    def hub_of(self, device: Device) -> Hub:
        """The device's own Appium server as TestGrid gave its address, or the common hub."""
        if self._mode == QUANTUM:
            return self.hub
        return Hub(device.details.get(APPIUM_URL, "") or self.hub.url)

    def check(self) -> str:
        """Ask for the devices, and who we are as far as TestGrid tells."""
        seen = len(self.list_devices().devices)
        email = self.settings.get("email")
        return f"{urlsplit(self._url).netloc}: signed in{f' as {email}' if email else ''}, sees {seen} devices"

    def _own_token(self) -> Secret:
        """The token; one that was got for a password is a secret of this farm from then on."""
        token = self._api.connection.account.token
        if self.settings.secrets.get("user_token") != token:
            secrets = {**self.settings.secrets, "user_token": token}
            self.settings = dataclasses.replace(self.settings, secrets=secrets)
        return token

    def _user_id(self) -> str:
        """The own user id, which bookings need; a token does not tell whose it is where the account sees others."""
        known = self._api.connection.account.user_id
        if known:
            return known
        if self._user is None:
            users = self._api.users.list().users
            email = self.settings.get("email").lower()
            own = [one for one in users if one.email.lower() == email] if email else users
            if len(own) != 1:
                raise ConfigurationError(
                    f"TestGrid lists {len(users)} users, and which of them we are is not told"
                    f"{f' by {email}' if email else ''}: set TESTGRID_EMAIL to the address of the token's account, or "
                    "give --farm-reserve=off to do without reservations"
                )
            self._user = own[0]
        return str(self._user.user_id)

    # devices

    def list_devices(self) -> DeviceList:
        """All phones and tablets; one that this object has booked is not busy for that."""
        listed = self._api.devices.list()
        self._own_token()
        return read_devices(listed, self._bookings.held(), own_servers=self._mode == DEVICE)

    def _is_taken(self, device: Device) -> bool:
        return self.device_states([device])[device.udid][0] is not DeviceState.FREE

    # reservations

    def reserve(self, devices: Sequence[Device], *, seconds: int, token: str) -> Reservation:
        """Book devices from now on, all or none.

        Raises:
            DeviceBusy: The farm did not grant every device, or wants somebody to approve it first.
        """
        return self._bookings.reserve(devices, seconds=seconds, token=token)

    def renew(self, reservation: Reservation, devices: Sequence[Device], *, seconds: int) -> Reservation:
        """Book the time behind a reservation; the one that is given names both.

        Raises:
            DeviceBusy: Somebody else has booked the time behind it.
        """
        return self._bookings.renew(reservation, devices, seconds=seconds)

    def cancel(self, reservation_id: str) -> None:
        """End a reservation with what follows it; one that has ended already is fine."""
        self._bookings.cancel(reservation_id)

    def find_reservations(self, udids: Sequence[str], *, token: str, since: float) -> Sequence[str]:
        """Slots whose comments have the token."""
        return self._bookings.find(token)

    # apps

    def list_apps(self) -> Sequence[App]:
        """Builds of the account's applications, newest first; those that were sent to none are listed nowhere."""
        return self._builds.list()

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        """Upload a build that belongs to no application.

        Raises:
            AppError: TestGrid takes no files of this kind.
        """
        return self._builds.upload(build, progress=progress)

    def find_app(self, build: Build, known: App | None) -> App | None:
        """The build if the farm has it already: ``known`` checked, or one whose name has its digest."""
        return self._builds.find(build, known)

    def parse_reference(self, text: str) -> App | None:
        """``testgrid-build:273``, a build by its id.

        Raises:
            ConfigurationError: It begins like one and is none.
        """
        return app_of_reference(text)

    def install(self, device: Device, app: App) -> None:
        """Put the build on a leased device; returns when the device lists it.

        Raises:
            AppError: It does not install; carries the farm's reason.
        """
        self._builds.install(device, app)

    # sessions

    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        """Capabilities for a session on this very device; the build is there already and started by its package."""
        platform, automation = _PLATFORMS.get(device.platform, (device.platform, ""))
        wanted = {
            "platformName": platform,
            "appium:automationName": device.details.get(AUTOMATION) or automation,
            "appium:udid": device.udid,
            "appium:deviceName": device.name,
            "appium:platformVersion": device.version,
            "appium:noReset": reset == "none",
            "appium:newCommandTimeout": NEW_COMMAND_TIMEOUT,
            "tg:projectName": self.settings.get("project", "pytest-devicefarm"),
        }
        if device.platform == "ios":
            wanted["appium:bundleId"] = self._builds.package_of(app) if app else ""
            wanted["appium:wdaLocalPort"] = _port(device, WDA_PORT)
        else:
            wanted["appium:appPackage"] = self._builds.package_of(app) if app else ""
            wanted["appium:systemPort"] = _port(device, SYSTEM_PORT)
            wanted["appium:uiautomator2ServerLaunchTimeout"] = SERVER_START_MS
        if self._mode == QUANTUM:
            wanted |= {"appium:platformName": platform, "tg:queue": True, "tg:queueTimeout": QUEUE_SECONDS}
        return {key: value for key, value in wanted.items() if value != ""}

    def before_session(self, device: Device, capabilities: Mapping[str, Any]) -> None:
        """Wait until the device has cleaned itself after its last session.

        Raises:
            DeviceBusy: It is not free within a minute, or went away.
        """
        deadline = self.clock.monotonic() + CLEANING_SECONDS
        while (now := self.device_states([device])[device.udid])[0] is not DeviceState.FREE:
            if now[0] is DeviceState.OFFLINE or self.clock.monotonic() >= deadline:
                raise DeviceBusy(f"{device} cannot be had any more ({now[1]})")
            self.clock.sleep(CLEANING_PAUSE)

    def secret_capabilities(self) -> dict[str, Secret]:
        """The token, which each session needs."""
        return {"tg:userToken": self._own_token()}

    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        """The session just opened; TestGrid gives it no id or page of its own before it is over."""
        return FarmSession(webdriver_id, "", "", device, started)

    def explain_refusal(self, message: str, device: Device) -> SessionNotCreated:
        """`DeviceBusy` if the farm says now that the device is taken or gone, else `SessionNotCreated`."""
        words = redact(message, self.settings.secrets.values())
        try:
            state, note = self.device_states([device])[device.udid]
        except FarmError:
            state, note = DeviceState.FREE, ""
        if state is not DeviceState.FREE:
            return DeviceBusy(f"{device} cannot be had any more ({note}): {words}")
        if _ABOUT_THE_APP.search(words):
            return SessionNotCreated(
                f"TestGrid opened no session on {device}: {words}\nCheck the build and how it is signed.",
                retryable=False,
            )
        return SessionNotCreated(f"TestGrid opened no session on {device}: {words}")

    def end_session(self, handle: SessionHandle) -> bool:
        """End a session at its Appium server, or else by ending our use of the device.

        A session has no mark before its test is over, so one whose id was never told is ended with the use of its
        device, if a script of ours runs there so soon after it was asked for that it may be this one.
        """
        listed = self._listed(handle.udid)
        if handle.webdriver_id:
            url = self.hub.url if self._mode == QUANTUM else listed.appium_url if listed else ""
            if url and self._quit(handle.webdriver_id, url):
                return True
        if not handle.webdriver_id and self.clock.time() - handle.since > COMES_UP_SECONDS:
            return False
        if listed is None or not is_on(listed.is_run_local_execution) or self._is_somebody_elses(listed):
            return False
        try:
            self._api.devices.release(listed.device_id)
        except FarmAuthenticationError:
            raise
        except FarmRefused:
            return False
        return True

    def _quit(self, webdriver_id: str, url: str) -> bool:
        """Whether the session is over now; where its server fails there is another way."""
        try:
            self._api.hub.quit(webdriver_id, url=url)
        except FarmNotFound:
            return True
        except FarmAuthenticationError:
            raise
        except FarmError:
            return False
        return True

    def _listed(self, udid: str) -> Listed | None:
        return next((one for one in self._api.devices.list().devices if udid_of(one) == udid), None)

    def _is_somebody_elses(self, listed: Listed) -> bool:
        if not is_on(listed.is_reserved):
            return False
        return str(listed.reserved_device_user_id) not in ("", "0", self._user_id())

    def report_before_quit(self, driver: Any, verdict: Verdict) -> None:
        """Name the case and set its verdict; TestGrid takes both through the session alone."""
        name = case_name(verdict.name, str(driver.session_id))
        driver.execute_script("tg:logs", {"testcaseName": name})
        if verdict.passed is not None:
            action = {"status": "passed" if verdict.passed else "failed", "case": name}
            driver.execute_script("tg:action", json.dumps(action))

    # artifacts

    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Those of the kinds that are there now, or will never be."""
        self._own_token()
        return self._artifacts.of(session, kinds)

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        """Write the artifact to a file and give its media type.

        Raises:
            FarmNotFound: It is not there any more: ask `artifacts` again.
            FarmAnswerError: It is not what its kind says, or larger than ``limit`` bytes.
        """
        return self._artifacts.fetch(artifact, target, limit=limit)


def _check(settings: FarmSettings) -> None:
    """Refuse settings that are missing or misspelt."""
    by_password = settings.get("email") and "password" in settings.secrets
    if "user_token" not in settings.secrets and not by_password:
        raise ConfigurationError(
            "farm 'testgrid' needs a way to sign in: set TESTGRID_USER_TOKEN, or TESTGRID_EMAIL and TESTGRID_PASSWORD "
            "(or user_token, or email and password, under [testgrid] in credentials.toml). "
            "To try it without an account add --farm-simulate."
        )
    if settings.get("hub", DEVICE) not in (DEVICE, QUANTUM):
        raise ConfigurationError(
            f"hub (TESTGRID_HUB) is {settings.get('hub')!r}: it can be {DEVICE} (each device's own Appium server) or "
            f"{QUANTUM} (the common hub)"
        )


def _port(device: Device, name: str) -> int | str:
    text = device.details.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else ""
