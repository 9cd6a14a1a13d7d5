from __future__ import annotations

from typing import Any

import pytest
import requests
from support.kobiton import PIXEL, S22, UPLOAD_HEADERS, SimulatedKobiton, a_kobiton, a_world

from pytest_devicefarm.farms.kobiton.simulator import create
from pytest_devicefarm.simulator.faults import FaultError


def arm(farm: SimulatedKobiton, *faults: Any) -> requests.Response:
    return requests.post(f"{farm.url}/_simulator/faults", json=list(faults), timeout=10)


def test_a_status_is_answered_in_the_farms_form(farm: SimulatedKobiton) -> None:
    farm.fails("getDevices", status=503, reason="out of order")
    answer = farm.call("GET", "/v1/devices")
    assert (answer.status_code, answer.json()) == (503, {"message": "out of order"})
    assert farm.call("GET", "/v1/devices").status_code == 200


@pytest.mark.parametrize(
    ("form", "content_type"),
    [({"body": {"a": 1}}, "application/json"), ({"html": "<html>"}, "text/html"), ({"text": "no"}, "text/plain")],
)
def test_a_status_has_any_body(farm: SimulatedKobiton, form: dict[str, Any], content_type: str) -> None:
    farm.fails("getDevices", status=502, **form)
    answer = farm.call("GET", "/v1/devices")
    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith(content_type)


def test_a_fault_waits_and_repeats(farm: SimulatedKobiton) -> None:
    farm.fails("getDevices", status=500, after=1, count=2)
    statuses = [farm.call("GET", "/v1/devices").status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]


def test_a_fault_for_ever_ends_when_it_is_disarmed(farm: SimulatedKobiton) -> None:
    farm.fails("getDevices", status=500, count=-1)
    assert [farm.call("GET", "/v1/devices").status_code for _ in range(3)] == [500, 500, 500]
    requests.delete(f"{farm.url}/_simulator/faults", timeout=10)
    assert farm.call("GET", "/v1/devices").status_code == 200


def test_a_dropped_connection_does_nothing(farm: SimulatedKobiton) -> None:
    farm.fails("createReservation", "drop")
    with pytest.raises(requests.ConnectionError):
        farm.post("/reservations", udids=[S22], duration=60)
    assert farm.world.facts()["reservations"] == []


def test_a_lost_reply_leaves_what_was_done(farm: SimulatedKobiton) -> None:
    farm.fails("createReservation", "lost_reply")
    with pytest.raises(requests.ConnectionError):
        farm.post("/reservations", udids=[S22], duration=60)
    assert farm.world.facts()["open_reservations"] == [1]


def test_a_session_can_be_lost_with_its_reply_and_looked_up(farm: SimulatedKobiton) -> None:
    farm.fails("hub.create", "lost_reply")
    with pytest.raises(requests.ConnectionError):
        farm.create(udid=S22, sessionDescription="token-9")
    [session] = farm.get("/sessions", keyword="token-9")["data"]
    assert session["state"] == "START"


@pytest.mark.parametrize("operation", ["getDevices", "storage.get"])
def test_half_an_answer_is_cut_off(farm: SimulatedKobiton, operation: str) -> None:
    stored = farm.world.storage.sign("GET", farm.url, farm.world.storage.keep("key", bytes(1000)), 60)
    farm.fails(operation, "half")
    path = "/v1/devices" if operation == "getDevices" else stored.removeprefix(farm.url)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        farm.call("GET", path)


def test_types_are_confused(farm: SimulatedKobiton) -> None:
    farm.fails("getDeviceStatus", "wrong_types")
    assert farm.get("/devices/1001/status") == {"isBooked": "no", "isOnline": "yes"}


def test_an_upload_can_fail(farm: SimulatedKobiton) -> None:
    url = farm.post("/apps/uploadUrl", filename="a.apk").json()["url"]
    farm.fails("storage.put", status=503)
    assert "<Code>InternalError</Code>" in requests.put(url, b"x", headers=UPLOAD_HEADERS, timeout=10).text
    assert farm.world.facts()["uploads"] == {}


def test_a_device_is_taken_between_choice_and_session(farm: SimulatedKobiton) -> None:
    farm.fails("hub.create", "busy_after_choice", seconds=30)
    message = farm.create(udid=S22).json()["value"]["message"]
    assert f"[udid: {S22}]" in message
    assert farm.get("/devices/1001/status")["isBooked"]
    farm.session(PIXEL)
    farm.world.clock.advance(30)
    farm.session(S22)


