"""Bookings are prolonged while their devices are held; one that cannot be takes its lease with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from support.clocks import ManualClock
from support.farms import FakeFarm, a_device, fake_settings

from pytest_devicefarm.core.errors import DeviceBusy, LeaseLost
from pytest_devicefarm.core.leases import Lease, LeaseBroker, Want
from pytest_devicefarm.core.model import Device, Reservation
from pytest_devicefarm.core.renewing import Renewer

LENGTH = 900


class RenewableFarm(FakeFarm):
    """A farm that prolongs until it is told not to."""

    taken = False

    def renew(self, reservation: Reservation, devices: Sequence[Device], *, seconds: int) -> Reservation:
        if self.taken:
            raise DeviceBusy("somebody has booked the time behind it")
        return Reservation(reservation.id, reservation.udids, reservation.expires + seconds)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def farm(tmp_path: Path, clock: ManualClock) -> RenewableFarm:
    return RenewableFarm(fake_settings(tmp_path), clock=clock)


@pytest.fixture
def lease(tmp_path: Path, clock: ManualClock) -> Lease:
    broker = LeaseBroker(tmp_path / "state", account="demo", run="run", clock=clock)
    (lease,) = broker.lease([Want([a_device()])], timeout=0, usable=lambda devices: {})
    lease.reservation = Reservation("1", (lease.device.udid,), clock.time() + LENGTH)
    return lease


def test_a_booking_is_prolonged_when_a_third_is_left(farm: RenewableFarm, clock: ManualClock, lease: Lease) -> None:
    ends: list[float] = []
    renewer = Renewer(farm, clock)
    renewer.watch(lease, seconds=LENGTH, renewed=ends.append)
    renewer.look()
    assert ends == []
    clock.advance(LENGTH * 0.7)
    renewer.look()
    assert len(ends) == 1
    assert lease.reservation is not None
    assert lease.reservation.expires == ends[0]
    renewer.forget(lease)
    lease.release()


def test_a_booking_that_runs_out_takes_its_lease_with_it(farm: RenewableFarm, clock: ManualClock, lease: Lease) -> None:
    farm.taken = True
    renewer = Renewer(farm, clock)
    renewer.watch(lease, seconds=LENGTH, renewed=lambda expires: None)
    clock.advance(LENGTH * 0.9)
    renewer.look()
    lease.check()
    clock.advance(LENGTH)
    renewer.look()
    with pytest.raises(LeaseLost, match="could not be prolonged: somebody has booked the time behind it"):
        lease.check()
    lease.release()


def test_what_was_given_back_is_not_prolonged(farm: RenewableFarm, clock: ManualClock, lease: Lease) -> None:
    ends: list[float] = []
    renewer = Renewer(farm, clock)
    renewer.watch(lease, seconds=LENGTH, renewed=ends.append)
    renewer.forget(lease)
    clock.advance(LENGTH)
    renewer.look()
    assert ends == []
    lease.release()
