"""Kobiton's three lists of devices as one list of ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from pytest_devicefarm.core.farm import DeviceList
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.farms.kobiton.api.devices import Device as Listed
from pytest_devicefarm.farms.kobiton.api.devices import DeviceLists

PRIVATE, CLOUD = "private", "cloud"
"""What ``group`` of a device is: the organization's own, or shared with all customers."""

DEVICE_GROUPS = {PRIVATE: "ORGANIZATION", CLOUD: "KOBITON"}
"""Kobiton's words for them in the ``deviceGroup`` capability."""


def merged(lists: DeviceLists, held: Collection[str]) -> DeviceList:
    """Every device that Appium can use, once.

    A device may stand in several lists, and in some of them without its UDID; what one entry lacks is taken from the
    next. Hidden devices and those with Appium switched off are left out.

    Args:
        held: UDIDs that we have reserved ourselves; their being booked is our own doing.
    """
    entries: dict[str, Listed] = {}
    for one in (*lists.private_devices, *lists.favorite_devices, *lists.cloud_devices):
        key = str(one.id)
        entries[key] = _joined(entries[key], one) if key in entries else one
    private = {str(one.id) for one in lists.private_devices}
    devices: dict[str, Device] = {}
    for key, entry in entries.items():
        if not entry.is_hidden and not (entry.support and entry.support.appium_disabled):
            device = _device(entry, private=key in private or bool(entry.is_my_org or entry.is_my_own), held=held)
            devices.setdefault(device.udid, device)
    return DeviceList(tuple(devices.values()), lists.problems)


def _joined(first: Listed, second: Listed) -> Listed:
    """Both entries of one device: the richer one, completed from the other."""
    richer, poorer = sorted((first, second), key=lambda one: len(_told(one)), reverse=True)
    return msgspec.structs.replace(richer, **{**_told(poorer), **_told(richer)})


def _told(entry: Listed) -> dict[str, object]:
    fields: Iterable[str] = entry.__struct_fields__
    return {name: getattr(entry, name) for name in fields if getattr(entry, name) not in (None, "", ())}


def _device(entry: Listed, *, private: bool, held: Collection[str]) -> Device:
    udid = entry.udid or str(entry.id)
    state, note = _state(entry, ours=udid in held)
    return Device(
        id=str(entry.id),
        udid=udid,
        name=entry.device_name or entry.model_name or udid,
        platform=entry.platform_name.lower(),
        version=entry.platform_version,
        model=entry.model_name,
        manufacturer=entry.manufacturer or entry.brand_name,
        tags=entry.tags,
        group=PRIVATE if private else CLOUD,
        real=not entry.is_emulator,  # Kobiton has real devices; an emulator would say so
        reservable=private,
        state=state,
        note=note,
    )


def _state(entry: Listed, *, ours: bool) -> tuple[DeviceState, str]:
    if not entry.is_online:
        return DeviceState.OFFLINE, entry.state or "not online"
    if entry.is_booked and not ours:
        return DeviceState.BUSY, entry.state or "booked"
    return DeviceState.FREE, ""
