"""Builds of apps, read and labelled one by one."""

from __future__ import annotations

from pytest_devicefarm.core.replies import Id
from pytest_devicefarm.farms.kobiton.api._reply import Reply
from pytest_devicefarm.farms.kobiton.api._resource import Resource


class Version(Reply, frozen=True):
    """One build.

    Attributes:
        state: ``PARSING``, ``OK`` or a word that begins with ``FAILURE``.
        version: Text, also where the farm sends a bare number.
        message: Why parsing failed, where the farm says.
    """

    id: Id
    app_id: Id | None = None
    name: str = ""
    version: str = ""
    state: str = ""
    message: str = ""


class VersionUrl(Reply, frozen=True):
    """A signed address of a build's file."""

    url: str


class Versions(Resource):
    """Calls below ``/app/versions``."""

    def get(self, version_id: Id) -> Version:
        """One build and its state. Operation ``getApplicationVersion``, ``GET /app/versions/{versionId}``."""
        return self._ask("GET", "/app/versions/{versionId}", Version, versionId=version_id)

    def download_url(self, version_id: Id) -> VersionUrl:
        """Where its file can be had. ``GET /app/versions/{versionId}/downloadUrl``, known from public clients only."""
        return self._ask("GET", "/app/versions/{versionId}/downloadUrl", VersionUrl, versionId=version_id)

    def assign_tag(self, version_id: Id, name: str) -> None:
        """Attach a label: no blanks, at most 32 characters, unique in the organization.

        Operation ``assignTagToAppVersion``, ``POST /app/versions/{versionId}/tag/{name}``.
        """
        self._tell("POST", "/app/versions/{versionId}/tag/{name}", versionId=version_id, name=name)

    def unassign_tag(self, version_id: Id, name: str) -> None:
        """Take a label off. ``unassignTagFromAppVersion``, ``DELETE /app/versions/{versionId}/tag/{name}``."""
        self._tell("DELETE", "/app/versions/{versionId}/tag/{name}", versionId=version_id, name=name)

    def delete(self, version_id: Id) -> None:
        """Delete a build **for everybody**; never called by this package.

        Operation ``deleteApplicationVersion``, ``DELETE /app/versions/{versionId}``.
        """
        self._tell("DELETE", "/app/versions/{versionId}", versionId=version_id)
