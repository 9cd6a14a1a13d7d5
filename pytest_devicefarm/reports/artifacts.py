"""Which artifacts a run keeps, where they lie, and the file that tells what happened on which device."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.model import Artifact, ArtifactKind, Device, FarmSession, TestRecord
from pytest_devicefarm.reports.text import portal_link, slug

Keep = Literal["on", "off", "retain-on-failure"]
"""Whether an artifact is kept: always, never, or when the test failed."""

FILE_NAMES: Mapping[ArtifactKind, str] = {
    ArtifactKind.DEVICE_LOG: "device.log",
    ArtifactKind.APPIUM_LOG: "appium.log",
    ArtifactKind.VIDEO: "video.mp4",
    ArtifactKind.NETWORK_LOG: "network.har",
    ArtifactKind.SCREENSHOT: "screenshots/0001.png",
    ArtifactKind.PAGE_SOURCE: "page-source.xml",
    ArtifactKind.COMMANDS: "commands.json",
    ArtifactKind.SESSION: "session.json",
}
"""File of the first artifact of a kind, relative to the folder of its test."""

MEDIA_TYPES: Mapping[ArtifactKind, str] = {
    ArtifactKind.DEVICE_LOG: "text/plain",
    ArtifactKind.APPIUM_LOG: "text/plain",
    ArtifactKind.VIDEO: "video/mp4",
    ArtifactKind.NETWORK_LOG: "application/json",
    ArtifactKind.SCREENSHOT: "image/png",
    ArtifactKind.PAGE_SOURCE: "application/xml",
    ArtifactKind.COMMANDS: "application/json",
    ArtifactKind.SESSION: "application/json",
}
"""What a file of a kind is, unless its content says otherwise."""

ON_REPORT = "devicefarm_sessions"
"""Attribute of the teardown report of a test: a list of what `SessionJob.to_plain` gave."""

INFRASTRUCTURE_ON_REPORT = "devicefarm_infrastructure"
"""Attribute of a report whose failure is the farm's: the message; missing or ``""`` otherwise."""

# These need no flag of their own: they are as cheap, and wanted as often, as the artifact beside them.
_FOLLOWS = {
    ArtifactKind.COMMANDS: ArtifactKind.APPIUM_LOG,
    ArtifactKind.PAGE_SOURCE: ArtifactKind.SCREENSHOT,
}


def wanted(policies: Mapping[ArtifactKind, Keep], failed: bool) -> tuple[ArtifactKind, ...]:
    """The kinds to keep of a test that ended so.

    The facts of the session are always kept; the command timeline is kept like the Appium log, and the page source like
    the screenshot. A kind without a policy is not kept.
    """

    def keeps(kind: ArtifactKind) -> bool:
        if kind is ArtifactKind.SESSION:
            return True
        policy = policies.get(kind, policies.get(_FOLLOWS.get(kind, kind), "off"))
        return policy == "on" or (policy == "retain-on-failure" and failed)

    return tuple(kind for kind in ArtifactKind if keeps(kind))


