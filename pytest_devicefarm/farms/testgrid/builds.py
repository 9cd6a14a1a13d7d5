"""Builds on their way to TestGrid and onto a device, and how one that is there already is recognised."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import (
    AppError,
    ConfigurationError,
    FarmAuthenticationError,
    FarmError,
    FarmNotFound,
    FarmRefused,
)
from pytest_devicefarm.core.farm import Progress
from pytest_devicefarm.core.model import App, Build, Device
from pytest_devicefarm.farms.testgrid import SPEC
from pytest_devicefarm.farms.testgrid.api import TestGridAPI
from pytest_devicefarm.farms.testgrid.api.apps import PLATFORM_CODES, AppBuild

INSTALL_SECONDS = 600.0
"""Longest wait for a build to be on a device."""

UNINSTALL_SECONDS = 120.0
"""Longest wait for a former build to be gone from a device."""

MOST_VERSIONS = 60
"""How many versions of applications are looked through for a build, the newest first."""

_REFERENCE = "testgrid-build:"
_LARGEST_LOG = 1 << 20
_REFUSED_BY_DEVICE = re.compile(r"INSTALL_(FAILED|PARSE)\w*|ApplicationVerificationFailed")
_ABOUT_THE_ACCOUNT = re.compile(r"\b(quota|limit|licen[cs]e|storage|space|permission|allowed)\b", re.IGNORECASE)
_FAILED = re.compile(r"\b(fail(ed|ure)?|error|denied|rejected|not installed)\b", re.IGNORECASE)


class Builds:
    """The account's uploaded builds, and the apps on its devices."""

    def __init__(self, api: TestGridAPI, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._packages: dict[str, str] = {}

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        """Upload a build that belongs to no application.

        Raises:
            AppError: TestGrid takes no files of this kind, or refuses this one.
        """
        if build.path.suffix.lower() not in (".apk", ".ipa"):
            raise AppError(
                f"TestGrid takes .apk and .ipa files, and {build.path.name} is none. Build one of these for it."
            )
        if progress is not None:
            progress(0, build.size)
        with tempfile.TemporaryDirectory(prefix="devicefarm-") as folder:
            # The server keeps the name of the file that is sent, and only the name can carry the digest.
            named = Path(folder) / build.upload_name
            try:
                named.symlink_to(build.path.resolve())
            except OSError:  # Windows allows it to administrators only
                named.hardlink_to(build.path)
            app_build_id = self._send(build, named)
        if progress is not None:
            progress(build.size, build.size)
        facts = self._facts(app_build_id) or AppBuild(app_build_id=app_build_id)
        return _app(build, facts, app_build_id)

    def _send(self, build: Build, named: Path) -> str:
        try:
            return str(self._api.apps.upload(platform=PLATFORM_CODES[build.platform], file=named).app_build_id)
        except FarmRefused as refusal:
            if refusal.status != 200 or not refusal.infrastructure or _ABOUT_THE_ACCOUNT.search(refusal.answer):
                raise
            raise AppError(
                f"TestGrid does not take {build.path.name}: {refusal.answer}. "
                "Check that the build installs on a device, and upload it again."
            ) from refusal

    def find(self, build: Build, known: App | None) -> App | None:
        """The build if the server has it: ``known`` checked, or one whose name has the digest."""
        if known is not None and known.sha256 == build.sha256:
            facts = self._facts(known.id)
            if facts is not None and known == _app(build, facts, known.id):
                return known
        digest = build.sha256[:12]
        for facts in self._listed():
            if any(digest in name for name in (facts.build_name, facts.file_name)):
                return _app(build, facts, str(facts.app_build_id))
        return None

    def list(self) -> tuple[App, ...]:
        """Builds of the account's applications; those that belong to none are listed nowhere."""
        return tuple(
            App(
                id=str(facts.app_build_id),
                reference=f"{_REFERENCE}{facts.app_build_id}",
                platform=facts.platform_type.lower(),
                name=facts.build_name or facts.file_name,
                package=facts.bundle_id,
                version=facts.app_build_version,
            )
            for facts in self._listed()
        )

    def package_of(self, app: App) -> str:
        """Package name or bundle id of a build, ``""`` where nobody tells."""
        if app.package:
            return app.package
        if app.id not in self._packages:
            facts = self._facts(app.id)
            self._packages[app.id] = facts.bundle_id if facts else ""
        return self._packages[app.id]

    def install(self, device: Device, app: App) -> None:
        """Put a build on a device and wait until the device lists it; a build that is there is removed before.

        Raises:
            AppError: It does not install; carries the farm's reason.
            FarmError: The farm failed meanwhile.
        """
        package = self.package_of(app)
        if not package:
            raise AppError(
                f"TestGrid does not say which package build {app.id} is, so nobody can tell when it is installed. "
                "Give the file itself with --farm-app."
            )
        if self._is_on(device, package):
            self._remove(device, package)
        try:
            started = self._api.apps.install(app_build_id=app.id, device_id=device.id)
        except FarmNotFound as error:
            raise AppError(f"TestGrid cannot install build {app.id} on {device}: {error.answer or error}") from error
        until, pause = self._clock.monotonic() + INSTALL_SECONDS, 1.0
        while not self._is_on(device, package):
            log = self._log(started.response_url)
            if reason := _failure(log):
                raise AppError(
                    f"TestGrid could not install {app.name or app.id} on {device}: {reason}. "
                    "Check the build, how it is signed and which versions it is for."
                )
            if self._clock.monotonic() + pause > until:
                raise AppError(
                    f"{device} does not list {package} {INSTALL_SECONDS / 60:.0f} minutes after its installation was "
                    f"started{f'; the log ends with {_last(log)!r}' if log else ''}. "
                    "Look at the device in the portal, and check how the build is signed."
                )
            self._clock.sleep(pause)
            pause = min(pause * 1.5, SPEC.poll_seconds)

    def _remove(self, device: Device, package: str) -> None:
        self._api.devices.uninstall_app(device.id, bundle_id=package)
        until, pause = self._clock.monotonic() + UNINSTALL_SECONDS, 1.0
        while self._is_on(device, package):
            if self._clock.monotonic() + pause > until:
                raise FarmError(
                    f"{device} still lists the former build of {package} {UNINSTALL_SECONDS:.0f} s after it was to be "
                    "removed, so a new one could not be told from it. Remove it in the portal."
                )
            self._clock.sleep(pause)
            pause = min(pause * 1.5, SPEC.poll_seconds)

    def _is_on(self, device: Device, package: str) -> bool:
        wanted = package.lower()
        listed = self._api.devices.installed_apps(device.id).apps
        return any(wanted in (one.bundle_id.lower(), one.name.lower()) for one in listed)

    def _log(self, address: str) -> str:
        """What the log of an installation says so far; it helps to explain and nothing else."""
        if not address:
            return ""
        with tempfile.TemporaryDirectory(prefix="devicefarm-") as folder:
            file = Path(folder) / "install.txt"
            try:
                self._api.files.download(address, file, limit=_LARGEST_LOG)
            except FarmError:
                return ""
            return file.read_text("utf-8", "replace")

    def _facts(self, app_build_id: str) -> AppBuild | None:
        """What the server knows of a build, ``None`` where it does not tell."""
        try:
            return self._api.apps.build(app_build_id)
        except FarmAuthenticationError:
            raise
        except FarmError:
            return None

    def _listed(self) -> Iterator[AppBuild]:
        applications = self._api.apps.list().applications
        ids = {text.strip() for one in applications for text in one.cm_version_id.split(",")}
        versions = sorted((text for text in ids if text.isdecimal()), key=int, reverse=True)
        for version in versions[:MOST_VERSIONS]:
            try:
                builds = self._api.apps.builds(version).builds
            except FarmNotFound:
                continue
            yield from sorted(
                (one for one in builds if str(one.app_build_id)),
                key=lambda one: str(one.app_build_id).zfill(20),
                reverse=True,
            )


def app_of_reference(text: str) -> App | None:
    """``testgrid-build:273``, a build by its id.

    Raises:
        ConfigurationError: It begins like one and is none.
    """
    if not text.startswith(_REFERENCE):
        return None
    app_build_id = text.removeprefix(_REFERENCE)
    if not re.fullmatch(r"[\w-]+", app_build_id):
        raise ConfigurationError(f"{text!r} is no build of TestGrid: write {_REFERENCE}ID, such as {_REFERENCE}273")
    return App(id=app_build_id, reference=text)


def _app(build: Build, facts: AppBuild, app_build_id: str) -> App:
    return App(
        id=app_build_id,
        reference=f"{_REFERENCE}{app_build_id}",
        platform=build.platform,
        name=facts.build_name or facts.file_name,
        package=build.package or facts.bundle_id,
        version=build.version or facts.app_build_version,
        sha256=build.sha256,
    )


def _failure(log: str) -> str:
    """The line of an installation's log that says it failed, ``""`` for none."""
    if found := _REFUSED_BY_DEVICE.search(log):
        return next(line.strip() for line in log.splitlines() if found.group() in line)[:300]
    last = _last(log)
    return last if _FAILED.search(last) else ""


def _last(log: str) -> str:
    return next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")[:300]
