"""TestGrid's devices as ours: platform, state and what their Appium servers need to know."""

from __future__ import annotations

from collections.abc import Collection

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.farm import DeviceList
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.settings import check_address
from pytest_devicefarm.farms.testgrid.api.devices import Device as Listed
from pytest_devicefarm.farms.testgrid.api.devices import DeviceList as ListedDevices
from pytest_devicefarm.farms.testgrid.api.devices import is_off, is_on

APPIUM_URL, SYSTEM_PORT, WDA_PORT, AUTOMATION = "appium_url", "system_port", "wda_local_port", "automation_name"
"""Keys of `Device.details`."""

BROWSER = "web"

_TYPES = {"1": "ios", "2": "android", "3": BROWSER}
_AUTOMATIONS = {"xcuitest": "ios", "uiautomator2": "android", "espresso": "android"}
_OFFLINE = (
    ("is_unauthorised", "not authorised for adb; needs hands"),
    ("is_device_offline", "lost by adb; needs hands"),
    ("is_offline", "its agent is down"),
)
_BUSY = (
    ("is_run_local_execution", "runs an Appium script"),
    ("is_run_build", "runs a scriptless test"),
    ("is_run_generator", "used by the test generator"),
    ("is_run_device_cloud", "used by a person"),
    ("is_run_virtual_usb", "used over virtual USB"),
    ("is_rebooting", "rebooting"),
    ("is_cleaning", "cleaning itself"),
    ("is_preparing", "preparing itself"),
)


def read_devices(listed: ListedDevices, held: Collection[str], *, own_servers: bool) -> DeviceList:
    """Every phone and tablet once; browsers, which TestGrid lists among them, are left out.

    Args:
        held: UDIDs that we have booked ourselves; their being reserved is our own doing.
        own_servers: Sessions go to each device's own Appium server, so it has to have one.
    """
    # Answers give what looks like an address in a type of its own; devices are plain values.
    devices: dict[str, Device] = {}
    problems = list(listed.problems)
    for one in listed.devices:
        device = _device(one, held, own_servers=own_servers)
        if device.platform == BROWSER:
            continue
        if device.udid in devices:
            problems.append(f"devices {devices[device.udid].id} and {device.id} both have the UDID {device.udid}")
        devices.setdefault(device.udid, device)
    return DeviceList(tuple(devices.values()), tuple(problems))


def udid_of(one: Listed) -> str:
    """The UDID, or the id where there is none."""
    return str(one.udid.strip() or one.device_id)


def _device(one: Listed, held: Collection[str], *, own_servers: bool) -> Device:
    udid = udid_of(one)
    state, note = _state(one, ours=udid in held)
    if own_servers and state is DeviceState.FREE and not _is_address(one.appium_url):
        state, note = DeviceState.OFFLINE, "TestGrid gives no address of its Appium server"
    details = {
        APPIUM_URL: one.appium_url,
        SYSTEM_PORT: str(one.system_port),
        WDA_PORT: str(one.wda_local_port),
        AUTOMATION: one.automation_name,
    }
    return Device(
        id=str(one.device_id),
        udid=udid,
        name=str(one.device_name or one.model_name or udid),
        platform=_platform(one),
        version=str(one.platform_version),
        model=str(one.model_name),
        manufacturer=str(one.manufactured_by),
        tags=tuple(tag.strip() for tag in one.tags.split(",") if tag.strip()),
        real=one.device_simulation_type.strip().lower() == "real" if one.device_simulation_type.strip() else None,
        reservable=True,
        state=state,
        note=note,
        details={key: str(text) for key, text in details.items() if text},
    )


def _platform(one: Listed) -> str:
    """By what is told; one published sample has the word under ``mobile_number``."""
    kind = str(one.device_type).strip().lower()
    if kind in ("3", BROWSER):
        return BROWSER
    words = (one.platform_name.strip().lower(), one.mobile_number.strip().lower())
    told = next((word for word in words if word in ("ios", "android")), "")
    return told or _TYPES.get(kind) or _AUTOMATIONS.get(one.automation_name.strip().lower()) or words[0] or kind


def _state(one: Listed, *, ours: bool) -> tuple[DeviceState, str]:
    for flag, words in _OFFLINE:
        if is_on(getattr(one, flag)):
            return DeviceState.OFFLINE, words
    if is_off(one.is_connected):
        return DeviceState.OFFLINE, "not connected"
    busy = [words for flag, words in _BUSY if is_on(getattr(one, flag))]
    if is_on(one.is_reserved) and not ours:
        busy.append(f"reserved by {one.reserved_device_user_email or 'somebody'}")
    return (DeviceState.BUSY, "; ".join(busy)) if busy else (DeviceState.FREE, "")


def _is_address(text: str) -> bool:
    try:
        check_address(text)
    except ConfigurationError:
        return False
    return True
