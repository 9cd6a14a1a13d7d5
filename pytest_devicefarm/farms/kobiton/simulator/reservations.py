"""Bookings of private devices."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.kobiton.simulator.answers import done
from pytest_devicefarm.farms.kobiton.simulator.devices import name_fits
from pytest_devicefarm.simulator.contract import FLAG, IDS, NUMBER_TEXT, TEXT, TEXTS, WHOLE, ContractBroken
from pytest_devicefarm.simulator.reservations import Reservation
from pytest_devicefarm.simulator.wire import Call, Route, Unknown, compact


def create_reservation(call: Call) -> Response:
    """Books what can be booked; the rest is named under `fail`, with status 200 all the same."""
    udids = call.body.get("udids", [])
    if not udids:
        raise ContractBroken("'udids' names no device")
    if call.body["duration"] <= 0:
        raise ContractBroken("'duration' has to be more than 0 seconds")
    refused: tuple[str, ...] = ()
    if fault := call.struck_by("reservation_half"):
        refused = fault.udids or tuple(udids[len(udids) // 2 :])
    made, got, failed = call.world.reserve(call.account.name, udids, call.body["duration"], refused)
    return compact(
        {"reservationId": made.id, "duration": call.body["duration"], "fail": list(failed), "success": list(got)}
    )


def get_reservations(call: Call) -> Response:
    """The bookings that touch a period, which comes in the body, the query, or both."""
    given = {**call.query, **call.body}
    for name in ("startTime", "endTime"):
        if name not in given:
            raise ContractBroken(f"{name!r} is missing")
    start, end = _moment(given["startTime"]), _moment(given["endTime"])
    return compact(
        [
            {"id": r.id, "status": _word(call, r), "creator": r.account, "udids": list(r.udids)}
            for r in call.world.reservations
            if r.start <= end and (r.cancelled or r.end) >= start
        ]
    )


def get_reservation_status(call: Call) -> Response:
    """Whether a booking is reserved, cancelled or expired."""
    return compact({"status": _word(call, _found(call, call.path_id("reservationId")))})


def terminate_reservations(call: Call) -> Response:
    """Ends bookings of the caller; those that have ended stay ended."""
    found = [_found(call, each) for each in call.body.get("reservationIds", [])]
    for reservation in found:
        if reservation.account == call.account.name:
            call.world.cancel(reservation)
    return done(call)


def terminate_all_reservations(call: Call) -> Response:
    """Ends everybody's bookings in the organisation."""
    public = call.query.get("isPublic", False)
    for reservation in call.world.reservations:
        devices = [call.world.device(udid) for udid in reservation.udids]
        if any(d is not None and d.private is not public for d in devices):
            call.world.cancel(reservation)
    return done(call)


def get_available_devices(call: Call) -> Response:
    """Private devices that could be booked now: under `deviceName`, or by their names as seen."""
    groups: dict[str, list[str]] = {"deviceName": []} if call.wire.documented else {}
    for device in call.world.devices:
        fits = (
            name_fits(device.name, call.query.get("deviceName", "*"))
            and name_fits(device.manufacturer, call.query.get("manufacture", "*"))
            and name_fits(device.version, call.query.get("platformVersion", "*"))
            and name_fits(device.platform, call.query.get("platformName", "*"))
        )
        if fits and device.private and device.drivable and not call.world.booked(device):
            groups.setdefault("deviceName" if call.wire.documented else device.name, []).append(device.udid)
    return compact(groups)


def get_device_booking_history(call: Call) -> Response:
    """The bookings of devices, one entry for each device, that began between two days."""
    start, end = _moment(call.query["startTime"]), _moment(call.query["endTime"]) + 86400
    wanted = call.query.get("deviceUdid")
    clock = call.world.clock
    entries = []
    for reservation in call.world.reservations:
        for udid in reservation.udids:
            device = call.world.device(udid)
            if device is None or wanted not in (None, udid) or not start <= reservation.start < end:
                continue
            released = reservation.released(clock.now())
            ends = [s.ended for s in call.world.sessions if s.device is device and s.ended is not None]
            entries.append(
                {
                    "id": reservation.id,
                    "userId": call.world.account_id(reservation.account),
                    "manufacturer": device.manufacturer,
                    "releaseDate": None if released is None else clock.iso(released),
                    "bookedDateTime": clock.iso(reservation.start),
                    "bookingDuration": round(reservation.end - reservation.start),
                    "lastSessionEndDateTime": clock.iso(max(ends)) if ends else None,
                    "deviceUdid": udid,
                }
            )
    return compact(entries)


def _found(call: Call, reservation_id: int) -> Reservation:
    reservation = call.world.reservations.get(reservation_id)
    if reservation is None:
        raise Unknown(f"Reservation {reservation_id} is not known.")
    return reservation


def _word(call: Call, reservation: Reservation) -> str:
    return reservation.status(call.world.clock.now()).upper()


def _moment(text: str) -> float:
    """Reads ISO 8601, also with a blank for the T and with an offset of hours only."""
    full = re.sub(r"([+-]\d\d)$", r"\1:00", text.strip()) if ":" in text else text.strip()
    try:
        moment = datetime.fromisoformat(full)
    except ValueError:
        raise ContractBroken(f"{text!r} is not a point in time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


ROUTES = (
    Route(
        "createReservation",
        "POST",
        "/reservations",
        create_reservation,
        body={"udids": TEXTS, "duration": WHOLE.must()},
        effects=frozenset({"reservation_half"}),
    ),
    Route(
        "getReservations",
        "GET",
        "/reservations",
        get_reservations,
        query={"startTime": TEXT, "endTime": TEXT},
        body={"startTime": TEXT, "endTime": TEXT},
    ),
    Route(
        "terminateReservations",
        "POST",
        "/reservations/terminate",
        terminate_reservations,
        body={"reservationIds": IDS},
    ),
    Route(
        "terminateAllReservations",
        "POST",
        "/reservations/terminate/all",
        terminate_all_reservations,
        query={"isPublic": FLAG},
    ),
    Route(
        "getReservationStatus",
        "GET",
        "/reservations/{reservationId}/status",
        get_reservation_status,
        query={"reservationId": NUMBER_TEXT},
    ),
    Route(
        "getAvailableDevices",
        "GET",
        "/reservations/available-devices",
        get_available_devices,
        query={"deviceName": TEXT, "manufacture": TEXT, "platformVersion": TEXT, "platformName": TEXT},
    ),
    Route(
        "getDeviceBookingHistory",
        "GET",
        "/reservations/history",
        get_device_booking_history,
        query={
            "deviceUdid": TEXT,
            "teamId": NUMBER_TEXT.must(),
            "startTime": TEXT.must(),
            "endTime": TEXT.must(),
        },
    ),
)
