"""Devices, what their flags say, and the lists they appear in."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.simulator.contract import TEXT, ContractBroken
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.sessions import TERMINATED
from pytest_devicefarm.simulator.wire import Call, Denied, Route, Unknown
from pytest_devicefarm.simulator.world import World

WORDS = {"android": "Android", "ios": "iOS"}
CODES = {"android": "2", "ios": "1"}
AUTOMATION = {"android": "UiAutomator2", "ios": "XCUITest"}

_PORTS = {"android": ("system_port", 4000, 34000), "ios": ("wda_local_port", 3000, 33000)}
"""Field and base of a device's own port, and what its Appium server's port lies above it."""


def get_user_devices(call: Call) -> Response:
    """All devices of the account: a list below `data`, or as support pages show them, lists by platform."""
    rows = [_row(call, device) for device in visible(call.world)]
    said = "Device Fetch Successfully."
    if not call.wire.documented:
        kinds = {kind: [r for r in rows if r["device_type"] == code] for kind, code in CODES.items()}
        return answer(call, said, devices=kinds)
    response = answer(call, said, data=rows)
    # The reference's sample has the platform under a name that is there before, with another value.
    response.set_data(response.get_data().replace(b'"platform_name":', b'"mobile_number":'))
    return response


def get_devices_info(call: Call) -> Response:
    """Devices by platform, version or id; a single one is no list in the reference."""
    wanted = call.body
    rows = [
        _info(call, device)
        for device in visible(call.world)
        if wanted.get("device_id") in (None, "", str(device.id))
        and wanted.get("platform_version") in (None, "", device.version)
        and wanted.get("device_type", "").lower() in ("", device.platform, CODES[device.platform])
    ]
    alone = call.wire.documented and len(rows) == 1
    return answer(call, "Device Fetch Successfully.", devices=rows[0] if alone else rows)


def get_appium_capabilities(call: Call) -> Response:
    """One device by either of its ids, with flags as numbers and names in another spelling."""
    if not (call.body.get("device_id") or call.body.get("udid")):
        raise ContractBroken("neither 'device_id' nor 'udid' is there")
    device = (
        device_of(call.world, call.body["device_id"])
        if call.body.get("device_id")
        else next((d for d in visible(call.world) if d.udid == call.body["udid"]), None)
    )
    if device is None:
        raise Unknown("Device not found.")
    facts = {
        "device_id": str(device.id),
        "appiumURL": appium_url(call, device),
        "platformName": WORDS[device.platform],
        "platform_version": device.version,
        "deviceName": device.name,
        "automationName": AUTOMATION[device.platform],
        "udid": device.udid,
        "s_device": short_code(device),
        "wdaLocalPort" if device.platform == "ios" else "systemPort": own_port(device),
        **flags(call.world, device),
        "reserved_device_user_email": _holder(call.world, device),
    }
    return answer(call, "Device details.", data=facts)


def cap_builder(call: Call) -> Response:
    """The first free device that fits; it is not kept for the caller."""
    wanted = {name: call.body.get(name, "").lower() for name in _WISHES}
    found = [
        device
        for device in visible(call.world)
        if device.platform == call.body["device_type"].lower()
        and device.drivable
        and wanted["device_name"] in ("", device.name.lower())
        and wanted["os_version"] in ("", device.version.lower())
        and wanted["manufactured_by"] in ("", device.manufacturer.lower())
        and (not wanted["device_tag"] or wanted["device_tag"] in (tag.lower() for tag in device.tags))
        and call.world.free_for(call.account.name, device)
    ]
    if not found:
        raise Denied("No device is available.")
    order = call.body.get("order_by") or call.body.get("Order_By")
    device = secrets.choice(found) if order == "rand" else found[0]
    facts = {
        "device_id": str(device.id),
        "appium_url": appium_url(call, device),
        "s_device": short_code(device),
        "platform_name": device.platform,
        "device_name": device.name,
        "platform_version": device.version,
        "automation_name": AUTOMATION[device.platform],
        "udid": device.udid,
        "imei": '"Unknown"',
        "user_token": call.account.key,
        _PORTS[device.platform][0]: own_port(device),
        "remote_host": call.request.host,
        "remote_path": "/wd/hub",
        "remote_port": str(appium_port(device)),
        "project_name": call.body.get("project_name", ""),
    }
    return answer(call, data=facts)


def release_device(call: Call) -> Response:
    """Ends the caller's session on a device; bookings stay."""
    device = known(call.world, call.path["device_id"])
    session = call.world.sessions.on(device)
    if session is not None:
        if session.account != call.account.name:
            raise Denied("This device is used by another user.")
        call.world.end_session(session, TERMINATED)
    return answer(call, "Device released successfully.")


def visible(world: World) -> list[Device]:
    """The devices that an account gets to see."""
    world.settle()
    return [device for device in world.devices if not device.hidden]


def device_of(world: World, device_id: str) -> Device | None:
    """The device of a numeric id."""
    return next((d for d in visible(world) if str(d.id) == str(device_id)), None)


