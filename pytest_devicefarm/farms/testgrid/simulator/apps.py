"""Applications, their versions, and uploaded builds."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.farms.testgrid.simulator.catalogue import AppVersion, Catalogue
from pytest_devicefarm.farms.testgrid.simulator.devices import WORDS
from pytest_devicefarm.simulator.apps import App, Version
from pytest_devicefarm.simulator.contract import TEXT, ContractBroken, Field
from pytest_devicefarm.simulator.wire import Call, Denied, Route, Unknown

if TYPE_CHECKING:
    from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire

_ENDINGS = {"android": ".apk", "ios": ".ipa"}
_PLATFORMS = {"1": "ios", "ios": "ios", "2": "android", "android": "android"}


def create_application(call: Call) -> Response:
    """Adds an application with its first version."""
    platform = _platform(call.body["platform_type"])
    with call.world.lock:
        app = call.world.apps.new_app(
            call.body["application_name"], platform, call.world.clock.now(), call.account.name
        )
        token = _catalogue(call).add_application(app)
        version = _catalogue(call).add_version(app.id, call.body["version_name"], "", platform)
    made = {
        "app_id": str(app.id),
        "application_name": app.name,
        "application_token": token,
        "application_version_name": version.name,
        "application_version_description": "",
        "application_version_token": version.token,
        "application_platform_type": WORDS[platform],
    }
    return answer(call, "Application Created Successfully.", response=made)


def create_version(call: Call) -> Response:
    """Adds a version to an application."""
    app = _application(call, call.path["app_id"])
    with call.world.lock:
        version = _catalogue(call).add_version(
            app.id,
            call.body["version_name"],
            call.body.get("version_description", ""),
            _platform(call.body["version_platform"]),
        )
    return answer(call, "Version created.", data={"version_id": version.id, "version_name": version.name})


def list_applications(call: Call) -> Response:
    """The caller's applications; builds uploaded alone are in none."""
    apps = _catalogue(call).applications(call.world.apps, call.account.name)
    return answer(call, "All Build list", data=[_application_json(call, app) for app in apps])


def get_application_info(call: Call) -> Response:
    """One application with its versions."""
    app = _application(call, call.path["app_id"])
    versions = [
        {
            "version_id": str(version.id),
            "version_name": version.name,
            "version_description": version.description,
            "platform_type": version.platform,
            "version_token": version.token,
        }
        for version in reversed(_catalogue(call).of_app(app.id))
    ]
    return answer(call, "Build info", data={**_application_json(call, app), "versions": versions})


def get_build_version_info(call: Call) -> Response:
    """One version with tokens and builds; the lists are JSON text in the reference."""
    version = _catalogue(call).versions.get(call.path_id("version_id"))
    app = None if version is None else call.world.apps.get(version.app_id)
    if version is None or app is None or app.creator != call.account.name:
        raise Unknown("Version not found.")
    found = (call.world.apps.version(number) for number in version.builds)
    builds = [_build_json(call, build) for build in found if build is not None]
    facts = {
        "user_token": call.account.key,
        "version_token": version.token,
        "application_token": _catalogue(call).token(app),
        "application_name": app.name,
        "version_name": version.name,
        "version_module_list": "[]" if call.wire.documented else [],
        "app_build_list": json.dumps(builds) if call.wire.documented else builds,
    }
    return answer(call, "Version info", data=facts)


def get_build_info(call: Call) -> Response:
    """Facts about one build, the id of its package among them."""
    return answer(call, "Build info", data=_build_json(call, own_build(call, call.path["app_build_id"])))


def upload_app_build(call: Call) -> Response:
    """Adds a build to a version."""
    app, version = tokens(call)
    build = _uploaded(call, version.platform, app, call.body["build_name"])
    version.builds.append(build.id)
    return answer(
        call,
        "Successfully added app build",
        statuscode="200",
        app_build_id=str(build.id),
        app_build_version=str(len(version.builds)),
        build_name=call.body["build_name"],
        is_do_not_delete="0",
    )


def upload_app_direct(call: Call) -> Response:
    """Adds a build that belongs to no application."""
    file: FileStorage = call.body["upload_file"]
    name = PurePosixPath(file.filename or "app").stem
    build = _uploaded(call, _platform(call.body["platform"]), None, name)
    return answer(call, "Successfully added app build", app_build_id=str(build.id))


def delete_app_build(call: Call) -> Response:
    """Removes a build; what is on devices stays there."""
    build = own_build(call, call.path["app_build_id"])
    version = _catalogue(call).version_of(build)
    if version is not None:
        version.builds.remove(build.id)
    call.world.apps.remove_version(build.id)
    return answer(call, "Build removed successfully.")


def own_build(call: Call, number: str) -> Version:
    """The caller's build of this id.

    Raises:
        Unknown: There is none.
    """
    build = call.world.apps.version(int(number)) if number.isdigit() else None
    if build is None or build.creator != call.account.name:
        raise Unknown("Build not found.")
    return build


def tokens(call: Call) -> tuple[App, AppVersion]:
    """The application and version that the tokens of a call name.

    Raises:
        Denied: They name none, or not one that belongs to the other.
    """
    app = application_of(call)
    named = (v for v in _catalogue(call).of_app(app.id) if v.token == call.body["version_token"])
    version = next(named, None)
    if version is None:
        raise Denied("Invalid version token.")
    return app, version


