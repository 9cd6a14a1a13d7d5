"""Bookings of private devices, which expire on the clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass
class Reservation:
    """One account's booking of some devices; times are seconds since the epoch.

    Attributes:
        pending: Whether somebody has yet to approve it; it holds nothing until then.
    """

    id: int
    account: str
    udids: tuple[str, ...]
    start: float
    end: float
    cancelled: float | None = None
    comments: str = ""
    pending: bool = False

    def status(self, now: float) -> str:
        """`reserved`, `cancelled` or `expired`."""
        if self.cancelled is not None:
            return "cancelled"
        return "reserved" if now < self.end else "expired"

    def holds(self, udid: str, now: float) -> bool:
        """Whether it keeps others from a device at this moment."""
        return udid in self.udids and self.start <= now and not self.pending and self.status(now) == "reserved"

    def released(self, now: float) -> float | None:
        """When the devices became free again; None while they are held."""
        return {"reserved": None, "cancelled": self.cancelled, "expired": self.end}[self.status(now)]


class Reservations:
    """All bookings that were ever made; ended ones stay."""

    def __init__(self) -> None:
        self._by_id: dict[int, Reservation] = {}
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[Reservation]:
        return iter(list(self._by_id.values()))

    def get(self, reservation_id: int) -> Reservation | None:
        """The booking of this id, ended or not."""
        return self._by_id.get(reservation_id)

    def add(self, account: str, udids: Iterable[str], start: float, duration: float, **more: Any) -> Reservation:
        """Stores a booking; `more` are `comments` and `pending`."""
        made = Reservation(next(self._ids), account, tuple(udids), start, start + duration, **more)
        self._by_id[made.id] = made
        return made

    def holder(self, udid: str, now: float) -> str | None:
        """The account that has the device reserved at this moment."""
        return next((r.account for r in self if r.holds(udid, now)), None)

    def between(self, udid: str, start: float, end: float) -> Reservation | None:
        """A booking of a device that was not cancelled and shares time with a period."""
        shared = (r for r in self if udid in r.udids and r.cancelled is None and r.start < end and start < r.end)
        return next(shared, None)
