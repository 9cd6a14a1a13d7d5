"""Keeps bookings alive while their devices are held, on farms that can prolong them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import DeviceFarmError
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.leases import Lease

LOOK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Booking:
    lease: Lease
    seconds: int
    renewed: Callable[[float], None]


class Renewer:
    """Prolongs each booking when a third of its length is left; one thread, started with the first booking.

    A booking that cannot be prolonged and runs out takes its lease with it: the next use of the device says so by
    `LeaseLost`.
    """

    def __init__(self, farm: Farm, clock: Clock) -> None:
        self._farm = farm
        self._clock = clock
        self._bookings: dict[str, _Booking] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, lease: Lease, *, seconds: int, renewed: Callable[[float], None]) -> None:
        """Look after a lease that has a reservation.

        Args:
            seconds: Length of a booking, and of what is added to it.
            renewed: Told the new end, seconds since the epoch.
        """
        with self._changed:
            self._bookings[lease.token] = _Booking(lease, seconds, renewed)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="devicefarm-renewer", daemon=True)
                self._thread.start()

    def forget(self, lease: Lease) -> None:
        """Look after it no more."""
        with self._changed:
            self._bookings.pop(lease.token, None)
            self._changed.notify_all()

    def look(self) -> None:
        """Prolong what is due now."""
        with self._changed:
            bookings = list(self._bookings.values())
        for booking in bookings:
            self._look_at(booking)

    def _look_at(self, booking: _Booking) -> None:
        lease, reservation = booking.lease, booking.lease.reservation
        if reservation is None or reservation.expires - self._clock.time() > booking.seconds / 3:
            return
        try:
            prolonged = self._farm.renew(reservation, [lease.device], seconds=booking.seconds)
        except DeviceFarmError as error:
            if reservation.expires <= self._clock.time():
                lease.lost(f"its booking has ended and could not be prolonged: {error}")
                self.forget(lease)
            return
        with self._changed:
            wanted = lease.token in self._bookings
            if wanted:
                lease.reservation = prolonged
                booking.renewed(prolonged.expires)
        if not wanted:
            # Given back while we asked: what was added is ended like the rest.
            with contextlib.suppress(DeviceFarmError):
                self._farm.cancel(prolonged.id)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._bookings:
                    self._thread = None
                    return
                self._changed.wait(LOOK_SECONDS)
            self.look()
