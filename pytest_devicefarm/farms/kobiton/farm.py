"""Kobiton's words into ours and back; the only file that knows both."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import (
    DeviceBusy,
    FarmAnswerError,
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
from pytest_devicefarm.core.settings import FarmSettings
from pytest_devicefarm.farms.kobiton import NEW_COMMAND_TIMEOUT, SPEC
from pytest_devicefarm.farms.kobiton.api import KobitonAPI
from pytest_devicefarm.farms.kobiton.api.addresses import hub_url, portal_url, server_url
from pytest_devicefarm.farms.kobiton.api.sessions import Session
from pytest_devicefarm.farms.kobiton.artifacts import SessionArtifacts, is_over
from pytest_devicefarm.farms.kobiton.builds import Builds, app_of_reference
from pytest_devicefarm.farms.kobiton.devices import CLOUD, DEVICE_GROUPS, merged
from pytest_devicefarm.farms.kobiton.fetching import fetch

VERDICT_SECONDS = 30.0
"""Longest wait for a session to be over before its verdict is set."""

LONGEST_NAME = 200

_SESSION_IDS = ("kobitonSessionId", "kobiton:kobitonSessionId", "kobiton:session")
_PLATFORMS = {"android": ("Android", "UiAutomator2"), "ios": ("iOS", "XCUITest")}
_RESETS: dict[Reset, tuple[bool, bool]] = {"none": (True, False), "app": (False, False), "device": (False, True)}
_ABOUT_THE_APP = re.compile(
    r"kobiton-store|INSTALL_(FAILED|PARSE)|provisioning profile|\b(un)?sign(ing|ature|ed)\b"
    r"|\b(install|pars|verif)\w*\W.{0,40}\b(app|application|apk|ipa|bundle|package)\b",
    re.IGNORECASE,
)
_PLAIN_REFUSALS = frozenset({400, 404, 409, 422, 423})
_CLOCK_SKEW = 2.0
_ANSWER_SECONDS = 120.0


class KobitonFarm(Farm):
    """One Kobiton account."""

    spec: ClassVar[FarmSpec] = SPEC

    def __init__(self, settings: FarmSettings, *, clock: Clock) -> None:
        super().__init__(settings, clock=clock)
        self._url = server_url(settings.get("url"))
        self._username = settings.get("username")
        self._api = KobitonAPI(
            self._url,
            username=self._username,
            api_key=settings.secret("api_key"),
            hub_url=settings.get("hub_url"),
            clock=clock,
        )
        self._builds = Builds(self._api, clock)
        self._lock = threading.Lock()
        self._reserved: dict[str, Reservation] = {}

    def close(self) -> None:
        """Give back connections; the farm may not be used afterwards."""
        self._api.close()

    @property
    def api(self) -> KobitonAPI:
        """Kobiton's whole typed client."""
        return self._api

    @property
    def account(self) -> str:
        """Server and login name."""
        parts = urlsplit(self._url)
        return f"{parts.netloc}{parts.path} {self._username}"

    @property
    def hub(self) -> Hub:
        """The Appium hub, with the account's credentials beside the address."""
        return Hub(hub_url(self._url, self.settings.get("hub_url")), self._username, self.settings.secret("api_key"))

    def check(self) -> str:
        """Ask who we are, or for the devices on a server that does not tell: the reference leaves that call out."""
        host = urlsplit(self._url).netloc
        try:
            return f"{host}: signed in as {self.api.users.me().username or self._username}"
        except FarmNotFound:
            return f"{host}: {self._username} sees {len(self.list_devices().devices)} devices"

    # devices

    def list_devices(self) -> DeviceList:
        """All devices Appium could use; one that this object has reserved is not busy for that."""
        return merged(self.api.devices.list(), self._held())

    def _held(self) -> frozenset[str]:
        now = self.clock.time()
        with self._lock:
            return frozenset(udid for one in self._reserved.values() if one.expires > now for udid in one.udids)

    # reservations

    def reserve(self, devices: Sequence[Device], *, seconds: int, token: str) -> Reservation:
        """Reserve private devices, all or none.

        Raises:
            DeviceBusy: The farm did not grant every device.
        """
        udids = [device.udid for device in devices]
        now = self.clock.time()
        try:
            made = self.api.reservations.create(udids=udids, duration=seconds)
        except FarmRefused as refusal:
            raise self._reservation_refused(refusal, devices) from refusal
        if made.reservation_id is None and made.success:
            raise FarmAnswerError(
                f"Kobiton reserved {', '.join(made.success)} without saying under which id; it ends by itself in "
                f"{seconds / 60:.0f} minutes.",
                method="POST",
                path="/reservations",
            )
        missing = [device for device in devices if device.udid in made.fail or device.udid not in made.success]
        if missing:
            if made.reservation_id is not None:
                self.cancel(str(made.reservation_id))
            raise DeviceBusy(f"Kobiton did not reserve {', '.join(map(str, missing))}: taken meanwhile")
        granted = seconds if made.duration is None else min(seconds, made.duration)
        reservation = Reservation(str(made.reservation_id), tuple(udids), now + granted)
        with self._lock:
            self._reserved[reservation.id] = reservation
        return reservation

    def _reservation_refused(self, refusal: FarmRefused, devices: Sequence[Device]) -> Exception:
        """Whether a refusal means that somebody was quicker, which the list of devices knows.

        A status that a gateway may give after the farm has done what was asked is no refusal: what looks taken then may
        be our own reservation.
        """
        if refusal.status not in _PLAIN_REFUSALS:
            return refusal
        states = self.device_states(devices)
        taken = [device for device in devices if states[device.udid][0] is not DeviceState.FREE]
        return DeviceBusy(f"Kobiton did not reserve {', '.join(map(str, taken))}: {refusal}") if taken else refusal

    def cancel(self, reservation_id: str) -> None:
        """End one reservation; one that has ended already is fine."""
        try:
            self.api.reservations.terminate(reservation_ids=[reservation_id])
        except FarmNotFound:
            pass
        except FarmRefused:
            if self._stands(reservation_id):
                raise
        with self._lock:
            self._reserved.pop(reservation_id, None)

    def _stands(self, reservation_id: str) -> bool:
        try:
            return self.api.reservations.status(reservation_id).status.upper() == "RESERVED"
        except FarmNotFound:
            return False

    def find_reservations(self, udids: Sequence[str], *, token: str, since: float) -> Sequence[str]:
        """The reservation that a lost answer may have left, if device and time single it out.

        Kobiton has no field for ``token``, and tells neither start nor end of a reservation; all jobs of a company may
        use one account. So the period filter has to do: a reservation is taken for ours only if it is active, by this
        account, for exactly these devices, not one we know, found in the time in which the lost call ran, and not
        found in the day before. That holds whether the filter means "begun in" or "touching" the period; should it
        mean "wholly inside", nothing is found and the reservation ends by its own duration. Since a device is reserved
        once at a time, what remains is another job of the same account that reserved the same devices within those
        two minutes, after our own call had failed without an answer.
        """
        begin = since - _CLOCK_SKEW
        ours = {name.lower() for name in self._names()}
        before = {str(one.id) for one in self.api.reservations.list(start=begin - 86400, end=begin).reservations}
        during = self.api.reservations.list(start=begin, end=since + _ANSWER_SECONDS).reservations
        with self._lock:
            known = before | set(self._reserved)
        found = [
            str(one.id)
            for one in during
            if one.status.upper() == "RESERVED"
            and one.creator.lower() in ours
            and sorted(one.udids) == sorted(udids)
            and str(one.id) not in known
        ]
        return found if len(found) == 1 else ()

    def _names(self) -> Iterator[str]:
        """How this account may be called: by login name or by e-mail address."""
        yield self._username
        try:
            me = self.api.users.me()
        except FarmRefused:
            return
        yield from filter(None, (me.username, me.email))

    # apps

    def list_apps(self) -> Sequence[App]:
        """All builds that can be installed, newest first."""
        return self._builds.list()

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        """Upload a build and wait until the farm has parsed it.

        Raises:
            AppError: The farm cannot parse it; carries its reason.
        """
        return self._builds.upload(build, progress=progress)

    def find_app(self, build: Build, known: App | None) -> App | None:
        """The build if the farm has it already: ``known`` checked, or one whose uploaded name has its digest."""
        return self._builds.find(build, known)

    def parse_reference(self, text: str) -> App | None:
        """``kobiton-store:17`` (latest version of an app), ``kobiton-store:v23`` (just this version), or a web address.

        Raises:
            ConfigurationError: It begins like a store reference and is none.
        """
        return app_of_reference(text)

    # sessions

    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        """Capabilities for a session on this very device, Kobiton's own ones flat: nested names are not heeded."""
        platform, automation = _PLATFORMS.get(device.platform, (device.platform, ""))
        no_reset, full_reset = _RESETS[reset]
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
            "appium:networkActivity": True,
            "kobiton:sessionName": _short(name),
            "kobiton:sessionDescription": token,
            "kobiton:captureScreenshots": True,
            "kobiton:deviceGroup": DEVICE_GROUPS.get(device.group, DEVICE_GROUPS[CLOUD]),
        }
        return {key: value for key, value in wanted.items() if value != ""}

    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        """The session just opened, with Kobiton's own number; it is looked up where the answer does not tell it."""
        told = (str(answer.get(name, "")) for name in _SESSION_IDS)
        session_id = next((text for text in told if text.isascii() and text.isdigit()), "")
        if not session_id:
            try:
                found = self._look_up(webdriver_id=webdriver_id, token="", state="START")
                session_id = str(found[0].id) if found else ""
            except FarmError:
                session_id = ""  # the session works without; what needs the number says so later
        url = f"{portal_url(self._url)}/sessions/{session_id}" if session_id else ""
        return FarmSession(webdriver_id, session_id, url, device, started)

    def explain_refusal(self, message: str, device: Device) -> SessionNotCreated:
        """`DeviceBusy` if the farm says now that the device is taken or gone, else `SessionNotCreated`."""
        words = redact(message, self.settings.secrets.values())
        if _ABOUT_THE_APP.search(words):
            return SessionNotCreated(
                f"Kobiton opened no session on {device}: {words}\nCheck the build and how it is signed.",
                retryable=False,
            )
        try:
            state, note = self.device_states([device])[device.udid]
        except FarmError:
            state, note = DeviceState.FREE, ""
        if state is not DeviceState.FREE:
            return DeviceBusy(f"{device} cannot be had any more ({note}): {words}")
        return SessionNotCreated(
            f"Kobiton opened no session on {device} although it is free: {words}\nCheck the capabilities."
        )

    def end_session(self, handle: SessionHandle) -> bool:
        """End a session through the hub or, where its WebDriver id is not known or the hub fails, by its number.

        Ending it by number marks it as terminated, which Kobiton shows as abnormal; so the hub comes first.
        """
        if handle.webdriver_id:
            try:
                self.api.hub.quit(handle.webdriver_id)
            except FarmNotFound:
                return True
            except FarmAuthenticationError:
                raise
            except FarmError:
                pass  # the hub may be gone while the rest of the farm still answers
            else:
                return True
        sessions = self._sessions_of(handle)
        for session in sessions:
            if not is_over(session):
                self._terminate(str(session.id))
        return bool(sessions) and all(is_over(session) or self._over_now(str(session.id)) for session in sessions)

    def _sessions_of(self, handle: SessionHandle) -> Sequence[Session]:
        if handle.session_id:
            try:
                return [self.api.sessions.get(handle.session_id)]
            except FarmNotFound:
                pass
        running = self._look_up(webdriver_id=handle.webdriver_id, token=handle.token, state="START")
        return running or self._look_up(webdriver_id=handle.webdriver_id, token=handle.token, state=None)

    def _look_up(self, *, webdriver_id: str, token: str, state: str | None) -> Sequence[Session]:
        """Sessions with this WebDriver id or token: of all in a state, or of the latest page where no state is given.

        The farm's own search covers names only, and the token is in the description: a name is for people.
        """
        sessions = self.api.sessions
        found = sessions.walk(state=state, type="AUTO") if state else sessions.list(type="AUTO").data
        return [
            session
            for session in found
            if (webdriver_id and session.webdriver_id == webdriver_id) or (token and token in session.description)
        ]

    def _terminate(self, session_id: str) -> None:
        try:
            self.api.sessions.terminate(session_id)
        except FarmRefused:
            if not self._over_now(session_id):
                raise

    def _over_now(self, session_id: str) -> bool:
        try:
            return is_over(self.api.sessions.get(session_id))
        except FarmNotFound:
            return True

    def report_after_quit(self, session: FarmSession, verdict: Verdict) -> None:
        """Set the verdict once the session is over, since its end would overwrite one set before.

        Raises:
            FarmError: Kobiton never told its number of the session, or does not take the verdict.
        """
        session_id = session.id or self._number_of(session)
        deadline, pause = self.clock.monotonic() + VERDICT_SECONDS, 1.0
        while not self._over_now(session_id) and self.clock.monotonic() + pause <= deadline:
            self.clock.sleep(pause)
            pause = min(pause * 1.5, self.spec.poll_seconds)
        self.api.sessions.update(
            session_id,
            name=_short(verdict.name),
            description=verdict.description or None,
            state=None if verdict.passed is None else "PASSED" if verdict.passed else "FAILED",
        )

    def _number_of(self, session: FarmSession) -> str:
        """Kobiton's number of a session that did not tell it when it was opened."""
        found = self._look_up(webdriver_id=session.webdriver_id, token="", state=None)
        if not found:
            raise FarmAnswerError(
                f"Kobiton does not tell its number of WebDriver session {session.webdriver_id}, so neither verdict nor "
                "artifacts can be had. Look for the session by its name in the portal."
            )
        return str(found[0].id)

    # artifacts

    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Those of the kinds that are there now, or will never be; signed addresses are good for two hours."""
        session_id = session.id or self._number_of(session)
        there = SessionArtifacts(
            self.api.sessions.get(session_id),
            commands=lambda: list(self.api.sessions.walk_commands(session_id)),
            network_disabled=lambda: self._captures_no_network(session.device),
        )
        return [artifact for kind in kinds for artifact in there.of(kind)]

    def _captures_no_network(self, device: Device) -> bool:
        try:
            support = self.api.devices.get(device.udid).support
        except FarmError:
            return False
        return bool(support and support.network_traffic_capturing_disabled)

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        """Write the artifact to a file and give its media type.

        Raises:
            FarmNotFound: The address has expired: ask `artifacts` again.
            FarmAnswerError: It is not what its kind says, or larger than ``limit`` bytes.
        """
        return fetch(self.api.storage, artifact, target, limit=limit)


def _short(name: str) -> str:
    """A name the farm shows whole; of a long node id the end says more than the beginning."""
    return name if len(name) <= LONGEST_NAME else f"…{name[-LONGEST_NAME + 1 :]}"
