"""Devices of the account: private, favourite and cloud ones."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.simulator.contract import FLAG, NUMBER_TEXT, TEXT
from pytest_devicefarm.simulator.devices import BROWSERS, Device
from pytest_devicefarm.simulator.wire import Call, Route, Unknown, compact


def get_devices(call: Call) -> Response:
    """The three lists, each narrowed by the filters; a favourite is in two of them."""
    devices = [d for d in call.world.devices if _listed(call, d) and _kept(call, d)]
    with_udid = not call.wire.documented
    return compact(
        {
            "privateDevices": [device_json(call, d) for d in devices if d.private],
            "favoriteDevices": [device_json(call, d, udid=with_udid) for d in devices if d.favourite],
            "cloudDevices": [device_json(call, d, udid=with_udid) for d in devices if not d.private],
        }
    )


def get_device_status(call: Call) -> Response:
    """Whether one device is booked and online."""
    wanted = call.path_id("deviceId")
    device = next((d for d in call.world.devices if d.id == wanted), None)
    if device is None:
        raise Unknown(f"Device {wanted} is not known.")
    return compact({"isBooked": call.world.booked(device), "isOnline": device.online})


def get_device_information(call: Call) -> Response:
    """One device by its UDID."""
    device = call.world.device(call.path["deviceUDID"])
    if device is None:
        raise Unknown(f"Device {call.path['deviceUDID']} is not known.")
    return compact(device_json(call, device))


def device_json(call: Call, device: Device, *, udid: bool = True) -> dict[str, Any]:
    """A device as the lists show it."""
    booked = call.world.booked(device)
    facts: dict[str, Any] = {
        "id": device.id,
        "isBooked": booked,
        "isOnline": device.online,
        "modelName": device.model,
        "deviceName": device.name,
        "resolution": {"width": device.width, "height": device.height},
        "platformName": platform_word(device, documented=call.wire.documented),
        "platformVersion": device.version,
        "installedBrowsers": [{"name": BROWSERS[device.platform], "version": "120.0"}],
        "deviceImageUrl": "",
        "isFavorite": device.favourite,
        "isCloud": not device.private,
        "isMyOrg": device.private,
        "isMyOwn": False,
    }
    if udid:
        facts["udid"] = device.udid
    if not call.wire.documented:
        facts["state"] = "DISCONNECTED" if not device.online else "UTILIZING" if booked else "ACTIVATED"
        facts["isHidden"] = device.hidden
        facts["hostedBy"] = device.group or None
        facts["manufacturer"] = device.manufacturer
        facts["tags"] = list(device.tags)
        facts["support"] = {"appiumDisabled": device.appium_disabled}
    return facts


def platform_word(device: Device, *, documented: bool) -> str:
    """The platform in the spelling of the dialect."""
    return {"android": "ANDROID" if documented else "Android", "ios": "IOS" if documented else "iOS"}[device.platform]


def name_fits(name: str, pattern: str) -> bool:
    """Whether a name is meant by a pattern: exact, or with `*` at either end, or one of several joined by commas."""
    return any(fnmatchcase(name.lower(), part.strip().replace("[", "[[]").lower()) for part in pattern.split(","))


def _listed(call: Call, device: Device) -> bool:
    # Documented lists have no field that says "hidden", so hidden devices are only shown where they can be told apart.
    return not (call.wire.documented and device.hidden)


def _kept(call: Call, device: Device) -> bool:
    query = call.query
    checks: dict[str, Callable[[Any], bool]] = {
        "udid": lambda want: device.udid == want,
        "isBooked": lambda want: call.world.booked(device) is want,
        "isOnline": lambda want: device.online is want,
        "isPlugged": lambda want: device.online is want,
        "appiumDisabled": lambda want: device.appium_disabled is want,
        "modelName": lambda want: name_fits(device.model, want),
        "deviceName": lambda want: name_fits(device.name, want),
        "platformName": lambda want: device.platform == want.lower(),
        "platformVersion": lambda want: name_fits(device.version, want),
        "browserName": lambda want: BROWSERS[device.platform] == want.lower(),
        "deviceGroup": lambda want: group_fits(device, want),
        "groupId": lambda want: True,
    }
    return all(checks[name](value) for name, value in query.items())


def group_fits(device: Device, word: str) -> bool:
    """Whether a device belongs to KOBITON (shared), ORGANIZATION (private) or ANY."""
    return {"KOBITON": not device.private, "ORGANIZATION": device.private}.get(word.upper(), True)


ROUTES = (
    Route(
        "getDevices",
        "GET",
        "/devices",
        get_devices,
        query={
            "groupId": NUMBER_TEXT,
            "udid": TEXT,
            "isBooked": FLAG,
            "isOnline": FLAG,
            "modelName": TEXT,
            "deviceName": TEXT,
            "platformName": TEXT,
            "platformVersion": TEXT,
            "browserName": TEXT,
            "appiumDisabled": FLAG,
            "isPlugged": FLAG,
            "deviceGroup": TEXT,
        },
    ),
    Route("getDeviceStatus", "GET", "/devices/{deviceId}/status", get_device_status),
    Route("getDeviceInformation", "GET", "/devices/{deviceUDID}", get_device_information),
)