def application_of(call: Call) -> App:
    """The caller's application that a call's token names.

    Raises:
        Denied: There is none.
    """
    catalogue = _catalogue(call)
    for app in catalogue.applications(call.world.apps, call.account.name):
        if catalogue.token(app) == call.body["application_token"]:
            return app
    raise Denied("Invalid application token.")


def _uploaded(call: Call, platform: str, app: App | None, name: str) -> Version:
    file: FileStorage = call.body["upload_file"]
    filename = PurePosixPath((file.filename or "").replace("\\", "/")).name
    if not filename.lower().endswith(_ENDINGS[platform]):
        raise Denied(f"The file of a build for {WORDS[platform]} has to end with {_ENDINGS[platform]}.")
    fault = call.struck_by("parse_failure")
    key = f"builds/{secrets.token_hex(8)}/{filename}"
    world = call.world
    world.storage.receive(key, file.stream)
    failure = "" if fault is None else fault.reason or "the build cannot be parsed"
    build = world.register_build(call.account.name, key, filename, app, failure)
    if build is None:
        raise Unknown("The uploaded file is gone.")
    if build.failure:
        world.apps.remove_version(build.id)
        raise Denied(f"Upload failed: {build.failure}.")
    stamp = datetime.fromtimestamp(world.clock.date(build.created), UTC).strftime("%Y%m%d%H%M%S")
    with world.lock:
        _catalogue(call).file_name(filename, name, build, stamp)
    return build


def _build_json(call: Call, build: Version) -> dict[str, Any]:
    catalogue = _catalogue(call)
    version, labels = catalogue.version_of(build), catalogue.labels[build.id]
    app = call.world.apps.get(build.app_id)
    place = f"{build.app_id}/{0 if version is None else version.id}/builds/{build.id}"
    path = f"/app_build/{call.account.key}/{place}/{labels.file_name}"
    return {
        "app_build_id": str(build.id),
        "app_id": "0" if version is None else str(build.app_id),
        "app_build_version": "1" if version is None else str(version.builds.index(build.id) + 1),
        "build_name": labels.name,
        "file_name": labels.file_name,
        "user_id": str(call.account.id),
        "version_id": "0" if version is None else str(version.id),
        "platform_type": "" if app is None else app.platform,
        "build_server_url": cast("TestGridWire", call.wire).publish(call, path, build.key),
        "bundle_id": build.package or "",
    }


def _application_json(call: Call, app: App) -> dict[str, Any]:
    catalogue = _catalogue(call)
    return {
        "app_id": str(app.id),
        "name": app.name,
        "application_token": catalogue.token(app),
        "cm_version_id": ",".join(str(version.id) for version in catalogue.of_app(app.id)),
    }


def _application(call: Call, number: str) -> App:
    apps = _catalogue(call).applications(call.world.apps, call.account.name)
    app = next((app for app in apps if str(app.id) == number), None)
    if app is None:
        raise Unknown("Application not found.")
    return app


def _platform(word: str) -> str:
    platform = _PLATFORMS.get(word.lower())
    if platform is None:
        raise Denied(f"Platform {word!r} is not supported.")
    return platform


def _catalogue(call: Call) -> Catalogue:
    return cast("TestGridWire", call.wire).catalogue


def _a_file(value: Any) -> FileStorage:
    if not isinstance(value, FileStorage):
        raise ContractBroken("'upload_file' has to be a file")
    return value


FILE = Field(_a_file, "a file", required=True)

ROUTES: tuple[Route, ...] = (
    Route("listApplications", "POST", "/api/user/applications", list_applications, query=None, body=form()),
    Route(
        "getApplicationInfo", "POST", "/api/user/applications/{app_id}", get_application_info, query=None, body=form()
    ),
    Route(
        "createApplication",
        "POST",
        "/api/create-application",
        create_application,
        query=None,
        body=form(**dict.fromkeys(("version_name", "application_name", "platform_type"), TEXT.must())),
    ),
    Route(
        "createVersion",
        "POST",
        "/api/user/version/{app_id}",
        create_version,
        query=None,
        body=form(version_name=TEXT.must(), version_platform=TEXT.must(), version_description=TEXT),
    ),
    Route("getBuildInfo", "POST", "/api/user/buildinfo/{app_build_id}", get_build_info, query=None, body=form()),
    Route(
        "getBuildVersionInfo", "POST", "/api/user/build/{version_id}", get_build_version_info, query=None, body=form()
    ),
    Route("deleteAppBuild", "POST", "/api/user/removebuilds/{app_build_id}", delete_app_build, query=None, body=form()),
    Route(
        "uploadAppBuild",
        "POST",
        "/ci/upload_app_build",
        upload_app_build,
        query=None,
        body=form(
            application_token=TEXT.must(),
            version_token=TEXT.must(),
            build_name=TEXT.must(),
            bundle_identifier=TEXT,
            upload_file=FILE,
        ),
        effects=frozenset({"parse_failure"}),
    ),
    Route(
        "uploadAppDirect",
        "POST",
        "/api/app-upload",
        upload_app_direct,
        query=None,
        body=form(platform=TEXT.must(), upload_file=FILE),
        effects=frozenset({"parse_failure"}),
    ),
)
