"""What a farm has to be: a light SPEC that says what it can, and a `Farm` that does it.

Everything else in this package talks to farms through these two, so a new farm is a new folder and nothing more.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pytest_devicefarm.core.clock import Clock, SystemClock
from pytest_devicefarm.core.errors import ConfigurationError, SessionNotCreated
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

if TYPE_CHECKING:
    from pytest_devicefarm.core.settings import FarmSettings, Secret

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all (0 where unknown)."""

Reset = Literal["none", "app", "device"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing a farm has to be told.

    Attributes:
        name: Key in ``devicefarm.toml`` or, for a secret, in ``credentials.toml``.
        variables: Environment variables that give it, the first one set wins.
        secret: Never taken from flags or ``devicefarm.toml``, never printed.
    """

    name: str
    variables: tuple[str, ...]
    help: str
    secret: bool = False
    required: bool = True
    default: str = ""


@dataclass(frozen=True, slots=True)
class FarmSpec:
    """All that the rest of the package knows of a farm before it is opened; importing it costs nothing.

    Attributes:
        name: What ``--farm`` takes.
        factory: ``module:Class`` of the `Farm`.
        settings: Must hold ``url``; may hold ``hub_url``, which is derived from ``url`` when unset.
        simulator: Module of the built-in simulator of this farm, ``""`` for none.
        reserve: Whether devices can be reserved at the farm.
        renew: Whether a reservation can be prolonged while it is held.
        resets: What ``--farm-reset`` may be.
        artifacts: Kinds this farm gives, and whether each exists only before quit (``live``) or is made later.
        cannot: For each thing of the above that it lacks, the reason, for people.
        worst_case: How long something booked may outlive a machine that lost its journal, for people.
        poll_seconds: Shortest pause between two looks at the same thing.
    """

    name: str
    title: str
    factory: str
    settings: tuple[Setting, ...]
    simulator: str = ""
    reserve: bool = False
    renew: bool = False
    resets: tuple[Reset, ...] = ("app",)
    artifacts: Mapping[ArtifactKind, Literal["live", "late"]] = field(default_factory=dict)
    cannot: Mapping[str, str] = field(default_factory=dict)
    worst_case: str = ""
    poll_seconds: float = 5.0

    def open(self, settings: FarmSettings, *, clock: Clock | None = None) -> Farm:
        """Load the farm's code and make the farm; nothing is asked of it yet."""
        module, _, name = self.factory.partition(":")
        farm: Farm = getattr(importlib.import_module(module), name)(settings, clock=clock or SystemClock())
        return farm


@dataclass(frozen=True, slots=True)
class Hub:
    """Where Appium sessions are opened; credentials travel in the client's configuration, never in the address."""

    url: str
    username: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The devices of a farm, and a note for each entry that could not be read."""

    devices: tuple[Device, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionHandle:
    """What is known of a session that has to be ended; the more is known, the surer.

    Attributes:
        token: What was sent in a field the farm shows when the session was asked for.
        webdriver_id: ``""`` where the answer to the create never came.
        since: Seconds since the epoch, just before the create was sent.
    """

    token: str
    udid: str
    since: float
    webdriver_id: str = ""
    session_id: str = ""


class Farm(ABC):
    """One account on one farm. Make it with `FarmSpec.open`, use it as a context manager.

    Methods may be called from several threads. They raise `FarmError` where the farm fails; what else is raised is said
    in each method. Asking twice for an end (cancel, end_session) is harmless.
    """

    spec: ClassVar[FarmSpec]

    allotted: ClassVar[frozenset[str]] = frozenset({"appium:udid"})
    """Capabilities that belong to the leased device, so no test may change them."""

    def __init__(self, settings: FarmSettings, *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections; the farm may not be used afterwards."""

    @property
    @abstractmethod
    def api(self) -> Any:
        """The vendor's whole typed client."""

    @property
    @abstractmethod
    def account(self) -> str:
        """Farm address and account as text without secrets; leases and uploads are kept apart by it."""

    @property
    @abstractmethod
    def hub(self) -> Hub:
        """Where Appium sessions are opened."""

    def hub_of(self, device: Device) -> Hub:
        """Where sessions of one device are opened, on farms whose devices have servers of their own."""
        return self.hub

    @abstractmethod
    def check(self) -> str:
        """Ask something that needs valid credentials; give one line on who we are there."""

    # devices

    @abstractmethod
    def list_devices(self) -> DeviceList:
        """All devices Appium could use, each once, busy and offline ones included."""

    def device_states(self, devices: Sequence[Device]) -> Mapping[str, tuple[DeviceState, str]]:
        """State and note of each device now, by UDID; a device that is gone counts as offline."""
        now = {device.udid: device for device in self.list_devices().devices}
        return {
            device.udid: (now[device.udid].state, now[device.udid].note)
            if device.udid in now
            else (DeviceState.OFFLINE, "the farm does not list it any more")
            for device in devices
        }

    # reservations, only where SPEC.reserve

    def reserve(self, devices: Sequence[Device], *, seconds: int, token: str) -> Reservation:
        """Reserve all devices or none; what a partial success gave is given back.

        Raises:
            DeviceBusy: The farm did not grant every device.
        """
        raise self._cannot("reserve")

    def renew(self, reservation: Reservation, devices: Sequence[Device], *, seconds: int) -> Reservation:
        """Prolong a reservation by so many seconds behind its end; only where ``SPEC.renew``.

        Raises:
            DeviceBusy: Somebody else has booked the time behind it.
        """
        raise self._cannot("renew")

    def cancel(self, reservation_id: str) -> None:
        """End one reservation; one that has ended already is fine."""
        raise self._cannot("reserve")

    def find_reservations(self, udids: Sequence[str], *, token: str, since: float) -> Sequence[str]:
        """Ids of reservations that a lost answer may have left: made by us, for just these devices, after ``since``."""
        return ()

    def _cannot(self, what: str) -> ConfigurationError:
        reason = self.spec.cannot.get(what, "it has nothing of the kind")
        return ConfigurationError(f"farm {self.spec.name!r} cannot {what}: {reason}")

    # apps

    @abstractmethod
    def list_apps(self) -> Sequence[App]:
        """All builds of the account, newest first where the farm tells."""

    @abstractmethod
    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        """Upload a build and wait until the farm has parsed it.

        Raises:
            AppError: The farm cannot parse it; carries its reason.
        """

    @abstractmethod
    def find_app(self, build: Build, known: App | None) -> App | None:
        """The build if the farm has it: ``known`` (from our cache) checked, or one whose name has its digest."""

    @abstractmethod
    def parse_reference(self, text: str) -> App | None:
        """The app for a reference in the farm's own spelling; ``None`` where the text is none (so it is a path)."""

    def install(self, device: Device, app: App) -> None:
        """Put the build on a leased device, on farms that want it there before the session; returns when it is there.

        Raises:
            AppError: It does not install; carries the farm's reason.
        """

    # sessions

    @abstractmethod
    def capabilities(self, device: Device, app: App | None, *, name: str, token: str, reset: Reset) -> dict[str, Any]:
        """W3C capabilities to open a session on this very device, ``appium:newCommandTimeout`` among them."""

    def secret_capabilities(self) -> dict[str, Secret]:
        """Capabilities that are added while sending and taken out of the answer."""
        return {}

    def misfits(self, device: Device, capabilities: Mapping[str, Any]) -> Sequence[str]:
        """Each reason why a device would never take these capabilities; asks the farm nothing."""
        return ()

    def before_session(self, device: Device, capabilities: Mapping[str, Any]) -> None:
        """Called with the capabilities about to be sent; may wait until a device has got over its last session.

        Raises:
            DeviceBusy: The device is not to be had now.
            ConfigurationError: The device would never take these capabilities.
        """

    def means_session_lost(self, message: str) -> bool:
        """Whether the words of a failed command say that session, device or node is not there any more."""
        return False

    @abstractmethod
    def session(self, device: Device, webdriver_id: str, answer: Mapping[str, Any], *, started: float) -> FarmSession:
        """The session just opened; ``answer`` are the capabilities the farm gave back."""

    def explain_refusal(self, message: str, device: Device) -> SessionNotCreated:
        """The error for a session that was not created: `DeviceBusy` or `SessionNotCreated` with its ``retryable``."""
        return SessionNotCreated(message)

    @abstractmethod
    def end_session(self, handle: SessionHandle) -> bool:
        """End a session, also one whose opening is under way.

        Returns:
            Whether it is known to be over now; false where nothing was found to end (it may still come up).
        """

    def report_before_quit(self, driver: Any, verdict: Verdict) -> None:
        """Tell a verdict the farm wants while the session is open."""

    def report_after_quit(self, session: FarmSession, verdict: Verdict) -> None:
        """Tell a verdict the farm wants when the session has ended."""

    # artifacts

    def start_live(self, driver: Any, kinds: Iterable[ArtifactKind]) -> None:
        """Start what has to run along with a session just opened, such as a screen recording.

        Raises:
            SessionLost: The session is gone already; `take_live` likewise. It costs a note, nothing else.
        """

    def take_live(self, driver: Any, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Those of the kinds that exist only while the session is open, each with its data or the reason why not."""
        return ()

    @abstractmethod
    def artifacts(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Those of the kinds that are there now, or will never be; one that may still come is left out."""

    @abstractmethod
    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        """Write the artifact to a file and give its media type.

        Raises:
            FarmNotFound: The address has expired: ask `artifacts` again.
            FarmAnswerError: It is not what its kind says, or larger than ``limit`` bytes.
        """
