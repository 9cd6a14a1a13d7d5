from __future__ import annotations

from typing import Any

import pytest
import requests
from support.kobiton import CLOUD, IPHONE, PIXEL, S22, SimulatedKobiton


def names(devices: list[dict[str, Any]]) -> list[str]:
    return [device["deviceName"] for device in devices]


def listed(farm: SimulatedKobiton, **query: Any) -> list[str]:
    lists = farm.get("/devices", **query)
    return names(lists["privateDevices"] + lists["cloudDevices"])


def test_devices_come_in_three_lists(either: SimulatedKobiton) -> None:
    lists = either.get("/devices")
    assert "Galaxy S22" in names(lists["privateDevices"])
    assert names(lists["favoriteDevices"]) == ["Galaxy S22"]
    assert names(lists["cloudDevices"]) == ["Galaxy A54"]


def test_cloud_devices_have_a_udid_as_seen(farm: SimulatedKobiton) -> None:
    assert farm.get("/devices")["cloudDevices"][0]["udid"] == CLOUD


def test_cloud_devices_have_no_udid_as_documented(documented: SimulatedKobiton) -> None:
    lists = documented.get("/devices")
    assert "udid" not in lists["cloudDevices"][0]
    assert "udid" not in lists["favoriteDevices"][0]
    assert lists["privateDevices"][0]["udid"] == S22


def test_hidden_and_mute_devices_can_be_told_apart(farm: SimulatedKobiton) -> None:
    devices = {device["udid"]: device for device in farm.get("/devices")["privateDevices"]}
    assert devices["hidden"]["isHidden"]
    assert devices["mute"]["support"] == {"appiumDisabled": True}
    assert devices["offline"]["state"] == "DISCONNECTED"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"isOnline": "False"}, ["Offline"]),
        ({"isOnline": "false"}, ["Offline"]),
        ({"platformName": "ios", "isOnline": "true"}, ["iPhone 15"]),
        ({"deviceName": "*pixel*"}, ["Pixel 8"]),
        ({"deviceName": "Galaxy*"}, ["Galaxy S22", "Galaxy A54"]),
        ({"deviceName": "Pixel 8,iPhone 15"}, ["Pixel 8", "iPhone 15"]),
        ({"platformVersion": "13,14"}, ["Galaxy S22", "Pixel 8"]),
        ({"udid": CLOUD}, ["Galaxy A54"]),
        ({"deviceGroup": "KOBITON"}, ["Galaxy A54"]),
        ({"appiumDisabled": "True"}, ["No Appium"]),
    ],
)
def test_filters_narrow_the_lists(farm: SimulatedKobiton, query: dict[str, str], expected: list[str]) -> None:
    assert listed(farm, **query) == expected


@pytest.mark.parametrize("query", [{"isOnline": "maybe"}, {"isonline": "true"}, {"groupId": "x"}])
def test_other_queries_break_the_contract(farm: SimulatedKobiton, query: dict[str, str]) -> None:
    answer = farm.call("GET", "/v1/devices", params=query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["message"]
    assert len(farm.world.facts()["violations"]) == 1


def test_a_device_in_a_session_is_booked_for_its_user_too(either: SimulatedKobiton) -> None:
    either.session(S22)
    assert either.get("/devices/1001/status") == {"isBooked": True, "isOnline": True}
    assert either.get(f"/devices/{S22}")["isBooked"]


def test_a_reserved_device_is_booked_for_its_holder_too(farm: SimulatedKobiton) -> None:
    farm.post("/reservations", udids=[PIXEL], duration=60)
    assert "Pixel 8" in listed(farm, isBooked="true")


@pytest.mark.parametrize("path", ["/devices/9999/status", "/devices/words/status", "/devices/unheard-of"])
def test_unknown_devices_are_not_found(farm: SimulatedKobiton, path: str) -> None:
    answer = farm.call("GET", "/v1" + path)
    assert (answer.status_code, list(answer.json())) == (404, ["message"])


def test_a_trailing_slash_does_not_matter(farm: SimulatedKobiton) -> None:
    assert farm.get(f"/devices/{IPHONE}/")["udid"] == IPHONE


def test_answers_have_no_blanks(farm: SimulatedKobiton) -> None:
    assert ": " not in farm.call("GET", "/v1/devices/1001/status").text


@pytest.mark.parametrize("auth", [("me@example.com", "wrong"), ("nobody", "key/1"), ("other", "key/1"), None])
def test_wrong_credentials_are_refused(farm: SimulatedKobiton, auth: tuple[str, str] | None) -> None:
    answer = farm.call("GET", "/v1/devices", auth=auth)
    assert answer.status_code == 401
    assert answer.json()["message"]
    assert farm.world.facts()["violations"] == []


def test_credentials_can_be_checked(farm: SimulatedKobiton) -> None:
    assert farm.get("/users/me")["username"] == "me@example.com"


def test_unknown_operations_break_the_contract(farm: SimulatedKobiton) -> None:
    assert farm.call("GET", "/v1/phones").status_code == 404
    assert farm.call("PATCH", "/v1/devices/1001/status").status_code == 405
    assert [v["path"] for v in farm.world.facts()["violations"]] == ["/v1/phones", "/v1/devices/1001/status"]


def test_requests_are_counted_by_operation(farm: SimulatedKobiton) -> None:
    farm.get("/devices")
    farm.get("/devices")
    record = requests.get(f"{farm.url}/_simulator/record", timeout=10).json()
    assert record["requests"] == {"getDevices": 2}
