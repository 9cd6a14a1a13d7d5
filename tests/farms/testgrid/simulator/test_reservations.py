from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.testgrid import PIXEL, S22, TIME, SimulatedTestGrid, a_testgrid

RELEASE, CANCEL, LIST = (
    "/api/user/releasereservedevice",
    "/api/user/cancelreservedevice",
    "/api/user/reservedevicelist",
)


def test_a_booking_keeps_others_away_and_shows(farm: SimulatedTestGrid) -> None:
    farm.book(S22)
    assert "in use or reserved" in farm.other().create(S22).text
    farm.session(S22)
    row = farm.call("/api/get-user-devices")["devices"]["android"][0]
    assert (row["is_reserved"], row["reserved_device_user_id"], row["reserved_device_user_email"]) == (
        "1",
        "1",
        "me@example.com",
    )


def test_a_booking_ends_by_itself(farm: SimulatedTestGrid) -> None:
    farm.book(S22, end=60)
    farm.world.clock.advance(61)
    assert farm.flags(S22) == {}
    farm.other().session(S22)
    assert farm.call(LIST, timezone="UTC")["data"] == []


def test_a_booking_holds_nothing_before_it_begins(farm: SimulatedTestGrid) -> None:
    farm.book(S22, start=3600, end=7200)
    farm.other().session(PIXEL)
    assert farm.flags(S22) == {}
    farm.world.clock.advance(3700)
    assert "is_reserved" in farm.flags(S22)


def test_times_are_of_the_zone_that_is_named(farm: SimulatedTestGrid) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    begin = datetime.fromtimestamp(farm.world.clock.calendar() + 60, zone).strftime(TIME)
    end = datetime.fromtimestamp(farm.world.clock.calendar() + 120, zone).strftime(TIME)
    farm.book(S22, start_date_time=begin, end_date_time=end, timezone="Asia/Kolkata")
    [there] = farm.call(LIST, timezone="Asia/Kolkata")["data"]
    [here] = farm.call(LIST, timezone="UTC")["data"]
    assert (there["start_date_time"], there["end_date_time"]) == (begin, end)
    moment = datetime.strptime(begin, TIME).replace(tzinfo=zone).astimezone(UTC)
    assert here["start_date_time"] == moment.strftime(TIME)


def test_the_list_shows_ones_own_slots_only(farm: SimulatedTestGrid) -> None:
    number = farm.book(S22)
    farm.other().book(PIXEL)
    [slot] = farm.call(LIST, timezone="UTC")["data"]
    assert (slot["device_reservation_id"], slot["device_id"], slot["comments"]) == (number, S22, "ours")


@pytest.mark.parametrize("who", [0, 1])
def test_an_overlap_is_refused(farm: SimulatedTestGrid, who: int) -> None:
    farm.book(S22, start=0, end=600)
    other = (farm, farm.other())[who]
    path = f"/api/user/reservedevice/{who + 1}/"
    assert "already reserved" in other.refused(path, **farm.slot(S22, start=300, end=900))


def test_a_slot_may_follow_another(farm: SimulatedTestGrid) -> None:
    farm.book(S22, start=0, end=600)
    farm.book(S22, start=600, end=1200)
    farm.world.clock.advance(700)
    assert farm.world.reservations.holder("s22", farm.world.clock.now()) == "me@example.com"


@pytest.mark.parametrize(("start", "end", "words"), [(-600, 600, "in the past"), (60, 60, "after start")])
def test_times_that_make_no_sense_are_refused(farm: SimulatedTestGrid, start: int, end: int, words: str) -> None:
    assert words in farm.refused("/api/user/reservedevice/1/", **farm.slot(start=start, end=end))


def test_nobody_books_for_others(farm: SimulatedTestGrid) -> None:
    assert "not allowed" in farm.refused("/api/user/reservedevice/2/", **farm.slot())


def test_what_others_use_now_cannot_be_booked_now(farm: SimulatedTestGrid) -> None:
    farm.other().session(S22)
    assert "in use" in farm.refused("/api/user/reservedevice/1/", **farm.slot())


@pytest.mark.parametrize("wrong", [{"timezone": "Mars/Olympus"}, {"start_date_time": "soon"}])
def test_a_broken_form_is_refused_and_noted(farm: SimulatedTestGrid, wrong: dict[str, Any]) -> None:
    farm.refused("/api/user/reservedevice/1/", **farm.slot(**wrong))
    assert len(farm.world.facts()["violations"]) == 1


def test_a_slot_that_has_begun_is_released_not_cancelled(farm: SimulatedTestGrid) -> None:
    number = farm.book(S22)
    assert "release it" in farm.refused(CANCEL, device_reservation_id=number)
    farm.call(RELEASE, device_reservation_id=number)
    assert farm.flags(S22) == {}
    assert farm.world.facts()["open_reservations"] == []
    assert "over" in farm.refused(RELEASE, device_reservation_id=number)


def test_a_slot_that_has_not_begun_is_cancelled_not_released(farm: SimulatedTestGrid) -> None:
    number = farm.book(S22, start=600, end=1200)
    assert "cancel it" in farm.refused(RELEASE, device_reservation_id=number)
    farm.call(CANCEL, device_reservation_id=number)
    assert farm.world.facts()["open_reservations"] == []


def test_slots_of_others_are_not_known(farm: SimulatedTestGrid) -> None:
    number = farm.other().book(S22)
    assert farm.refused(RELEASE, device_reservation_id=number) == "Reservation not found."


def test_a_booking_may_wait_for_approval(farm: SimulatedTestGrid) -> None:
    farm.fails("reserveDevice", "reservation_pending")
    said = farm.call("/api/user/reservedevice/1/", **farm.slot())
    assert said["ReservationStatus"] == "Pending"
    farm.other().session(S22)
    farm.call(CANCEL, device_reservation_id=said["device_reservation_id"])


def test_dates_follow_the_clients_clock_however_fast_the_farms_runs() -> None:
    with a_testgrid(speed=1000) as farm:
        farm.world.clock.advance(100)
        farm.book(S22, start=0, end=600)
        [slot] = farm.call(LIST, timezone="UTC")["data"]
        assert abs(_seconds(slot["end_date_time"]) - farm.world.clock.calendar() - 600) < 5


def _seconds(text: str) -> float:
    return datetime.strptime(text, TIME).replace(tzinfo=UTC).timestamp()