class OutputFolder:
    """The folder of one run, ``<output>/<run>/``, with one folder per try of a test.

    All names follow from the test alone, so the processes of a run agree on them without talking. Nothing is made
    before the first `prepare`, and nothing of other runs is touched.

    Args:
        output: What ``--farm-output`` says.
        run: Name of the run.
    """

    def __init__(self, output: Path, run: str) -> None:
        self.output = output.absolute()
        self.run = slug(run) or "run"
        self.path = self.output / self.run
        self._linked = False

    def check(self) -> None:
        """See that the folder can be written, and leave nothing behind.

        Raises:
            ConfigurationError: It cannot; names the folder and ``--farm-output``.
        """
        present = self.output
        while not os.path.lexists(present) and present != present.parent:
            present = present.parent
        try:
            with tempfile.TemporaryDirectory(prefix=".devicefarm-", dir=present):
                pass
        except OSError as error:
            raise ConfigurationError(
                f"the output folder {self.output} cannot be written ({error.strerror or error}); "
                "give another one with --farm-output"
            ) from error

    def test_folder(self, nodeid: str, try_number: int = 1, role: str = "") -> Path:
        """Where one try of a test, with one device of it, keeps its files; nothing is made."""
        digest = hashlib.sha256("\0".join((nodeid, str(try_number), role)).encode("utf-8", "surrogatepass")).hexdigest()
        # The folders of the test file are left out: they cost length, and the digest tells equal names apart.
        file, separator, names = nodeid.partition("::")
        readable = slug(file.replace("\\", "/").rpartition("/")[2].removesuffix(".py") + separator + names)
        parts = (readable, slug(role)[:20], f"try{try_number}" if try_number > 1 else "", digest[:8])
        return self.path / "-".join(part for part in parts if part)

    def of(self, test: TestRecord) -> Path:
        """The folder of this very try."""
        return self.test_folder(test.nodeid, test.try_number, test.role)

    def prepare(self, folder: Path) -> Path:
        """Make a folder of this run, and with the first one the pointer ``latest``; gives the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self._linked:
            self._linked = True
            self._point_latest()
        return folder

    def _point_latest(self) -> None:
        link = self.output / "latest"
        # Several processes come here at once: each makes a link of its own and moves it into place.
        fresh = self.output / f".latest-{os.getpid()}"
        try:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self.run, target_is_directory=True)
            fresh.replace(link)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                replace_text(self.output / "latest.txt", f"{self.run}\n")


def replace_text(path: Path, text: str) -> None:
    """Write a text file so that readers see the old text or the whole new one."""
    from pytest_devicefarm.core.files import write_whole

    # Half a surrogate pair can come out of a farm's JSON; it must not cost the file.
    write_whole(path, text.encode("utf-8", "backslashreplace"))


@dataclass(frozen=True, slots=True)
class SessionJob:
    """One test with one device, as the worker hands it to the collector.

    Attributes:
        session: ``None`` when no session could be opened.
        kinds: What to keep, decided by the final outcome.
        live: Artifacts that were taken before quit and lie in the folder of the test already.
        infrastructure: What went wrong with farm, device or session; ``""`` for nothing.
        waited: Seconds spent on waiting for the device.
    """

    test: TestRecord
    session: FarmSession | None
    kinds: tuple[ArtifactKind, ...] = ()
    live: tuple[Artifact, ...] = ()
    infrastructure: str = ""
    waited: float = 0.0

    def to_plain(self) -> dict[str, Any]:
        """The same as dicts, lists, texts and numbers, fit to travel on a test report."""
        import msgspec

        plain: dict[str, Any] = msgspec.to_builtins(self, enc_hook=str)
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The job that `to_plain` was asked of."""
        import msgspec

        return msgspec.convert(plain, cls, dec_hook=lambda kind, value: kind(value))


def jobs_on(report: object) -> list[SessionJob]:
    """The jobs that a teardown report carries, none on any other report."""
    return [SessionJob.from_plain(plain) for plain in getattr(report, ON_REPORT, ())]


def infrastructure_on(report: object) -> str:
    """What went wrong with farm, device or session in this phase of a test; ``""`` for nothing."""
    return str(getattr(report, INFRASTRUCTURE_ON_REPORT, None) or "")


def write_session_json(folder: Path, job: SessionJob, artifacts: Sequence[Artifact]) -> Path:
    """Write what happened on which device; gives the file. ``job.test.facts`` go in as they are, so without secrets.

    Files are named relative to the folder. Links lose what looks like a credential.
    """
    test, session = job.test, job.session
    content = {
        "test": test.nodeid,
        "try": test.try_number,
        "role": test.role,
        "outcome": test.outcome,
        "infrastructure": job.infrastructure,
        "started": test.started,
        "ended": test.ended,
        "waited_seconds": job.waited,
        "device": _device_facts(test.device),
        "session": session
        and {
            "id": session.id,
            "webdriver_id": session.webdriver_id,
            "link": portal_link(session.url),
            "started": session.started,
        },
        "facts": dict(test.facts),
        "artifacts": [
            {
                "kind": artifact.kind,
                "name": artifact.name,
                "file": relative_name(artifact.path, folder) if artifact.path else None,
                "media_type": artifact.media_type,
                "note": artifact.note,
            }
            for artifact in artifacts
        ],
    }
    path = folder / FILE_NAMES[ArtifactKind.SESSION]
    replace_text(path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")
    return path


def _device_facts(device: Device) -> dict[str, Any]:
    return {
        "name": device.name,
        "platform": device.platform,
        "version": device.version,
        "udid": device.udid,
        "id": device.id,
        "model": device.model,
        "manufacturer": device.manufacturer,
        "real": device.real,
    }


def relative_name(path: Path, folder: Path) -> str:
    """The path as seen from a folder, with forward slashes; the whole path where they lie on different drives."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.as_posix()
