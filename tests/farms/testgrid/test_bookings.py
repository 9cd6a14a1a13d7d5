"""Slots against prepared answers: what is sent, and what odd answers lead to."""

from __future__ import annotations

from typing import Any

import pytest
from farms.testgrid.opening import LIST, a_device, a_server, open_farm, refuses, says
from support.clocks import ManualClock
from support.web import Answer

from pytest_devicefarm.core.errors import ConfigurationError, DeviceBusy, FarmAuthenticationError, FarmRefused
from pytest_devicefarm.core.model import Device, Reservation

ANN = {"user_id": 7, "email": "ann@x.test"}
USERS, SLOTS = "/api/user/list", "/api/user/reservedevicelist"
RESERVE, RELEASE, CANCEL = (
    "/api/user/reservedevice/7/",
    "/api/user/releasereservedevice",
    "/api/user/cancelreservedevice",
)
NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 in UTC
PHONE = Device(id="3", udid="U-3", name="Galaxy S21", platform="android", reservable=True)
TABLET = Device(id="4", udid="U-4", name="Tab S9", platform="android", reservable=True)


def accepted(number: int | str, status: str = "Accepted") -> Answer:
    return says(device_reservation_id=str(number), ReservationStatus=status)


def a_slot(number: int | str, **members: str) -> dict[str, Any]:
    return {
        "device_reservation_id": str(number),
        "device_id": "3",
        "start_date_time": "2023-11-14 22:13:00",
        "end_date_time": "2023-11-14 22:43:00",
        "comments": "pytest-devicefarm df-1",
        **members,
    }


def answers(**paths: Answer | list[Answer]) -> dict[str, Answer | list[Answer]]:
    known = {"users": USERS, "slots": SLOTS, "reserve": RESERVE, "release": RELEASE, "cancel": CANCEL, "devices": LIST}
    usual: dict[str, Answer | list[Answer]] = {
        "users": says(data=ANN),
        "slots": says(data=[]),
        "release": says(),
        "cancel": says(),
        "devices": says(data=[a_device()]),
    }
    return {known[name]: answer for name, answer in {**usual, **paths}.items()}


def test_a_slot_is_asked_for_in_utc_with_the_token_in_its_comments() -> None:
    with a_server(answers(reserve=accepted(2696))) as server, open_farm(server.url) as farm:
        made = farm.reserve([PHONE], seconds=1800, token="df-1")
        (form,) = server.forms(RESERVE)
    assert form["start_date_time"] == "2023-11-14 22:13:22"
    assert form["end_date_time"] == "2023-11-14 22:43:22"
    assert (form["timezone"], form["comments"], form["device_id"]) == ("UTC", "pytest-devicefarm df-1", "3")
    assert made == Reservation("2696", ("U-3",), NOW + 2 + 1800)


def test_our_own_booking_does_not_make_a_device_busy() -> None:
    reserved = says(data=[a_device(is_reserved="1", reserved_device_user_id="7")])
    with a_server(answers(reserve=accepted(1), devices=reserved)) as server, open_farm(server.url) as farm:
        assert farm.list_devices().devices[0].state == "busy"
        made = farm.reserve([PHONE], seconds=1800, token="df-1")
        assert farm.list_devices().devices[0].state == "free"
        farm.cancel(made.id)
        assert farm.list_devices().devices[0].state == "busy"


def test_a_slot_that_waits_for_approval_is_given_back_and_busy() -> None:
    with a_server(answers(reserve=accepted(5, "Waiting for approval"))) as server, open_farm(server.url) as farm:
        with pytest.raises(DeviceBusy, match="Waiting for approval"):
            farm.reserve([PHONE], seconds=1800, token="df-1")
        assert [form["device_reservation_id"] for form in server.forms(CANCEL)] == ["5"]


def test_an_overlap_is_busy() -> None:
    overlap = refuses("Device is already reserved for this time")
    with (
        a_server(answers(reserve=overlap)) as server,
        open_farm(server.url) as farm,
        pytest.raises(DeviceBusy, match="already reserved"),
    ):
        farm.reserve([PHONE], seconds=1800, token="df-1")


def test_a_refusal_for_another_reason_is_no_busy_device() -> None:
    with (
        a_server(answers(reserve=refuses("start_date_time is in the past"))) as server,
        open_farm(server.url) as farm,
        pytest.raises(FarmRefused, match="in the past"),
    ):
        farm.reserve([PHONE], seconds=1800, token="df-1")


def test_all_devices_or_none() -> None:
    replies = answers(reserve=[accepted(1), refuses("already reserved")])
    with a_server(replies) as server, open_farm(server.url) as farm:
        with pytest.raises(DeviceBusy):
            farm.reserve([PHONE, TABLET], seconds=1800, token="df-1")
        assert [form["device_reservation_id"] for form in server.forms(CANCEL)] == ["1"]


def test_a_slot_that_has_begun_is_released() -> None:
    with a_server(answers(slots=says(data=[a_slot(5)]))) as server, open_farm(server.url) as farm:
        farm.cancel("5")
        assert (len(server.forms(RELEASE)), len(server.forms(CANCEL))) == (1, 0)


def test_a_slot_that_has_not_begun_is_cancelled() -> None:
    slot = a_slot(5, start_date_time="2023-11-14 22:14:00")
    with a_server(answers(slots=says(data=[slot]))) as server, open_farm(server.url) as farm:
        farm.cancel("5")
        assert (len(server.forms(RELEASE)), len(server.forms(CANCEL))) == (0, 1)


