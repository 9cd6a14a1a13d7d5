from __future__ import annotations

import contextlib
import datetime
import json

import pytest
from farms.kobiton.opening import open_farm
from support.web import Answer, answering

from pytest_devicefarm.core.errors import DeviceBusy, FarmAnswerError, FarmRefused, FarmUnreachable
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.world import World


def private(farm: KobitonFarm) -> list[Device]:
    return [
        device
        for device in farm.list_devices().devices
        if device.reservable and device.state is not DeviceState.OFFLINE
    ]


def active(world: World) -> list[tuple[str, ...]]:
    now = world.clock.now()
    return [one.udids for one in world.reservations if one.status(now) == "reserved"]


def lose_the_next_reply(world: World) -> None:
    world.faults.add(Fault("createReservation", "lost_reply"))


def test_a_reservation_holds_every_device_and_tells_when_it_ends(farm: KobitonFarm, world: World) -> None:
    reservation = farm.reserve(private(farm), seconds=600, token="t")
    assert active(world) == [("PRIVATE-1", "PRIVATE-2")]
    assert reservation.expires == world.clock.now() + 600


def test_our_own_reservation_does_not_make_a_device_busy(farm: KobitonFarm) -> None:
    device = private(farm)[0]
    farm.reserve([device], seconds=600, token="t")
    assert farm.device_states([device]) == {device.udid: (DeviceState.FREE, "")}


def test_a_reservation_of_somebody_else_makes_a_device_busy(farm: KobitonFarm, world: World) -> None:
    world.reserve("bob", ["PRIVATE-1"], 600)
    assert farm.device_states(private(farm)[:1])["PRIVATE-1"][0] is DeviceState.BUSY


def test_what_was_granted_in_part_is_given_back(farm: KobitonFarm, world: World) -> None:
    devices = private(farm)
    world.reserve("bob", ["PRIVATE-2"], 600)
    with pytest.raises(DeviceBusy, match="iPhone 15") as caught:
        farm.reserve(devices, seconds=600, token="t")
    assert "Galaxy" not in str(caught.value)
    assert active(world) == [("PRIVATE-2",)]


def test_a_refusal_because_the_device_is_taken_is_busy(farm: KobitonFarm, world: World) -> None:
    devices = private(farm)[:1]
    world.reserve("bob", ["PRIVATE-1"], 600)
    world.faults.add(Fault("createReservation", "status", status=409, reason="not available"))
    with pytest.raises(DeviceBusy, match=r"Galaxy S22.*not available"):
        farm.reserve(devices, seconds=600, token="t")


def test_a_refusal_for_another_reason_is_not_called_busy(farm: KobitonFarm, world: World) -> None:
    world.faults.add(Fault("createReservation", "status", status=400, reason="duration too long"))
    with pytest.raises(FarmRefused, match="duration too long"):
        farm.reserve(private(farm)[:1], seconds=600, token="t")


def test_an_error_of_a_gateway_is_not_called_busy_since_the_reservation_may_stand(
    farm: KobitonFarm, world: World
) -> None:
    devices = private(farm)[:1]
    world.reserve("ann", ["PRIVATE-1"], 600)
    world.faults.add(Fault("createReservation", "status", status=504, html="<h1>504</h1>"))
    with pytest.raises(FarmRefused):
        farm.reserve(devices, seconds=600, token="t")


def test_a_reservation_without_an_id_is_an_error_and_not_busy() -> None:
    answer = Answer(body=b'{"duration": 600, "success": ["A"], "fail": []}')
    with answering(answer) as server, open_farm(server.url) as farm, pytest.raises(FarmAnswerError, match="which id"):
        farm.reserve([Device("1", "A", "Phone", "android")], seconds=600, token="t")


def test_a_cancelled_reservation_is_over_and_can_be_cancelled_again(farm: KobitonFarm, world: World) -> None:
    reservation = farm.reserve(private(farm)[:1], seconds=600, token="t")
    farm.cancel(reservation.id)
    farm.cancel(reservation.id)
    assert active(world) == []


