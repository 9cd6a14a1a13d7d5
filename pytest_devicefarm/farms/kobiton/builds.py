"""Builds on their way to Kobiton, and how one that is there already is recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import AppError, ConfigurationError, FarmAnswerError, FarmError, FarmNotFound
from pytest_devicefarm.core.farm import Progress
from pytest_devicefarm.core.model import App, Build
from pytest_devicefarm.core.redaction import strip_query
from pytest_devicefarm.farms.kobiton import SPEC
from pytest_devicefarm.farms.kobiton.api import KobitonAPI
from pytest_devicefarm.farms.kobiton.api.apps import App as ListedApp
from pytest_devicefarm.farms.kobiton.api.apps import AppVersion
from pytest_devicefarm.farms.kobiton.api.versions import Version

PARSING_SECONDS = 600.0
"""Longest wait for the farm to parse a build."""

_STORE = "kobiton-store:"


class Builds:
    """The account's part of the app repository."""

    def __init__(self, api: KobitonAPI, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def upload(self, build: Build, *, progress: Progress | None = None) -> App:
        """Upload a build as an app of its own and wait until the farm has parsed it.

        It never becomes a further version of an app that is there: whoever uses that app's latest version would get
        our build.

        Raises:
            AppError: The farm cannot parse it; carries its reason.
        """
        place = self._api.apps.upload_url(filename=build.upload_name)
        self._api.storage.upload(place.url, build.path, progress=progress)
        created = self._api.apps.create(filename=build.upload_name, app_path=place.app_path)
        if not str(created.version_id).isdecimal():
            raise FarmAnswerError(
                f"Kobiton registered {build.upload_name} and gave {created.version_id!r} as the number of its version. "
                "Look whether it is in the apps repository, and name it there with --farm-app kobiton-store:vNUMBER.",
                method="POST",
                path="/apps",
            )
        version = self._parsed(str(created.version_id), build)
        return _app(build, str(version.id), version.name, version.version)

    def _parsed(self, version_id: str, build: Build) -> Version:
        deadline, pause = self._clock.monotonic() + PARSING_SECONDS, 1.0
        while True:
            version = self._version(version_id)  # a build just registered may not be known everywhere yet
            state = version.state if version else "unknown"
            if version and state.upper() == "OK":
                return version
            if version and state.upper().startswith("FAILURE"):
                reason = f"{state} {version.message}".strip()
                raise AppError(
                    f"Kobiton cannot use {build.path.name}: {reason}. "
                    "Check that the build installs on a device and upload it again."
                )
            if self._clock.monotonic() + pause > deadline:
                raise FarmError(
                    f"Kobiton has not parsed {build.path.name} after {PARSING_SECONDS / 60:.0f} minutes "
                    f"(state of version {version_id}: {state}). Look at it in the portal, or try again."
                )
            self._clock.sleep(pause)
            pause = min(pause * 1.5, SPEC.poll_seconds)

    def _version(self, version_id: str) -> Version | None:
        try:
            return self._api.versions.get(version_id)
        except FarmNotFound:
            return None

    def find(self, build: Build, known: App | None) -> App | None:
        """The build if the farm still has it.

        ``known`` counts if the farm shows name and version under its id as it did after the upload: ids of a simulator
        or a server set up anew begin again. Else a version is looked for in which the uploaded file's name, which has
        the digest, shows through.
        """
        if known is not None and known.sha256 == build.sha256:
            version = self._version(known.id)
            if (
                version
                and version.state.upper() == "OK"
                and (version.name, version.version)
                == (
                    known.name,
                    known.version,
                )
            ):
                return known
        digest = build.sha256[:12]
        for app, listed in self._usable():
            if any(digest in text for text in _texts(app, listed)):
                return _app(build, str(listed.id), listed.name, listed.version)
        return None

    def list(self) -> tuple[App, ...]:
        """All builds that can be installed, newest first."""
        usable = sorted(self._usable(), key=lambda found: found[1].created_at, reverse=True)
        return tuple(
            App(
                id=str(version.id),
                reference=f"{_STORE}v{version.id}",
                platform=app.os.lower(),
                name=version.name or app.name,
                package=(version.native_properties and version.native_properties.package) or "",
                version=version.version,
            )
            for app, version in usable
        )

    def _usable(self) -> Iterator[tuple[ListedApp, AppVersion]]:
        listed = self._api.apps.list()
        if listed.problems and not listed.apps:
            raise FarmAnswerError(
                f"Kobiton's list of apps cannot be read: {listed.problems[0]}. See `devicefarm doctor`.",
                method="GET",
                path="/apps",
                status=200,
            )
        for app in listed.apps:
            yield from ((app, version) for version in app.versions if version.state.upper() == "OK")


def app_of_reference(text: str) -> App | None:
    """``kobiton-store:17`` (latest version of an app), ``kobiton-store:v23`` (just this version), or a web address.

    Raises:
        ConfigurationError: It begins like a store reference and is none.
    """
    if text.startswith(_STORE):
        app_id = text.removeprefix(_STORE)
        if not re.fullmatch(r"v?[\w.-]+", app_id):
            raise ConfigurationError(
                f"{text!r} is no app of Kobiton: write {_STORE}APPID for the latest version or "
                f"{_STORE}vVERSIONID for a certain one"
            )
        return App(id=app_id, reference=text)
    if text.startswith(("http://", "https://")):
        path = urlsplit(text).path.lower()
        platform = "android" if path.endswith(".apk") else "ios" if path.endswith(".ipa") else ""
        return App(id=strip_query(text), reference=text, platform=platform)
    return None


def _app(build: Build, version_id: str, name: str, version: str) -> App:
    return App(
        id=version_id,
        reference=f"{_STORE}v{version_id}",
        platform=build.platform,
        name=name,
        package=build.package,
        version=version,
        sha256=build.sha256,
    )


def _texts(app: ListedApp, version: AppVersion) -> Iterator[str]:
    """Where the name of an uploaded file may show: in the names, and in the paths of the icon taken from it."""
    yield from (app.name, version.name, app.icon_url, version.icon_url)
    if version.native_properties and version.native_properties.application:
        yield from map(str, version.native_properties.application.values())
