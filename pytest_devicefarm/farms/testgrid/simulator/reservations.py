"""Time slots for which a device belongs to one account alone; times on the wire are of the zone that is named."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.farms.testgrid.simulator.devices import known
from pytest_devicefarm.simulator.contract import TEXT, ContractBroken
from pytest_devicefarm.simulator.reservations import Reservation
from pytest_devicefarm.simulator.wire import Call, Denied, Route, Unknown

PATIENCE = 60.0
"""How far in the past a slot may begin, in seconds: clocks differ, and clients leave fractions out."""

_FORMAT = "%Y-%m-%d %H:%M:%S"


def reserve_device(call: Call) -> Response:
    """Books a device from one moment to another."""
    if call.path["user_id"] != str(call.account.id):
        raise Denied("You are not allowed to reserve a device for this user.")
    zone = _zone(call.body["timezone"])
    start, end = (_date(call.body[name], zone) for name in ("start_date_time", "end_date_time"))
    device = known(call.world, call.body["device_id"])
    clock = call.world.clock
    if end <= start:
        raise Denied("End date time has to be after start date time.")
    if start < clock.calendar() - PATIENCE:
        raise Denied("Start date time cannot be in the past.")
    pending = call.struck_by("reservation_pending") is not None
    made = call.world.book(
        call.account.name,
        device,
        clock.moment(start),
        clock.moment(end),
        comments=call.body["comments"],
        pending=pending,
    )
    if made is None:
        raise Denied("Device is already reserved or in use for the selected time.")
    return answer(
        call,
        "Device reservation request added.",
        device_reservation_id=str(made.id),
        ReservationStatus="Pending" if pending else "Accepted",
    )


def list_reserved_devices(call: Call) -> Response:
    """The caller's slots that are not over, their times in the zone asked for."""
    zone = _zone(call.body["timezone"])
    clock = call.world.clock
    rows = []
    for slot in call.world.reservations:
        if slot.account != call.account.name or slot.status(clock.now()) != "reserved":
            continue
        device = next(d for d in call.world.devices if d.udid in slot.udids)
        rows.append(
            {
                "device_reservation_id": str(slot.id),
                "device_id": str(device.id),
                "device_name": device.name,
                "start_date_time": _written(clock.date(slot.start), zone),
                "end_date_time": _written(clock.date(slot.end), zone),
                "comments": slot.comments,
            }
        )
    return answer(call, "Successfully getting device reservation list", data=rows)


def release_reserved_device(call: Call) -> Response:
    """Ends a slot that has begun."""
    slot = _own(call)
    if call.world.clock.now() < slot.start:
        raise Denied("This reservation has not begun; cancel it instead.")
    call.world.cancel(slot)
    return answer(call, "Device reservation request released.")


def cancel_reserved_device(call: Call) -> Response:
    """Drops a slot that has not begun."""
    slot = _own(call)
    if slot.start <= call.world.clock.now() and not slot.pending:
        raise Denied("This reservation has begun; release it instead.")
    call.world.cancel(slot)
    return answer(call, "Device reservation request cancelled.")


def _own(call: Call) -> Reservation:
    number = call.body["device_reservation_id"]
    slot = next((r for r in call.world.reservations if str(r.id) == number), None)
    if slot is None or slot.account != call.account.name:
        raise Unknown("Reservation not found.")
    if slot.status(call.world.clock.now()) != "reserved":
        raise Denied("This reservation is over.")
    return slot


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ContractBroken(f"'timezone' is not a zone: {name!r}") from None


def _date(text: str, zone: tzinfo) -> float:
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=zone).timestamp()
    except ValueError:
        raise ContractBroken(f"{text!r} is not a time of the form yyyy-MM-dd HH:mm:ss") from None


def _written(date: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(round(date), zone).strftime(_FORMAT)


ROUTES: tuple[Route, ...] = (
    Route(
        "reserveDevice",
        "POST",
        "/api/user/reservedevice/{user_id}",
        reserve_device,
        query=None,
        body=form(
            **dict.fromkeys(("device_id", "start_date_time", "end_date_time", "timezone", "comments"), TEXT.must())
        ),
        effects=frozenset({"reservation_pending"}),
    ),
    Route(
        "listReservedDevices",
        "POST",
        "/api/user/reservedevicelist",
        list_reserved_devices,
        query=None,
        body=form(timezone=TEXT.must()),
    ),
    Route(
        "releaseReservedDevice",
        "POST",
        "/api/user/releasereservedevice",
        release_reserved_device,
        query=None,
        body=form(device_reservation_id=TEXT.must()),
    ),
    Route(
        "cancelReservedDevice",
        "POST",
        "/api/user/cancelreservedevice",
        cancel_reserved_device,
        query=None,
        body=form(device_reservation_id=TEXT.must()),
    ),
)
