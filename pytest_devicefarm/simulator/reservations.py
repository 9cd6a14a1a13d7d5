"""Bookings of private devices, which expire on the clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass
class Reservation:
    """One account's booking of some devices; times are seconds since the epoch."""

    id: int
    account: str
    udids: tuple[str, ...]
    start: float
    end: float
    cancelled: float | None = None

    def status(self, now: float) -> str:
        """`reserved`, `cancelled` or `expired`."""
        if self.cancelled is not None:
            return "cancelled"
        return "reserved" if now < self.end else "expired"

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

    def add(self, account: str, udids: Iterable[str], start: float, duration: float) -> Reservation:
        """Stores a booking that begins now."""
        made = Reservation(next(self._ids), account, tuple(udids), start, start + duration)
        self._by_id[made.id] = made
        return made

    def holder(self, udid: str, now: float) -> str | None:
        """The account that has the device reserved at this moment."""
        return next((r.account for r in self if udid in r.udids and r.status(now) == "reserved"), None)
