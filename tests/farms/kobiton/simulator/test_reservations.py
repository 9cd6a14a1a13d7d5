from __future__ import annotations

from typing import Any

import pytest
from support.kobiton import CLOUD, PIXEL, S22, SimulatedKobiton

ALWAYS = {"startTime": "2000-10-13 11:32:39.825+07", "endTime": "2100-01-01T00:00:00Z"}


def reserve(farm: SimulatedKobiton, *udids: str, duration: int = 600) -> dict[str, Any]:
    answer: dict[str, Any] = farm.post("/reservations", udids=udids, duration=duration).json()
    return answer


def status(farm: SimulatedKobiton, reservation_id: int) -> str:
    word: str = farm.get(f"/reservations/{reservation_id}/status")["status"]
    return word


def test_part_of_a_reservation_may_fail(farm: SimulatedKobiton) -> None:
    reserve(farm.other(), PIXEL)
    answer = reserve(farm, S22, PIXEL, CLOUD)
    assert answer == {"reservationId": 2, "duration": 600, "fail": [PIXEL, CLOUD], "success": [S22]}


def test_a_reservation_expires(farm: SimulatedKobiton) -> None:
    made = reserve(farm, S22, duration=60)["reservationId"]
    assert status(farm, made) == "RESERVED"
    farm.world.clock.advance(60)
    assert status(farm, made) == "EXPIRED"


@pytest.mark.parametrize("form", [int, str])
def test_a_reservation_is_terminated_once_and_again(farm: SimulatedKobiton, form: type) -> None:
    made = reserve(farm, S22)["reservationId"]
    for _ in range(2):
        assert farm.post("/reservations/terminate", reservationIds=[form(made)]).text == "OK"
    assert status(farm, made) == "CANCELLED"


def test_success_has_no_body_as_documented(documented: SimulatedKobiton) -> None:
    made = reserve(documented, S22)["reservationId"]
    assert documented.post("/reservations/terminate", reservationIds=[made]).text == ""


def test_others_reservations_are_left_alone(farm: SimulatedKobiton) -> None:
    theirs = reserve(farm.other(), S22)["reservationId"]
    farm.post("/reservations/terminate", reservationIds=[theirs])
    assert status(farm, theirs) == "RESERVED"


def test_terminating_all_ends_everybodys(farm: SimulatedKobiton) -> None:
    made = [reserve(farm.other(), S22)["reservationId"], reserve(farm, PIXEL)["reservationId"]]
    farm.call("POST", "/v1/reservations/terminate/all", params={"isPublic": "true"})
    assert [status(farm, each) for each in made] == ["RESERVED", "RESERVED"]
    farm.call("POST", "/v1/reservations/terminate/all", params={"isPublic": "false"})
    assert [status(farm, each) for each in made] == ["CANCELLED", "CANCELLED"]


def test_reservations_are_listed_by_a_period_in_body_or_query(farm: SimulatedKobiton) -> None:
    reserve(farm, S22)
    expected = [{"id": 1, "status": "RESERVED", "creator": "me@example.com", "udids": [S22]}]
    assert farm.get("/reservations", **ALWAYS) == expected
    assert farm.call("GET", "/v1/reservations", json=ALWAYS).json() == expected
    assert farm.get("/reservations", startTime="2000-01-01", endTime="2000-01-02") == []


def test_a_period_is_needed(farm: SimulatedKobiton) -> None:
    answer = farm.call("GET", "/v1/reservations")
    assert (answer.status_code, "startTime" in answer.json()["message"]) == (400, True)


def test_only_private_devices_that_are_free_are_available(farm: SimulatedKobiton) -> None:
    reserve(farm, S22)
    assert farm.get("/reservations/available-devices", platformName="Android") == {"Pixel 8": [PIXEL]}


def test_available_devices_are_below_one_name_as_documented(documented: SimulatedKobiton) -> None:
    assert documented.get("/reservations/available-devices", deviceName="*Galaxy*") == {"deviceName": [S22]}


def test_the_history_shows_when_a_device_was_released(farm: SimulatedKobiton) -> None:
    made = reserve(farm, S22, duration=60)
    farm.world.clock.advance(60)
    [entry] = farm.get("/reservations/history", teamId=1, startTime="2000-01-01", endTime="2100-01-01")
    assert (entry["id"], entry["deviceUdid"], entry["bookingDuration"]) == (made["reservationId"], S22, 60)
    assert entry["releaseDate"] is not None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"udids": [S22]}, "duration"),
        ({"udids": [S22], "duration": "600"}, "duration"),
        ({"udids": [S22], "duration": 0}, "duration"),
        ({"udids": S22, "duration": 600}, "udids"),
        ({"udids": [], "duration": 600}, "udids"),
        ({"udid": [S22], "duration": 600}, "did you mean 'udids'"),
    ],
)
def test_bodies_against_the_contract_are_refused_and_noted(
    farm: SimulatedKobiton, body: dict[str, Any], word: str
) -> None:
    answer = farm.post("/reservations", **body)
    assert answer.status_code == 400
    assert word in answer.json()["message"]
    [violation] = farm.world.facts()["violations"]
    assert (violation["method"], violation["path"]) == ("POST", "/v1/reservations")


def test_an_unknown_reservation_is_not_found(farm: SimulatedKobiton) -> None:
    assert farm.call("GET", "/v1/reservations/77/status").status_code == 404
    assert farm.post("/reservations/terminate", reservationIds=[77]).status_code == 404


def test_a_fault_leaves_half_of_a_reservation_ungranted(farm: SimulatedKobiton) -> None:
    farm.fails("createReservation", "reservation_half")
    answer = reserve(farm, S22, PIXEL)
    assert (answer["success"], answer["fail"]) == ([S22], [PIXEL])
