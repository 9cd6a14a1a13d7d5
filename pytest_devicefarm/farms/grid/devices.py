"""Slots of a Grid as devices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_devicefarm.core.farm import DeviceList
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.farms.grid.api.status import UP, Node, Session, Slot, Status
from pytest_devicefarm.farms.grid.stereotypes import (
    OWN,
    misfits,
    platform_of,
    takes_appium,
    text,
    words,
    yes_or_no,
)

STEREOTYPE, NODE, IDLE_SECONDS = "stereotype", "node", "session timeout"
"""Names in `Device.details`: what the slot can be asked for as JSON, address of its node, its ``--session-timeout``."""


def devices_of(status: Status, queue: Sequence[Mapping[str, Any]]) -> DeviceList:
    """A device for each slot with an Appium stereotype.

    A node that was started again stands in the list twice for a while; of slots with one UDID the usable one counts.

    Args:
        queue: Capabilities of the sessions that wait.
    """
    devices: dict[str, Device] = {}
    problems = list(status.problems)
    if not status.nodes:
        problems.append(
            f"the Grid has no nodes ({status.message or 'it gives no reason'}): see that they run, were started "
            "with --hub or the addresses of the event bus, and what their logs say of the registration"
        )
    for node in sorted(status.nodes, key=lambda node: node.availability != UP):
        for slot in node.slots:
            if not takes_appium(slot.stereotype):
                continue
            device = _device(node, slot, queue)
            other = devices.setdefault(device.udid, device)
            if other is not device and node.availability == UP:
                problems.append(
                    f"UDID {device.udid} stands in the stereotypes of two slots, at {other.details[NODE]} and "
                    f"{node.uri}: the second is left out; give each slot a UDID of its own"
                )
    return DeviceList(tuple(devices.values()), tuple(problems))


def stereotype_of(device: Device) -> dict[str, Any]:
    """What the device's slot can be asked for."""
    stereotype: dict[str, Any] = json.loads(device.details[STEREOTYPE])
    return stereotype


def _device(node: Node, slot: Slot, queue: Sequence[Mapping[str, Any]]) -> Device:
    stereotype = slot.stereotype
    slot_id = f"{node.id}/{slot.id.id}"
    udid = text(stereotype, "appium:udid") or slot_id
    state, note = _state(node, slot)
    if state is DeviceState.BUSY and (waiting := _waiting(stereotype, queue)):
        note = f"{note}; {waiting} in the Grid's queue before the next one"
    return Device(
        id=slot_id,
        udid=udid,
        name=text(stereotype, "appium:deviceName") or udid,
        platform=platform_of(stereotype).lower(),
        version=text(stereotype, "appium:platformVersion"),
        model=text(stereotype, f"{OWN}model"),
        manufacturer=text(stereotype, f"{OWN}manufacturer"),
        tags=words(stereotype, f"{OWN}tags"),
        group=text(stereotype, f"{OWN}group"),
        real=yes_or_no(stereotype, f"{OWN}real"),
        state=state,
        note=note,
        details={
            STEREOTYPE: json.dumps(stereotype, sort_keys=True),
            NODE: str(node.uri),  # plain text: what replies call an address cannot be stored
            IDLE_SECONDS: str(node.session_timeout // 1000),
        },
    )


def _state(node: Node, slot: Slot) -> tuple[DeviceState, str]:
    if node.availability != UP:
        return DeviceState.OFFLINE, f"its node {node.uri} is {node.availability}"
    if slot.session is not None:
        return DeviceState.BUSY, _in_session(slot.session)
    running = len(list(node.sessions()))
    if node.max_sessions and running >= node.max_sessions:
        return DeviceState.BUSY, f"its node {node.uri} runs as many sessions as it may ({running})"
    return DeviceState.FREE, ""


def _in_session(session: Session) -> str:
    name = text(session.capabilities, "se:name")
    since = session.start.partition(".")[0].rstrip("Z").replace("T", " ")
    return f"in session{f' since {since} UTC' if since else ''}{f': {name}' if name else ''}"


def _waiting(stereotype: Mapping[str, Any], queue: Iterable[Mapping[str, Any]]) -> int:
    """How many of the waiting sessions could get this slot."""
    return sum(1 for wanted in queue if not any(misfits(stereotype, wanted)))
