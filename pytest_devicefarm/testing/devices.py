"""What a farm owes its users about devices: find, match, lease, reserve, renew."""

from __future__ import annotations

import pytest

from pytest_devicefarm.core.errors import ConfigurationError, DeviceBusy, DeviceWaitTimeout, SessionNotCreated
from pytest_devicefarm.core.farm import Farm, FarmSpec
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.query import DeviceQuery, matching
from pytest_devicefarm.testing.bench import FarmBench
from pytest_devicefarm.testing.process import Process
from pytest_devicefarm.testing.relay import Relay
from pytest_devicefarm.testing.setting import Setting, Start

BOOKED_SECONDS = 600
SLACK = 60.0
"""By how much a farm may round a period, seconds."""


class DeviceContract(Setting):
    """Devices, leases and reservations."""

    def test_each_device_is_listed_once(self, farm: Farm) -> None:
        """By its UDID, which leases go by; what every device has is filled in."""
        devices = farm.list_devices().devices
        assert len({device.udid for device in devices}) == len(devices)
        assert all(device.udid and device.id and device.name and device.platform for device in devices)
        assert all(device.platform == device.platform.lower() for device in devices)

    def test_an_entry_that_cannot_be_read_is_a_note_and_costs_no_other(self, farm: Farm, relay: Relay) -> None:
        """A farm whose devices stand in no answer has nothing to note."""
        before = farm.list_devices()
        with relay.troubled("odd entries"):
            after = farm.list_devices()
        assert {device.udid for device in after.devices} == {device.udid for device in before.devices}
        assert len(after.problems) > len(before.problems) or not any(call.garbled for call in relay.calls)

    def test_a_device_that_is_gone_is_offline(self, farm: Farm) -> None:
        """Also one that was never there."""
        unknown = Device("0", "never-there", "Never there", "android")
        state, note = farm.device_states([unknown])[unknown.udid]
        assert state is DeviceState.OFFLINE
        assert note

    def test_a_device_is_matched_by_what_the_farm_says_of_it(self, devices: list[Device]) -> None:
        """Every word of it, and its version as a number."""
        for device in devices:
            query = DeviceQuery.of(udid=device.udid, platform=device.platform, name=device.name)
            assert matching(devices, query) == [device]
            if device.version:
                assert device in matching(devices, DeviceQuery.of(version=">=1"))

    def test_two_processes_see_one_account(self, start: Start) -> None:
        """Leases and uploads of both are kept under it."""
        assert start().farm.account == start().farm.account

    def test_two_processes_never_lease_the_same_device(self, start: Start, devices: list[Device]) -> None:
        """The second one gets another device, and none when there is no other."""
        one, two, three = start(), start(), start()
        first, second = one.lease(devices[:2]), two.lease(devices[:2])
        assert {first.device.udid, second.device.udid} == {device.udid for device in devices[:2]}
        with pytest.raises(DeviceWaitTimeout):
            three.lease(devices[:2])
        one.release(first)
        assert three.lease(devices[:2]).device == first.device

    def test_a_device_taken_after_the_choice_is_busy(
        self, here: Process, spec: FarmSpec, bench: FarmBench, device: Device
    ) -> None:
        """So that the test goes to another device and does not fail; elsewhere the session is not created."""
        lease = here.lease([device])
        bench.take(device)
        with pytest.raises(SessionNotCreated if "busy after choice" in spec.cannot else DeviceBusy):
            here.open(lease)
        assert not here.journal.mine()

    def test_a_device_somebody_uses_is_not_free(
        self, farm: Farm, spec: FarmSpec, bench: FarmBench, device: Device
    ) -> None:
        """As the farm says, when it is asked again; elsewhere nobody can tell."""
        assert farm.device_states([device])[device.udid][0] is DeviceState.FREE
        bench.take(device)
        used = DeviceState.FREE if "busy after choice" in spec.cannot else DeviceState.BUSY
        assert farm.device_states([device])[device.udid][0] is used

    def test_a_reservation_is_seen_by_others_until_it_is_cancelled(
        self, start: Start, spec: FarmSpec, bench: FarmBench, device: Device
    ) -> None:
        """Cancelling twice is fine, and so is cancelling what never was; elsewhere the refusal says why."""
        here, there = start().farm, start().farm
        if not spec.reserve:
            with pytest.raises(ConfigurationError) as refusal:
                here.reserve([device], seconds=BOOKED_SECONDS, token="df-1")
            assert spec.cannot["reserve"] in str(refusal.value)
            return
        reservation = here.reserve([device], seconds=BOOKED_SECONDS, token="df-1")
        assert reservation.udids == (device.udid,)
        assert reservation.id in bench.bookings()
        assert 0 < reservation.expires - bench.clock.time() <= BOOKED_SECONDS + SLACK
        bench.clock.sleep(SLACK)
        assert here.device_states([device])[device.udid][0] is DeviceState.FREE
        assert there.device_states([device])[device.udid][0] is DeviceState.BUSY
        for _ in range(2):
            here.cancel(reservation.id)
        assert not bench.bookings()
        assert there.device_states([device])[device.udid][0] is DeviceState.FREE

    def test_what_was_granted_in_part_is_given_back(
        self, farm: Farm, spec: FarmSpec, bench: FarmBench, devices: list[Device]
    ) -> None:
        """All devices or none; elsewhere the refusal says why."""
        pair = [device for device in devices if device.reservable][:2]
        if not spec.reserve:
            assert not pair
            with pytest.raises(ConfigurationError):
                farm.cancel("1")
            return
        bench.take(pair[1])
        before = set(bench.bookings())
        with pytest.raises(DeviceBusy):
            farm.reserve(pair, seconds=BOOKED_SECONDS, token="df-1")
        assert set(bench.bookings()) == before

    def test_a_reservation_is_prolonged_where_the_farm_can(
        self, farm: Farm, spec: FarmSpec, bench: FarmBench, device: Device
    ) -> None:
        """By what was asked for, behind its end; elsewhere the refusal says why."""
        if not spec.renew:
            nothing = farm.reserve([device], seconds=BOOKED_SECONDS, token="df-1") if spec.reserve else None
            with pytest.raises(ConfigurationError) as refusal:
                farm.renew(nothing, [device], seconds=BOOKED_SECONDS)  # type: ignore[arg-type]
            assert spec.cannot["renew"] in str(refusal.value)
            return
        reservation = farm.reserve([device], seconds=BOOKED_SECONDS, token="df-1")
        renewed = farm.renew(reservation, [device], seconds=BOOKED_SECONDS)
        assert renewed.expires >= reservation.expires + BOOKED_SECONDS - SLACK
        bench.clock.sleep(reservation.expires - bench.clock.time() + SLACK)
        assert bench.bookings()
        farm.cancel(renewed.id)
        assert not bench.bookings()

    def test_a_lease_is_booked_and_given_back_with_its_booking(
        self, start: Start, spec: FarmSpec, bench: FarmBench, device: Device
    ) -> None:
        """A farm that does not reserve is leased without."""
        here = start(booked=BOOKED_SECONDS)
        lease = here.lease([device])
        assert (lease.reservation is not None) == (spec.reserve and device.reservable)
        here.release(lease)
        assert not here.journal.mine()
        assert not spec.reserve or not bench.bookings()