def known(world: World, device_id: str) -> Device:
    """The device of a numeric id.

    Raises:
        Unknown: There is none.
    """
    device = device_of(world, device_id)
    if device is None:
        raise Unknown("Device not found.")
    return device


def short_code(device: Device) -> str:
    """The code that calls about builds of applications take instead of the id."""
    return hashlib.sha256(device.udid.encode()).hexdigest()[:6].upper()


def own_port(device: Device) -> str:
    """The port of the helper on the device."""
    return str(_PORTS[device.platform][1] + device.id % 1000)


def appium_port(device: Device) -> int:
    """The port in the address of the device's Appium server."""
    return int(own_port(device)) + _PORTS[device.platform][2]


def appium_url(call: Call, device: Device) -> str:
    """The device's own Appium server."""
    return f"{call.base}/appium_{appium_port(device)}/wd/hub"


def flags(world: World, device: Device) -> dict[str, int]:
    """What a device is doing; 1 is yes."""
    now = world.clock.now()
    rebooting = now < device.rebooting_until
    said = {
        "is_run_generator": False,
        "is_run_build": False,
        "is_run_local_execution": world.sessions.on(device) is not None,
        "is_run_virtual_usb": False,
        "is_run_device_cloud": now < device.busy_until,
        "is_offline": device.appium_disabled,
        "is_connected": device.online and not rebooting,
        "is_device_offline": not device.online,
        "is_unauthorised": device.unauthorised,
        "is_rebooting": rebooting,
        "is_reserved": bool(_holder(world, device)),
        "is_preparing": device.cleaning_until <= now < device.preparing_until,
        "is_cleaning": now < device.cleaning_until,
    }
    return {name: int(value) for name, value in said.items()}


def _holder(world: World, device: Device) -> str:
    now = world.clock.now()
    if now < device.booked_until:
        return "somebody.else"
    return world.reservations.holder(device.udid, now) or ""


def _row(call: Call, device: Device) -> dict[str, Any]:
    port = _PORTS[device.platform][0]
    holder = _holder(call.world, device)
    return {
        "device_id": str(device.id),
        "UDID": device.udid,
        "tags": ",".join(device.tags),
        "device_type": CODES[device.platform],
        "platform_version": device.version,
        "device_name": device.name,
        "manufactured_by": device.manufacturer,
        "chamber_number": "",
        "s_device": short_code(device),
        **{"wda_local_port": "", "system_port": "", port: own_port(device)},
        **{name: str(value) for name, value in flags(call.world, device).items()},
        "reserved_device_user_id": str(call.world.account_id(holder)) if holder else "0",
        "device_simulation_type": "Real",
        "imei": json.dumps(["Unknown"]),
        "server_type": "1",
        "reserved_device_user_email": holder,
        "mobile_number": "",
        "device_processor_name": "",
        "device_location": "null",
        "device_data_room": "null",
        "device_data_center": "null",
        "appium_url": appium_url(call, device),
        "remotelite_url": "",
        "platform_name": WORDS[device.platform],
        "automation_name": AUTOMATION[device.platform],
    }


def _info(call: Call, device: Device) -> dict[str, Any]:
    port = _PORTS[device.platform][0]
    told = flags(call.world, device)
    return {
        "device_id": device.id,
        "UDID": device.udid,
        "device_name": device.name,
        "model_name": device.model,
        "serial_number": "",
        "device_type": device.platform,
        "platform_version": device.version,
        port: own_port(device),
        "mobile_number": "",
        "device_location": "null",
        "tags": ",".join(device.tags),
        "appium_url": appium_url(call, device),
        "remotelite_url": "",
        "device_status": _status(told),
    }


def _status(told: dict[str, int]) -> str:
    if not told["is_connected"] or told["is_offline"]:
        return "Offline"
    return "Busy" if _any(told, exceptions=("is_connected",)) else "Available"


def _any(told: dict[str, int], *, exceptions: Iterable[str]) -> bool:
    return any(value for name, value in told.items() if name not in exceptions)


_WISHES = ("device_name", "os_version", "device_tag", "manufactured_by")

ROUTES: tuple[Route, ...] = (
    Route("getUserDevices", "POST", "/api/get-user-devices", get_user_devices, query=None, body=form()),
    Route(
        "getDevicesInfo",
        "POST",
        "/api/get-devices-info",
        get_devices_info,
        query=None,
        body=form(platform_version=TEXT, device_type=TEXT, device_id=TEXT),
    ),
    Route(
        "getAppiumCapabilities",
        "POST",
        "/devicecloud/api/GetAppiumCapabilities",
        get_appium_capabilities,
        query=None,
        body=form(device_id=TEXT, udid=TEXT),
    ),
    Route(
        "getFirstAvailableDeviceCapabilities",
        "POST",
        "/api/cap-builder",
        cap_builder,
        query=None,
        body=form(
            device_type=TEXT.must(),
            **dict.fromkeys((*_WISHES, "project_name", "order_by", "Order_By"), TEXT),
        ),
    ),
    Route("releaseDevice", "POST", "/api/user/releasedevice/{device_id}", release_device, query=None, body=form()),
)
