"""Restarting and cleaning devices; all of it only begins with the call."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.farms.testgrid.simulator.devices import known
from pytest_devicefarm.simulator.contract import TEXT
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.wire import Call, Denied, Route


def restart_device(call: Call) -> Response:
    """Starts a device anew, which ends the caller's session on it."""
    call.world.restart(_usable(call, call.body["device_id"]))
    return answer(call, "The device reboot request has been sent. Please wait for a while.")


def clean_device(call: Call) -> Response:
    """Removes apps and files; flags tell how far that is."""
    device = _usable(call, call.path["device_id"])
    call.world.clean(device)
    call.world.installs.remove(device.udid, call.world.clock.now())
    return answer(call, "The device has been cleaned up successfully.")


def free_system_port(call: Call) -> Response:
    """Frees the port of the helper on a device; the port itself is not told."""
    _usable(call, call.path["device_id"])
    return answer(call, "System port free successfully.")


def _usable(call: Call, device_id: str) -> Device:
    device = known(call.world, device_id)
    session = call.world.sessions.on(device)
    holder = call.world.reservations.holder(device.udid, call.world.clock.now())
    if (session is not None and session.account != call.account.name) or holder not in (None, call.account.name):
        raise Denied("This device is used by another user.")
    return device


ROUTES: tuple[Route, ...] = (
    Route(
        "restartDevice",
        "POST",
        "/devicecloud/api/restartDevice",
        restart_device,
        query=None,
        body=form(device_id=TEXT.must()),
    ),
    Route("cleanDevice", "POST", "/api/user/clean-device/{device_id}", clean_device, query=None, body=form()),
    Route("freeSystemPort", "POST", "/api/free-system-port/{device_id}", free_system_port, query=None, body=form()),
)
