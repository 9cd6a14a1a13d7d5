"""TestGrid's order of builds: applications have versions, versions have builds; builds uploaded alone have neither."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field

from pytest_devicefarm.simulator.apps import App, Apps, Version


@dataclass
class AppVersion:
    """A version of an application, which builds are uploaded to."""

    id: int
    app_id: int
    name: str
    description: str
    platform: str
    token: str = field(default_factory=lambda: secrets.token_hex(12))
    builds: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Labels:
    """What one build is called: by people, and as a file of the server."""

    name: str
    file_name: str


class Catalogue:
    """Applications with their tokens, versions and builds; to be used under the world's lock."""

    def __init__(self) -> None:
        self.versions: dict[int, AppVersion] = {}
        self.labels: dict[int, Labels] = {}
        self._tokens: dict[int, str] = {}
        self._ids = itertools.count(481)

    def add_application(self, app: App) -> str:
        """Makes an app of the world an application, and gives its token."""
        self._tokens[app.id] = secrets.token_hex(12)
        return self._tokens[app.id]

    def add_version(self, app_id: int, name: str, description: str, platform: str) -> AppVersion:
        """Adds an empty version."""
        version = AppVersion(next(self._ids), app_id, name, description, platform)
        self.versions[version.id] = version
        return version

    def applications(self, apps: Apps, account: str) -> list[App]:
        """The applications of an account."""
        return [app for app in apps if app.id in self._tokens and app.creator == account]

    def token(self, app: App) -> str:
        """The token of an application."""
        return self._tokens[app.id]

    def of_app(self, app_id: int) -> list[AppVersion]:
        """The versions of an application, oldest first."""
        return [version for version in self.versions.values() if version.app_id == app_id]

    def version_of(self, build: Version) -> AppVersion | None:
        """The version that a build was uploaded to; None for a build uploaded alone."""
        return next((v for v in self.versions.values() if build.id in v.builds), None)

    def file_name(self, filename: str, name: str, build: Version, stamp: str) -> Labels:
        """Gives a build a name for people and a file name of the server's own."""
        ending = filename.rpartition(".")[2].lower()
        self.labels[build.id] = Labels(name, f"{stamp}_{secrets.token_hex(3)}.{ending}")
        return self.labels[build.id]
