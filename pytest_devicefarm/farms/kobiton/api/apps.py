"""Apps in the repository, and the way new builds come into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_devicefarm.core.replies import Id
from pytest_devicefarm.farms.kobiton.api._reply import Answer, Reply
from pytest_devicefarm.farms.kobiton.api._resource import Resource


class NativeProperties(Reply, frozen=True):
    """Facts the farm read from the file.

    Attributes:
        package: Package name or bundle id, null where it could not be read.
        application: Label, version and icon; the icon's path holds the name of the uploaded file.
    """

    package: str | None = None
    application: dict[str, Any] | None = None


class AppVersion(Reply, frozen=True):
    """A build inside an app.

    Attributes:
        state: ``PARSING``, ``OK`` or a word that begins with ``FAILURE``.
        version: Text, also where the farm sends a bare number.
    """

    id: Id
    name: str = ""
    version: str = ""
    state: str = ""
    created_at: str = ""
    created_by: str = ""
    native_properties: NativeProperties | None = None
    icon_url: str = ""


class AppTeam(Reply, frozen=True):
    """A team that an app is limited to."""

    id: Id = ""
    team_id: Id = ""
    app_id: Id = ""


class App(Reply, frozen=True):
    """An app with its builds."""

    id: Id
    name: str = ""
    os: str = ""
    state: str = ""
    private_access: bool | None = None
    created_at: str = ""
    created_by: str = ""
    icon_url: str = ""
    versions: tuple[AppVersion, ...] = ()
    assigned_teams: tuple[AppTeam, ...] = ()


class AppList(Answer, frozen=True):
    """The apps the account can see."""

    apps: tuple[App, ...] = ()


class UploadUrl(Reply, frozen=True):
    """Where to send a file, and the key that names it afterwards."""

    url: str
    app_path: str


class AppCreated(Reply, frozen=True):
    """A file that is being parsed; ``app_id`` is null for a new app until then."""

    version_id: Id
    app_id: Id | None = None


class DeletedApps(Reply, frozen=True):
    """One outcome of a bulk delete."""

    message: str = ""
    app_ids: tuple[Id, ...] = ()


class BulkDelete(Answer, frozen=True):
    """How a bulk delete went; a failed part still answers 200."""

    deleted: int | None = None
    failed: int | None = None
    result: tuple[DeletedApps, ...] = ()


class Apps(Resource):
    """Calls below ``/apps``."""

    def list(self) -> AppList:
        """All apps with their builds. Operation ``getApplications``, ``GET /apps``."""
        return self._ask("GET", "/apps", AppList, wrap="apps")

    def get(self, app_id: Id) -> App:
        """One app; right after its creation the farm may answer 500. ``getApplication``, ``GET /apps/{appId}``."""
        return self._ask("GET", "/apps/{appId}", App, appId=app_id)

    def upload_url(self, *, filename: str, app_id: Id | None = None) -> UploadUrl:
        """Ask for a signed address to send a file to. ``generateAppUploadUrl``, ``POST /apps/uploadUrl``.

        Args:
            app_id: The app that gets a further build; left out for a new app.
        """
        return self._ask("POST", "/apps/uploadUrl", UploadUrl, json={"filename": filename, "appId": app_id})

    def create(self, *, app_path: str, filename: str | None = None) -> AppCreated:
        """Register a file that was sent; it is parsed then. ``createApplicationOrVersion``, ``POST /apps``."""
        return self._ask("POST", "/apps", AppCreated, json={"filename": filename, "appPath": app_path})

    def make_private(self, app_id: Id) -> None:
        """Limit to its creator. Operation ``makeApplicationPrivate``, ``PUT /apps/{appId}/private``."""
        self._tell("PUT", "/apps/{appId}/private", appId=app_id)

    def make_public(self, app_id: Id) -> None:
        """Open to the organization. Operation ``makeApplicationPublic``, ``PUT /apps/{appId}/public``."""
        self._tell("PUT", "/apps/{appId}/public", appId=app_id)

    def assign_teams(self, app_id: Id, *, team_ids: Sequence[int]) -> None:
        """Limit to teams. Operation ``assignApplicationToTeams``, ``POST /apps/{appId}/team/assign``."""
        self._tell("POST", "/apps/{appId}/team/assign", appId=app_id, json={"teamIds": list(team_ids)})

    def delete(self, app_id: Id) -> None:
        """Delete an app with **all its builds**; never called by this package.

        Operation ``deleteApplication``, ``DELETE /apps/{appId}``.
        """
        self._tell("DELETE", "/apps/{appId}", appId=app_id)

    def delete_many(self, *, app_ids: Sequence[int]) -> BulkDelete:
        """Delete apps with **all their builds**; never called by this package.

        Operation ``deleteMultipleApplications``, ``DELETE /apps``.
        """
        return self._ask("DELETE", "/apps", BulkDelete, json={"appIds": list(app_ids)})
