"""Builds on their way to devices, and what is on them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, cast

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.farms.testgrid.simulator.apps import own_build, tokens
from pytest_devicefarm.farms.testgrid.simulator.devices import known, short_code, visible
from pytest_devicefarm.simulator.apps import Version
from pytest_devicefarm.simulator.contract import TEXT
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.wire import Call, Denied, Route, Unknown

if TYPE_CHECKING:
    from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire

UNINSTALLING = 1.0
"""Simulated seconds from the request to uninstall until the app is gone."""

_PROCESSES = {"oaa": "android", "oia": "ios"}
_STARTED = "Successfully started the installation process on device."


def install_app_build_sync(call: Call) -> Response:
    """Installs a build of a version and answers when it is there."""
    build, device = _of_version(call)
    ready = _install(call, build, device)
    if ready is None:
        raise Denied("Application installation failed.")
    call.world.clock.sleep(ready - call.world.clock.now())
    return answer(call, "Application installed Successfully")


def install_app_build(call: Call) -> Response:
    """Starts to install a build of a version."""
    build, device = _of_version(call)
    _install(call, build, device)
    return answer(call, _STARTED, response_url=_log_url(call, build, device))


def install_app_direct(call: Call) -> Response:
    """Starts to install any build."""
    build = own_build(call, call.body["app_build_id"])
    device = known(call.world, call.body["device_id"])
    _install(call, build, device)
    return answer(call, _STARTED, response_url=_log_url(call, build, device))


def list_installed_apps(call: Call) -> Response:
    """The apps on a device; one that nobody installed is always there, under the name people see."""
    device = known(call.world, call.path["device_id"])
    apps = [
        {"bundle_id": v.package or v.name, "name": v.name, "version": v.version}
        for v in call.world.installs.on(device.udid, call.world.clock.now())
    ]
    settings = {"bundle_id": "Appium Settings", "name": "Appium Settings", "version": "7.0.4"}
    return answer(call, "All installed application.", data=[*apps, settings])


def uninstall_app(call: Call) -> Response:
    """Asks a device to remove an app."""
    device = known(call.world, call.path["device_id"])
    _refuse_if_used(call, device)
    call.world.installs.remove(device.udid, call.world.clock.now() + UNINSTALLING, call.body["bundle_id"])
    return answer(call, "Request to uninstall application has been sent to the device.")


def _of_version(call: Call) -> tuple[Version, Device]:
    app, version = tokens(call)
    build = own_build(call, call.body["app_build_id"])
    if build.id not in version.builds:
        raise Denied("This build does not belong to the version.")
    if _PROCESSES.get(call.body["process_type"]) != app.platform:
        raise Denied("Process type and application do not fit.")
    device = next((d for d in visible(call.world) if short_code(d) == call.body["s_device"]), None)
    if device is None:
        raise Unknown("Device not found.")
    return build, device


def _install(call: Call, build: Version, device: Device) -> float | None:
    """Starts it and says when it will be complete; None when never."""
    world = call.world
    _refuse_if_used(call, device)
    app = world.apps.get(build.app_id)
    if app is None or app.platform != device.platform:
        raise Denied("This build is not for this device.")
    if not device.drivable:
        raise Denied("Device is offline.")
    never = call.struck_by("install_never") is not None
    ready = None if never else max(world.clock.now(), build.ready) + world.delays.installing
    world.installs.start(device.udid, build, ready)
    return ready


def _refuse_if_used(call: Call, device: Device) -> None:
    session = call.world.sessions.on(device)
    now = call.world.clock.now()
    holder = call.world.reservations.holder(device.udid, now)
    others = session is not None and session.account != call.account.name
    if others or holder not in (None, call.account.name) or now < max(device.busy_until, device.booked_until):
        raise Denied("Device is busy.")


def _log_url(call: Call, build: Version, device: Device) -> str:
    path = f"/device-cloud/apps/uploadlogs/{secrets.token_hex(10)}.txt"
    text = f"{call.world.clock.iso()} installing {build.filename} on {device.name}\n"
    key = call.world.storage.keep(path.lstrip("/"), text.encode())
    return cast("TestGridWire", call.wire).publish(call, path, key)


_OF_VERSION = form(
    **dict.fromkeys(("application_token", "version_token", "process_type", "s_device", "app_build_id"), TEXT.must()),
    is_resign=TEXT,
)
_NEVER = frozenset({"install_never"})

ROUTES: tuple[Route, ...] = (
    Route(
        "installAppBuildSync",
        "POST",
        "/api/build/app-install",
        install_app_build_sync,
        query=None,
        body={**_OF_VERSION, "disable_secure_flag": TEXT},
        effects=_NEVER,
    ),
    Route(
        "installAppBuild",
        "POST",
        "/ci/app_build_install",
        install_app_build,
        query=None,
        body=_OF_VERSION,
        effects=_NEVER,
    ),
    Route(
        "installAppDirect",
        "POST",
        "/api/app-install",
        install_app_direct,
        query=None,
        body=form(app_build_id=TEXT.must(), device_id=TEXT.must(), is_resign=TEXT),
        effects=_NEVER,
    ),
    Route(
        "listInstalledApps", "POST", "/api/user/installed-app/{device_id}", list_installed_apps, query=None, body=form()
    ),
    Route(
        "uninstallApp",
        "POST",
        "/api/user/uninstall-app/{device_id}",
        uninstall_app,
        query=None,
        body=form(bundle_id=TEXT.must()),
    ),
)