@pytest.mark.parametrize(("seconds_later", "fails"), [(0, True), (700, False)])
def test_a_refused_cancel_is_an_error_only_while_the_reservation_stands(
    farm: KobitonFarm, world: World, seconds_later: float, fails: bool
) -> None:
    reservation = farm.reserve(private(farm)[:1], seconds=600, token="t")
    world.clock.advance(seconds_later)
    world.faults.add(Fault("terminateReservations", "status", status=400))
    with pytest.raises(FarmRefused) if fails else contextlib.nullcontext():
        farm.cancel(reservation.id)


def test_cancelling_what_the_farm_does_not_know_is_harmless(farm: KobitonFarm) -> None:
    farm.cancel("987654")


def test_a_reservation_whose_answer_was_lost_is_found(farm: KobitonFarm, world: World) -> None:
    since = world.clock.now()
    lose_the_next_reply(world)
    with pytest.raises(FarmUnreachable):
        farm.reserve(private(farm)[:1], seconds=600, token="t")
    found = farm.find_reservations(["PRIVATE-1"], token="t", since=since)
    assert len(found) == 1
    farm.cancel(found[0])
    assert active(world) == []


def test_an_earlier_reservation_of_the_same_account_is_not_taken_for_ours(farm: KobitonFarm, world: World) -> None:
    world.reserve("ann", ["PRIVATE-1"], 6000)
    world.clock.advance(60)
    assert farm.find_reservations(["PRIVATE-1"], token="t", since=world.clock.now()) == ()


def test_a_later_reservation_of_the_same_account_is_not_taken_for_ours(farm: KobitonFarm, world: World) -> None:
    since = world.clock.now()
    world.clock.advance(600)
    world.reserve("ann", ["PRIVATE-1"], 6000)
    assert farm.find_reservations(["PRIVATE-1"], token="t", since=since) == ()


def test_a_reservation_of_another_account_or_more_devices_is_not_taken_for_ours(
    farm: KobitonFarm, world: World
) -> None:
    since = world.clock.now()
    world.reserve("bob", ["PRIVATE-1"], 600)
    world.reserve("ann", ["PRIVATE-2"], 600)
    assert farm.find_reservations(["PRIVATE-1"], token="t", since=since) == ()
    assert farm.find_reservations(["PRIVATE-1", "PRIVATE-2"], token="t", since=since) == ()


def test_a_reservation_that_is_known_is_not_found_again(farm: KobitonFarm, world: World) -> None:
    since = world.clock.now()
    farm.reserve(private(farm)[:1], seconds=600, token="t")
    assert farm.find_reservations(["PRIVATE-1"], token="t", since=since) == ()


def test_all_reservation_calls_of_the_client_are_understood(farm: KobitonFarm, world: World) -> None:
    made = farm.api.reservations.create(udids=["PRIVATE-1"], duration=60)
    assert made.reservation_id is not None
    assert farm.api.reservations.status(made.reservation_id).status.upper() == "RESERVED"
    free = farm.api.reservations.available_devices()
    assert [udids for udids in free.values() if "PRIVATE-2" in str(udids)]
    farm.api.reservations.terminate(reservation_ids=[made.reservation_id])
    assert farm.api.reservations.status(made.reservation_id).status.upper() == "CANCELLED"


def test_the_history_tells_when_a_device_was_booked(farm: KobitonFarm, world: World) -> None:
    today = datetime.datetime.fromtimestamp(world.clock.now(), datetime.UTC).date()
    farm.api.reservations.create(udids=["PRIVATE-1"], duration=60)
    history = farm.api.reservations.history(team_id=1, start=today, end=today, device_udid="PRIVATE-1")
    assert [(one.device_udid, one.booking_duration) for one in history.bookings] == [("PRIVATE-1", 60)]


def test_a_period_is_written_as_the_reference_writes_it() -> None:
    with answering(Answer(body=b"[]")) as server, open_farm(server.url) as farm:
        farm.api.reservations.list(start=1602588759.825, end=1602588760)
    assert json.loads(server.asked[0].body)["startTime"] == "2020-10-13 11:32:39.825+00"
    assert "startTime=2020-10-13+11%3A32%3A39.825%2B00" in server.asked[0].target
