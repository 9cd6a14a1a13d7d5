"""Devices set aside for one account for some time; private devices only."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from pytest_devicefarm.core.replies import Id
from pytest_devicefarm.farms.kobiton.api._reply import Answer, Reply
from pytest_devicefarm.farms.kobiton.api._resource import Resource


class ReservationMade(Reply, frozen=True):
    """What a request for a reservation brought; it may hold for a part of the devices only.

    Attributes:
        duration: Seconds.
        success: UDIDs that are reserved now.
        fail: UDIDs that are not.
    """

    reservation_id: Id | None = None
    duration: int | None = None
    success: tuple[str, ...] = ()
    fail: tuple[str, ...] = ()


class Reservation(Reply, frozen=True):
    """A reservation in a listing; neither its start nor its end is told.

    Attributes:
        status: ``RESERVED``, ``CANCELLED`` or ``EXPIRED``; compare without case.
        creator: Login name or e-mail address.
    """

    id: Id
    status: str = ""
    creator: str = ""
    udids: tuple[str, ...] = ()


class ReservationList(Answer, frozen=True):
    """Reservations of a period."""

    reservations: tuple[Reservation, ...] = ()


class ReservationStatus(Reply, frozen=True):
    """``RESERVED``, ``CANCELLED`` or ``EXPIRED``; compare without case."""

    status: str = ""


class Booking(Reply, frozen=True):
    """A booking in the history of one device.

    Attributes:
        booking_duration: Seconds, as far as the samples tell.
    """

    id: Id
    user_id: Id = ""
    device_udid: str = ""
    manufacturer: str = ""
    booked_date_time: str = ""
    release_date: str = ""
    last_session_end_date_time: str = ""
    booking_duration: int | None = None


class BookingList(Answer, frozen=True):
    """Bookings of a period."""

    bookings: tuple[Booking, ...] = ()


class Reservations(Resource):
    """Calls below ``/reservations``."""

    def create(self, *, udids: Sequence[str], duration: int) -> ReservationMade:
        """Reserve devices; a part of them may fail. Operation ``createReservation``, ``POST /reservations``.

        Args:
            duration: Seconds.
        """
        return self._ask("POST", "/reservations", ReservationMade, json={"udids": list(udids), "duration": duration})

    def list(self, *, start: float, end: float) -> ReservationList:
        """Reservations in a period. Operation ``getReservations``, ``GET /reservations``.

        The reference puts the period into the body of the GET; it goes into the query as well, since bodies of GET
        calls get lost on the way.

        Args:
            start: Seconds since the epoch; ``end`` likewise.
        """
        return self._ask(
            "GET",
            "/reservations",
            ReservationList,
            wrap="reservations",
            query={"startTime": _moment(start), "endTime": _moment(end)},
            json={"startTime": _moment(start), "endTime": _moment(end)},
        )

    def status(self, reservation_id: Id) -> ReservationStatus:
        """How it stands. Operation ``getReservationStatus``, ``GET /reservations/{reservationId}/status``."""
        return self._ask("GET", "/reservations/{reservationId}/status", ReservationStatus, reservationId=reservation_id)

    def terminate(self, *, reservation_ids: Sequence[Id]) -> None:
        """End reservations; ending twice is harmless. ``terminateReservations``, ``POST /reservations/terminate``."""
        self._tell("POST", "/reservations/terminate", json={"reservationIds": [str(one) for one in reservation_ids]})

    def terminate_all(self, *, is_public: bool) -> None:
        """End **everybody's** reservations in the organization; this package never calls it.

        Operation ``terminateAllReservations``, ``POST /reservations/terminate/all``.
        """
        self._tell("POST", "/reservations/terminate/all", query={"isPublic": is_public})

    def available_devices(
        self,
        *,
        device_name: str | None = None,
        manufacture: str | None = None,
        platform_name: str | None = None,
        platform_version: str | None = None,
    ) -> dict[str, Any]:
        """Free private devices, as lists of UDIDs or of objects with one, under a key the reference leaves open.

        Operation ``getAvailableDevices``, ``GET /reservations/available-devices``.
        """
        return self._ask(
            "GET",
            "/reservations/available-devices",
            dict[str, Any],
            query={
                "deviceName": device_name,
                "manufacture": manufacture,
                "platformName": platform_name,
                "platformVersion": platform_version,
            },
        )

    def history(
        self, *, team_id: int, start: datetime.date, end: datetime.date, device_udid: str | None = None
    ) -> BookingList:
        """Past bookings of a team. Operation ``getDeviceBookingHistory``, ``GET /reservations/history``."""
        return self._ask(
            "GET",
            "/reservations/history",
            BookingList,
            wrap="bookings",
            query={
                "teamId": team_id,
                "startTime": start.isoformat(),
                "endTime": end.isoformat(),
                "deviceUdid": device_udid,
            },
        )


def _moment(seconds: float) -> str:
    """A point in time as the reference writes it: a space, milliseconds and a short offset."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}+00"
