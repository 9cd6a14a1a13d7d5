"""Uploaded builds, and the way they come onto a device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_devicefarm.core.replies import Answer, Id, Reply, read
from pytest_devicefarm.farms.testgrid.api._resource import Resource, elements

PLATFORM_CODES = {"ios": "1", "android": "2"}


class Uploaded(Reply, frozen=True):
    """A file the server has."""

    app_build_id: Id


class InstallStarted(Reply, frozen=True):
    """An installation under way; ``response_url`` is the address of its log, a text."""

    response_url: str = ""


class AppBuild(Reply, frozen=True):
    """What the server knows of an uploaded build.

    Attributes:
        file_name: The server's own name for the file.
    """

    app_build_id: Id = ""
    app_id: Id = ""
    version_id: Id = ""
    app_build_version: str = ""
    build_name: str = ""
    file_name: str = ""
    platform_type: str = ""
    bundle_id: str = ""


class Application(Reply, frozen=True):
    """An application; its versions are numbers with commas between them in ``cm_version_id``."""

    app_id: Id
    name: str = ""
    cm_version_id: str = ""


class ApplicationList(Answer, frozen=True):
    """The applications of the account."""

    applications: tuple[Application, ...] = ()


class VersionInfo(Reply, frozen=True):
    """A version of an application; the list of its builds may be JSON text."""

    application_name: str = ""
    version_name: str = ""
    app_build_list: Any = ()


class AppBuildList(Answer, frozen=True):
    """Builds of a version."""

    builds: tuple[AppBuild, ...] = ()


class Apps(Resource):
    """Calls about applications and builds."""

    def upload(self, *, platform: str, file: Path) -> Uploaded:
        """Send an APK or IPA that belongs to no application; the server keeps the file's name.

        Operation ``uploadAppDirect``, ``POST /api/app-upload``.

        Args:
            platform: ``1`` for iOS, ``2`` for Android.
        """
        return self._ask(
            "POST",
            "/api/app-upload",
            Uploaded,
            flat=True,
            form={"platform": platform},
            files={"upload_file": file},
            repeatable=False,
        )

    def install(self, *, app_build_id: Id, device_id: Id, is_resign: bool | None = None) -> InstallStarted:
        """Start the installation of an uploaded build; it is there when the device lists it.

        Operation ``installAppDirect``, ``POST /api/app-install``.

        Args:
            is_resign: Whether an IPA is signed anew.
        """
        return self._ask(
            "POST",
            "/api/app-install",
            InstallStarted,
            flat=True,
            form={
                "app_build_id": app_build_id,
                "device_id": device_id,
                "is_resign": None if is_resign is None else int(is_resign),
            },
            repeatable=False,
        )

    def build(self, app_build_id: Id) -> AppBuild:
        """What is known of a build. Operation ``getBuildInfo``, ``POST /api/user/buildinfo/{app_build_id}/``."""
        return self._ask("POST", "/api/user/buildinfo/{app_build_id}/", AppBuild, app_build_id=app_build_id)

    def list(self) -> ApplicationList:
        """All applications. Operation ``listApplications``, ``POST /api/user/applications``."""
        return self._ask("POST", "/api/user/applications", ApplicationList, many="applications")

    def version(self, version_id: Id) -> VersionInfo:
        """One version of an application. ``getBuildVersionInfo``, ``POST /api/user/build/{version_id}/``."""
        return self._ask("POST", "/api/user/build/{version_id}/", VersionInfo, version_id=version_id)

    def builds(self, version_id: Id) -> AppBuildList:
        """The builds of one version, as far as its answer lists them.

        Operation ``getBuildVersionInfo``, ``POST /api/user/build/{version_id}/``.
        """
        return read({"builds": elements(self.version(version_id).app_build_list)}, AppBuildList)
