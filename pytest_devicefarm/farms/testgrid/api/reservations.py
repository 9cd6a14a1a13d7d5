"""Time slots for which a device belongs to one account alone."""

from __future__ import annotations

import datetime

from pytest_devicefarm.core.replies import Answer, Id, Reply
from pytest_devicefarm.farms.testgrid.api._resource import Resource

ZONE = "UTC"
"""The zone in which all times are sent and asked for; the server takes any of the time zone database."""

_FORMAT = "%Y-%m-%d %H:%M:%S"


class ReservationMade(Reply, frozen=True):
    """A slot that was asked for; it holds only with the status ``Accepted``."""

    device_reservation_id: Id
    reservation_status: str = ""


class Reservation(Reply, frozen=True):
    """A slot of this account, its times in the zone that was asked for."""

    device_reservation_id: Id
    device_id: Id = ""
    device_name: str = ""
    start_date_time: str = ""
    end_date_time: str = ""
    comments: str = ""

    @property
    def start(self) -> float | None:
        """Seconds since the epoch, ``None`` where the time cannot be read."""
        return moment(self.start_date_time)

    @property
    def end(self) -> float | None:
        """Seconds since the epoch, ``None`` where the time cannot be read."""
        return moment(self.end_date_time)


class ReservationList(Answer, frozen=True):
    """Slots of this account."""

    reservations: tuple[Reservation, ...] = ()


class Reservations(Resource):
    """Calls about slots, below ``/api/user``."""

    def create(self, *, user_id: Id, device_id: Id, start: float, end: float, comments: str) -> ReservationMade:
        """Book a device. Operation ``reserveDevice``, ``POST /api/user/reservedevice/{user_id}/``.

        Args:
            user_id: Who books; its text says device, its path the user.
            start: Seconds since the epoch, whole ones; ``end`` likewise.
            comments: Shown in the listing; may not be empty.
        """
        return self._ask(
            "POST",
            "/api/user/reservedevice/{user_id}/",
            ReservationMade,
            flat=True,
            form={
                "device_id": device_id,
                "start_date_time": written(start),
                "end_date_time": written(end),
                "timezone": ZONE,
                "comments": comments,
            },
            repeatable=False,
            user_id=user_id,
        )

    def list(self) -> ReservationList:
        """This account's slots. Operation ``listReservedDevices``, ``POST /api/user/reservedevicelist``."""
        return self._ask(
            "POST", "/api/user/reservedevicelist", ReservationList, many="reservations", form={"timezone": ZONE}
        )

    def release(self, reservation_id: Id) -> None:
        """End a slot that has begun. ``releaseReservedDevice``, ``POST /api/user/releasereservedevice``."""
        self._tell("POST", "/api/user/releasereservedevice", form={"device_reservation_id": reservation_id})

    def cancel(self, reservation_id: Id) -> None:
        """Drop a slot that has not begun. ``cancelReservedDevice``, ``POST /api/user/cancelreservedevice``."""
        self._tell("POST", "/api/user/cancelreservedevice", form={"device_reservation_id": reservation_id})


def written(seconds: float) -> str:
    """A point in time as TestGrid writes it, in `ZONE`."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime(_FORMAT)


def moment(text: str) -> float | None:
    """Seconds since the epoch of a time in `ZONE`, ``None`` for a text that is none."""
    try:
        return datetime.datetime.strptime(text.strip()[:19], _FORMAT).replace(tzinfo=datetime.UTC).timestamp()
    except ValueError:
        return None