def test_the_other_way_is_tried_where_the_first_is_refused() -> None:
    replies = answers(slots=says(data=[a_slot(5)]), release=refuses("The slot has not begun"))
    with a_server(replies) as server, open_farm(server.url) as farm:
        farm.cancel("5")
        assert len(server.forms(CANCEL)) == 1


def test_a_slot_that_has_ended_already_is_fine() -> None:
    replies = answers(release=refuses("no"), cancel=refuses("no"))
    with a_server(replies) as server, open_farm(server.url) as farm:
        farm.cancel("5")


def test_a_slot_that_cannot_be_ended_is_an_error() -> None:
    replies = answers(slots=says(data=[a_slot(5)]), release=refuses("no"), cancel=refuses("never"))
    with a_server(replies) as server, open_farm(server.url) as farm, pytest.raises(FarmRefused, match="never"):
        farm.cancel("5")


def test_credentials_that_stopped_working_are_not_taken_for_an_end() -> None:
    replies = answers(release=refuses("Invalid user token"))
    with a_server(replies) as server, open_farm(server.url) as farm, pytest.raises(FarmAuthenticationError):
        farm.cancel("5")


def test_a_renewal_books_the_time_behind_and_names_both() -> None:
    with a_server(answers(reserve=[accepted(1), accepted(2)])) as server, open_farm(server.url) as farm:
        first = farm.reserve([PHONE], seconds=1800, token="df-1")
        second = farm.renew(first, [PHONE], seconds=1800)
        form = server.forms(RESERVE)[1]
    assert second == Reservation("1,2", ("U-3",), first.expires + 1800)
    assert (form["start_date_time"], form["comments"]) == ("2023-11-14 22:43:22", "pytest-devicefarm df-1")


def test_all_slots_of_a_renewed_reservation_are_ended() -> None:
    with a_server(answers(reserve=[accepted(1), accepted(2)])) as server, open_farm(server.url) as farm:
        first = farm.reserve([PHONE], seconds=1800, token="df-1")
        farm.cancel(farm.renew(first, [PHONE], seconds=1800).id)
        assert [form["device_reservation_id"] for form in server.forms(RELEASE)] == ["1", "2"]


def test_a_following_slot_nobody_told_of_is_ended_with_the_first() -> None:
    slots = [a_slot(1), a_slot(2), a_slot(3, comments="pytest-devicefarm df-2"), a_slot(4, comments="mine")]
    with a_server(answers(slots=says(data=slots))) as server, open_farm(server.url) as farm:
        farm.cancel("1")
        assert [form["device_reservation_id"] for form in server.forms(RELEASE)] == ["1", "2"]


def test_a_slot_of_a_person_ends_alone() -> None:
    slots = [a_slot(1, comments="mine"), a_slot(2, comments="mine")]
    with a_server(answers(slots=says(data=slots))) as server, open_farm(server.url) as farm:
        farm.cancel("1")
        assert [form["device_reservation_id"] for form in server.forms(RELEASE)] == ["1"]


def test_a_renewal_that_somebody_else_prevents_is_busy() -> None:
    replies = answers(reserve=[accepted(1), refuses("Slot overlaps")])
    with a_server(replies) as server, open_farm(server.url) as farm:
        first = farm.reserve([PHONE], seconds=1800, token="df-1")
        with pytest.raises(DeviceBusy):
            farm.renew(first, [PHONE], seconds=1800)


def test_a_lost_answer_is_found_by_its_token() -> None:
    slots = [a_slot(1), a_slot(2, comments="pytest-devicefarm df-12"), a_slot(3, comments="")]
    with a_server(answers(slots=says(data=slots))) as server, open_farm(server.url) as farm:
        assert farm.find_reservations(["U-3"], token="df-1", since=NOW) == ("1",)


@pytest.mark.parametrize("slots", ["null", "[]", {}, [7, "x", {"comments": "y"}], [a_slot(1, start_date_time="soon")]])
def test_odd_listings_do_not_stop_the_end_of_a_slot(slots: object) -> None:
    with a_server(answers(slots=says(data=slots))) as server, open_farm(server.url) as farm:
        farm.cancel("1")
        assert len(server.forms(RELEASE)) == 1


def test_a_listing_that_fails_does_not_stop_the_end_of_a_slot() -> None:
    with a_server(answers(slots=Answer(body=b"{half"))) as server, open_farm(server.url) as farm:
        farm.cancel("1")
        assert len(server.forms(RELEASE)) == 1


def test_the_own_user_is_found_by_address_among_several() -> None:
    users = says(data=[{"user_id": 6, "email": "bob@x.test"}, ANN])
    replies = answers(users=users, reserve=accepted(1))
    with a_server(replies) as server, open_farm(server.url, email="Ann@x.test") as farm:
        assert farm.reserve([PHONE], seconds=60, token="df-1").id == "1"


def test_a_token_that_could_be_anybodys_asks_for_an_address() -> None:
    users = says(data=[{"user_id": 6, "email": "bob@x.test"}, ANN])
    with (
        a_server(answers(users=users)) as server,
        open_farm(server.url) as farm,
        pytest.raises(ConfigurationError, match="TESTGRID_EMAIL"),
    ):
        farm.reserve([PHONE], seconds=60, token="df-1")


def test_a_booking_that_has_run_out_holds_nothing() -> None:
    clock = ManualClock(NOW)
    reserved = says(data=[a_device(is_reserved="1")])
    with a_server(answers(reserve=accepted(1), devices=reserved)) as server, open_farm(server.url, clock) as farm:
        farm.reserve([PHONE], seconds=60, token="df-1")
        clock.advance(120)
        assert farm.list_devices().devices[0].state == "busy"
