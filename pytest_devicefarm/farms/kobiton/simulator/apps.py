"""The apps repository: apps and their versions."""

from __future__ import annotations

import re
import secrets
from pathlib import PurePosixPath
from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.kobiton.simulator.answers import done
from pytest_devicefarm.farms.kobiton.simulator.versions import version_json
from pytest_devicefarm.simulator.apps import App
from pytest_devicefarm.simulator.contract import IDS, LOOSE_ID, TEXT, ContractBroken
from pytest_devicefarm.simulator.storage import UPLOAD_LIFE
from pytest_devicefarm.simulator.wire import Call, Route, Unknown, compact

UPLOAD_HEADERS = {"content-type": "application/octet-stream", "x-amz-tagging": "unsaved=true"}
"""What a client has to send with the PUT, since it is signed."""
SUFFIXES = (".apk", ".aab", ".ipa", ".zip")


def generate_app_upload_url(call: Call) -> Response:
    """Where to PUT a build; the key it names is what `POST /apps` takes."""
    name = PurePosixPath(call.body["filename"].replace("\\", "/")).name
    if not name.lower().endswith(SUFFIXES):
        raise ContractBroken(f"'filename' has to end with one of {', '.join(SUFFIXES)}")
    app_id = call.body.get("appId")
    if app_id is not None and call.world.apps.get(app_id) is None:
        raise Unknown(f"App {app_id} is not known.")
    stem, _, suffix = name.rpartition(".")
    # The app is part of the key: registering the file later says no more than the key.
    folder = f"users/{call.account.id}/apps" + (f"/{app_id}" if app_id is not None else "")
    key = f"{folder}/{stem}-{secrets.token_hex(8)}.{suffix}"
    url = call.world.storage.sign("PUT", call.base, key, UPLOAD_LIFE, UPLOAD_HEADERS)
    # The documented sample ends in a line break.
    return compact({"appPath": key, "url": url + "\n" if call.wire.documented else url})


def create_application_or_version(call: Call) -> Response:
    """Makes a build of an uploaded file and starts parsing it."""
    key = call.body["appPath"]
    owner = re.fullmatch(r"users/(\d+)/apps/(?:(\d+)/)?[^/]+", key)
    if owner is None or int(owner[1]) != call.account.id:
        raise ContractBroken("'appPath' is not a key that the upload URL came with")
    app = call.world.apps.get(int(owner[2])) if owner[2] else None
    fault = call.struck_by("parse_failure")
    failure = "" if fault is None else fault.reason or "the build cannot be parsed"
    filename = call.body.get("filename") or PurePosixPath(key).name
    version = call.world.register_build(call.account.name, key, filename, app, failure)
    if version is None:
        raise ContractBroken("'appPath' names a file that was not uploaded")
    shown = None if app is None and call.wire.documented else version.app_id
    return compact({"appId": shown, "versionId": version.id})


def get_applications(call: Call) -> Response:
    """All apps with their builds: below `apps` as seen, a bare list as documented."""
    apps = [_app_json(call, app) for app in call.world.apps if _visible(call, app)]
    return compact(apps if call.wire.documented else {"apps": apps})


def get_application(call: Call) -> Response:
    """One app with its builds and teams."""
    app = _app(call)
    facts = {name: value for name, value in _app_json(call, app).items() if name in ("id", "name", "state", "versions")}
    if call.wire.documented:
        facts["versions"] = [{**version, "version": _bare(version["version"])} for version in facts["versions"]]
    return compact({**facts, "assignedTeams": []})


def delete_application(call: Call) -> Response:
    """Removes an app with all its builds."""
    call.world.apps.remove(_app(call).id)
    return done(call)


def delete_multiple_applications(call: Call) -> Response:
    """Removes several apps and says which could be."""
    gone: list[int] = []
    missing: list[int] = []
    for app_id in call.body.get("appIds", []):
        (gone if call.world.apps.remove(app_id) else missing).append(app_id)
    result = [
        {"message": message, "appIds": ids}
        for message, ids in (("App has been deleted successfully", gone), ("App id not found!", missing))
        if ids
    ]
    return compact({"deleted": len(gone), "failed": len(missing), "result": result})


def make_application_private(call: Call) -> Response:
    """Leaves an app to its creator."""
    _app(call).private = True
    return done(call)


def make_application_public(call: Call) -> Response:
    """Opens an app to the organisation."""
    _app(call).private = False
    return done(call)


def _app(call: Call) -> App:
    app = call.world.apps.get(call.path_id("appId"))
    if app is None or not _visible(call, app):
        raise Unknown(f"App {call.path['appId']} is not known.")
    return app


def _visible(call: Call, app: App) -> bool:
    return not app.private or app.creator == call.account.name


def _app_json(call: Call, app: App) -> dict[str, Any]:
    versions = [version_json(call, version) for version in app.versions.values()]
    return {
        "id": app.id,
        "createdAt": call.world.clock.iso(app.created),
        "name": app.name,
        "privateAccess": app.private,
        "os": {"android": "ANDROID", "ios": "IOS"}[app.platform],
        "createdBy": app.creator,
        "state": versions[-1]["state"] if versions else "OK",
        "versions": versions,
        "iconUrl": "",
    }


def _bare(version: str) -> str | float:
    """The version as the documented sample of one app has it: a number where the text looks like one."""
    return float(version) if re.fullmatch(r"\d+\.\d+", version) else version


ROUTES = (
    Route(
        "generateAppUploadUrl",
        "POST",
        "/apps/uploadUrl",
        generate_app_upload_url,
        body={"filename": TEXT.must(), "appId": LOOSE_ID},
    ),
    Route("getApplications", "GET", "/apps", get_applications),
    Route(
        "createApplicationOrVersion",
        "POST",
        "/apps",
        create_application_or_version,
        body={"filename": TEXT, "appPath": TEXT.must(), "appId": LOOSE_ID},
        effects=frozenset({"parse_failure"}),
    ),
    Route("deleteMultipleApplications", "DELETE", "/apps", delete_multiple_applications, body={"appIds": IDS}),
    Route("getApplication", "GET", "/apps/{appId}", get_application),
    Route("deleteApplication", "DELETE", "/apps/{appId}", delete_application),
    Route("makeApplicationPrivate", "PUT", "/apps/{appId}/private", make_application_private),
    Route("makeApplicationPublic", "PUT", "/apps/{appId}/public", make_application_public),
)
