"""The farm's app repository: apps, their builds, and what parsing makes of a file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PARSING, USABLE, FAILED = "parsing", "usable", "failed"


@dataclass
class Version:
    """One build of an app; `ready` is when parsing ends, in seconds since the epoch.

    Attributes:
        failure: Why the farm cannot use the file; empty when it can.
        path: The stored bytes on this machine.
    """

    id: int
    app_id: int
    name: str
    version: str
    package: str | None
    filename: str
    key: str
    path: Path
    sha256: str
    created: float
    ready: float
    creator: str
    failure: str = ""

    def state(self, now: float) -> str:
        """`parsing`, then `usable` or `failed`."""
        if now < self.ready:
            return PARSING
        return FAILED if self.failure else USABLE


@dataclass
class App:
    """Builds that belong together."""

    id: int
    name: str
    platform: str
    created: float
    creator: str
    private: bool = True
    versions: dict[int, Version] = field(default_factory=dict)

    @property
    def latest(self) -> Version | None:
        """The build added last."""
        return self.versions[max(self.versions)] if self.versions else None


class Apps:
    """The apps of all accounts."""

    def __init__(self) -> None:
        self._by_id: dict[int, App] = {}
        self._app_ids = itertools.count(101)
        self._version_ids = itertools.count(5001)

    def __iter__(self) -> Iterator[App]:
        return iter(list(self._by_id.values()))

    def get(self, app_id: int) -> App | None:
        """The app of this id."""
        return self._by_id.get(app_id)

    def version(self, version_id: int) -> Version | None:
        """The build of this id, whatever app it belongs to."""
        return next((app.versions[version_id] for app in self if version_id in app.versions), None)

    def new_app(self, name: str, platform: str, created: float, creator: str) -> App:
        """Stores an app without builds."""
        app = App(next(self._app_ids), name, platform, created, creator)
        self._by_id[app.id] = app
        return app

    def next_version_id(self) -> int:
        """An id no build has."""
        return next(self._version_ids)

    def remove(self, app_id: int) -> bool:
        """Forgets an app with its builds; says whether there was one."""
        return self._by_id.pop(app_id, None) is not None

    def remove_version(self, version_id: int) -> bool:
        """Forgets one build; says whether there was one."""
        return any(app.versions.pop(version_id, None) for app in self)
