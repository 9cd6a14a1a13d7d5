"""The things this package talks about, as frozen values; what is held open lives elsewhere."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class DeviceState(enum.StrEnum):
    """What a farm says of a device right now."""

    FREE = "free"
    BUSY = "busy"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Device:
    """One phone or tablet of a farm.

    Attributes:
        id: The farm's own id, as text.
        udid: Unique device identifier; the key of leases. Falls back to the id where a farm gives none.
        platform: ``android`` or ``ios``, lower case (other words are kept as the farm spells them, lower case).
        version: The platform version as the farm spells it, or ``""``.
        reservable: Whether the farm can reserve this very device.
        state: What the farm said when the device was listed.
        note: Why it is not free, in the farm's words, or ``""``.
        details: What only the farm itself reads, such as the address of the device's own Appium server; no secrets.
    """

    id: str
    udid: str
    name: str
    platform: str
    version: str = ""
    model: str = ""
    manufacturer: str = ""
    tags: tuple[str, ...] = ()
    group: str = ""
    real: bool | None = None
    reservable: bool = False
    state: DeviceState = DeviceState.FREE
    note: str = ""
    details: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        version = f" {self.version}" if self.version else ""
        return f"{self.name} ({self.platform}{version}, {self.udid})"


@dataclass(frozen=True, slots=True)
class Build:
    """A build on this machine's disk, read and digested before a byte of it is sent.

    Attributes:
        sha256: Hexadecimal digest of the file; the identity of the build everywhere.
        size: Bytes.
        platform: ``android`` or ``ios``.
        package: Package name or bundle id, ``""`` where the file does not say.
        version: Version text, ``""`` where the file does not say.
    """

    path: Path
    sha256: str
    size: int
    platform: str
    package: str = ""
    version: str = ""

    @property
    def upload_name(self) -> str:
        """File name for the farm; it carries the digest, since farms store none."""
        return f"{self.path.stem}-{self.sha256[:12]}{self.path.suffix.lower()}"


@dataclass(frozen=True, slots=True)
class App:
    """A build that a farm has.

    Attributes:
        id: The farm's id of this very build.
        reference: What the ``app`` capability says to get it, for example ``kobiton-store:v12``.
        sha256: Digest of the file it came from, ``""`` for a reference that was passed through.
    """

    id: str
    reference: str = field(repr=False)
    platform: str = ""
    name: str = ""
    package: str = ""
    version: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The farm's own booking of devices, visible to everyone.

    Attributes:
        expires: Seconds since the epoch at which the farm ends it by itself.
    """

    id: str
    udids: tuple[str, ...]
    expires: float


@dataclass(frozen=True, slots=True)
class FarmSession:
    """An Appium session as the farm knows it.

    Attributes:
        webdriver_id: W3C session id.
        id: The farm's own id of the session, ``""`` where it has none or did not tell.
        url: The session in the farm's portal, for people; ``""`` where there is none.
        started: Seconds since the epoch.
    """

    webdriver_id: str
    id: str
    url: str
    device: Device
    started: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a session showed.

    Attributes:
        passed: ``None`` where the test gave no verdict: it was skipped, or the farm failed it.
        name: Node id of the test, or scope and count of several.
        description: One line for people: outcome of each phase, first line of the failure.
    """

    passed: bool | None
    name: str
    description: str = ""


class ArtifactKind(enum.StrEnum):
    """What sort of thing a session left behind."""

    DEVICE_LOG = "device-log"
    APPIUM_LOG = "appium-log"
    VIDEO = "video"
    NETWORK_LOG = "network-log"
    SCREENSHOT = "screenshot"
    PAGE_SOURCE = "page-source"
    COMMANDS = "commands"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class RemoteArtifact:
    """An artifact at the farm, ready to be fetched or with the reason why it never will be.

    Attributes:
        name: File name to store it under, safe or not; the collector makes it safe.
        address: Where to fetch it. A signed address is a credential: it goes to the transport and nowhere else.
        data: The bytes themselves, where the farm gives them inside another answer.
        unavailable: Why it will never come, ``""`` where it will.
    """

    kind: ArtifactKind
    name: str
    address: str = field(default="", repr=False)
    data: bytes | None = field(default=None, repr=False)
    unavailable: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact in the output folder, or a note on why there is none.

    Attributes:
        path: The file, ``None`` where it never came.
        media_type: For example ``video/mp4``.
        note: Why it is missing or what to know about it, ``""`` for none.
    """

    kind: ArtifactKind
    name: str
    path: Path | None
    media_type: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class TestRecord:
    """One try of one test, as plain data: it outlives the item and crosses processes.

    Attributes:
        try_number: 1 for the first try.
        outcome: ``passed``, ``failed``, ``skipped``, ``xfailed``, ``xpassed`` or ``infrastructure``.
        role: Role of the device in a multi-device test, ``""`` otherwise.
        started: Seconds since the epoch; ``ended`` likewise.
    """

    __test__ = False

    nodeid: str
    try_number: int
    outcome: str
    device: Device
    role: str
    started: float
    ended: float
    facts: Mapping[str, Any] = field(default_factory=dict)
