"""Builds of apps."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.kobiton.simulator.answers import done
from pytest_devicefarm.simulator.apps import FAILED, PARSING, Version
from pytest_devicefarm.simulator.storage import DOWNLOAD_LIFE
from pytest_devicefarm.simulator.wire import Call, Route, Unknown, compact


def get_application_version(call: Call) -> Response:
    """One build, with its app and the state of its parsing."""
    version = _version(call)
    return compact(
        {
            "id": version.id,
            "appId": version.app_id,
            "name": version.name,
            "state": version_state(call, version),
            "version": version.version,
        }
    )


def delete_application_version(call: Call) -> Response:
    """Removes one build."""
    call.world.apps.remove_version(_version(call).id)
    return done(call)


def get_version_download_url(call: Call) -> Response:
    """A signed URL of the build's file."""
    return compact({"url": call.world.storage.sign("GET", call.base, _version(call).key, DOWNLOAD_LIFE)})


def version_state(call: Call, version: Version) -> str:
    """PARSING, OK, or FAILURE with the reason behind it."""
    state = version.state(call.world.clock.now())
    return {PARSING: "PARSING", FAILED: f"FAILURE: {version.failure}"}.get(state, "OK")


def version_json(call: Call, version: Version) -> dict[str, Any]:
    """A build as it appears inside its app."""
    return {
        "id": version.id,
        "createdAt": call.world.clock.iso(version.created),
        "name": version.name,
        "version": version.version,
        "createdBy": version.creator,
        "state": version_state(call, version),
        "nativeProperties": {
            "package": version.package,
            "application": {"label": version.name, "versionName": version.version},
        },
    }


def _version(call: Call) -> Version:
    version = call.world.apps.version(call.path_id("versionId"))
    if version is None:
        raise Unknown(f"App version {call.path['versionId']} is not known.")
    return version


ROUTES = (
    Route("getApplicationVersion", "GET", "/app/versions/{versionId}", get_application_version),
    Route("deleteApplicationVersion", "DELETE", "/app/versions/{versionId}", delete_application_version),
    Route("getVersionDownloadUrl", "GET", "/app/versions/{versionId}/downloadUrl", get_version_download_url),
)