def test_a_session_is_not_created_for_a_reason(farm: SimulatedKobiton) -> None:
    farm.fails("hub.create", "session_not_created", reason="the certificate has expired")
    answer = farm.create(udid=S22)
    assert (answer.status_code, answer.json()["value"]["message"]) == (500, "the certificate has expired")


def test_a_session_vanishes_from_the_hub(farm: SimulatedKobiton) -> None:
    number, webdriver_id = farm.session()
    farm.fails("hub.command", "hub_gone")
    answer = farm.call("GET", f"/wd/hub/session/{webdriver_id}/source")
    assert (answer.status_code, answer.json()["value"]["error"]) == (404, "invalid session id")
    assert farm.get(f"/sessions/{number}")["state"] == "ERROR"


def test_a_hub_behind_its_gateway_is_gone_for_a_moment(farm: SimulatedKobiton) -> None:
    _, webdriver_id = farm.session()
    farm.fails("hub.command", "hub_gone", status=502)
    answer = farm.call("GET", f"/wd/hub/session/{webdriver_id}/source")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert farm.call("GET", f"/wd/hub/session/{webdriver_id}/source").status_code == 200


def test_faults_come_from_the_world_file_too() -> None:
    with a_kobiton('[[fault]]\noperation = "getDevices"\nstatus = 429\n') as farm:
        assert farm.call("GET", "/v1/devices").status_code == 429


def test_a_world_file_with_an_unknown_operation_is_refused() -> None:
    world = a_world('[[fault]]\noperation = "getDevice"\n')
    with pytest.raises(FaultError, match="did you mean 'getDevices'"):
        create(world)
    world.close()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"operation": "getDevicess"}, "did you mean 'getDevices'"),
        ({"operation": "getDevices", "effect": "explode"}, "unknown effect 'explode'"),
        ({"operation": "getDevices", "efect": "drop"}, "did you mean 'effect'"),
        ({"operation": "getDevices", "effect": "hub_gone"}, "for hub.delete or hub.command only"),
        ({"operation": "getDevices", "count": "many"}, "'count' cannot be 'many'"),
        ({}, "'operation' is missing"),
        ("getDevices", "a fault is a JSON object"),
    ],
)
def test_a_fault_that_is_none_is_refused(farm: SimulatedKobiton, fault: Any, message: str) -> None:
    answer = arm(farm, fault)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_the_clock_is_turned_from_outside(farm: SimulatedKobiton) -> None:
    number, _ = farm.session(newCommandTimeout=60)
    assert requests.post(f"{farm.url}/_simulator/clock", json={"advance": 61}, timeout=10).status_code == 200
    assert farm.get(f"/sessions/{number}")["state"] == "TIMEOUT"


@pytest.mark.parametrize("body", [{"advance": -1}, {"advance": "1"}, {}, []])
def test_the_clock_takes_seconds_only(farm: SimulatedKobiton, body: Any) -> None:
    assert requests.post(f"{farm.url}/_simulator/clock", json=body, timeout=10).status_code == 400


def test_the_log_lists_the_latest_requests(farm: SimulatedKobiton) -> None:
    farm.get("/devices")
    [entry] = requests.get(f"{farm.url}/_simulator/log", timeout=10).json()
    assert (entry["operation"], entry["method"], entry["path"], entry["status"]) == (
        "getDevices",
        "GET",
        "/v1/devices",
        200,
    )


def test_there_are_no_other_controls(farm: SimulatedKobiton) -> None:
    assert requests.get(f"{farm.url}/_simulator/secrets", timeout=10).status_code == 404


def test_a_status_can_ask_for_patience() -> None:
    with a_kobiton() as kobiton:
        kobiton.fails("getDevices", status=429, retry_after=7)
        answer = kobiton.call("GET", "/v1/devices")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def test_a_device_that_goes_offline_takes_its_session_along() -> None:
    with a_kobiton() as kobiton:
        _, webdriver_id = kobiton.session(S22)
        kobiton.fails("hub.command", "device_offline")
        answer = kobiton.call("GET", f"/wd/hub/session/{webdriver_id}/source")
        assert answer.json()["value"]["error"] == "invalid session id"
        device = kobiton.world.device(S22)
        assert device is not None
        assert not device.online
        assert not any(session.open for session in kobiton.world.sessions)
