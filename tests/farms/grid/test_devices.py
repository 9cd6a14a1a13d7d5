from __future__ import annotations

import copy
import json

import pytest
from farms.grid.opening import PASSWORD, SmallGrid, open_farm
from support.web import Answer, answering

from pytest_devicefarm.core.errors import (
    ConfigurationError,
    FarmAnswerError,
    FarmAuthenticationError,
    FarmUnreachable,
)
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.query import DeviceQuery, matching
from pytest_devicefarm.farms.grid.farm import GridFarm


def device(farm: GridFarm, udid: str) -> Device:
    return next(device for device in farm.list_devices().devices if device.udid == udid)


def test_a_slot_is_a_device_with_what_its_stereotype_says(farm: GridFarm) -> None:
    pixel = device(farm, "pixel-2")
    assert (pixel.name, pixel.platform, pixel.version, pixel.tags) == ("Pixel 8", "android", "14", ("smoke", "5g"))
    assert json.loads(pixel.details["stereotype"])["appium:automationName"] == "FarmFake"


def test_tags_may_be_a_list_and_a_simulator_says_that_it_is_one(farm: GridFarm) -> None:
    iphone = device(farm, "iphone-1")
    assert (iphone.platform, iphone.tags, iphone.real) == ("ios", ("a", "b"), False)


def test_slots_that_look_the_same_are_devices_of_their_own(farm: GridFarm) -> None:
    twins = matching(farm.list_devices().devices, DeviceQuery.of(platform="fake"))
    assert len({twin.udid for twin in twins}) == 4
    assert all(twin.udid == twin.id for twin in twins)


def test_slots_of_browsers_are_no_devices(grid: SmallGrid, farm: GridFarm) -> None:
    grid.slot("pixel-2")["stereotype"] = {"browserName": "chrome", "platformName": "LINUX"}
    assert [device.name for device in farm.list_devices().devices].count("Pixel 8") == 1


def test_a_slot_in_use_is_busy_and_says_by_whom_since_when_and_who_waits(farm: GridFarm) -> None:
    pixel = device(farm, "pixel-1")
    assert pixel.state is DeviceState.BUSY
    assert pixel.note.startswith("in session since 2026-11-25 04:")
    assert pixel.note.endswith("UTC: test_login [df-1234]; 1 in the Grid's queue before the next one")


def test_a_queue_that_cannot_be_read_only_makes_notes_poorer(grid: SmallGrid, farm: GridFarm) -> None:
    grid.queue = {"errors": [{"message": "no"}]}
    assert device(farm, "pixel-1").note.endswith("test_login [df-1234]")


@pytest.mark.parametrize("availability", ["DOWN", "DRAINING"])
def test_slots_of_a_node_that_is_going_are_offline(grid: SmallGrid, farm: GridFarm, availability: str) -> None:
    grid.node_of("pixel-2")["availability"] = availability
    pixel = device(farm, "pixel-2")
    assert pixel.state is DeviceState.OFFLINE
    assert availability in pixel.note


def test_free_slots_of_a_node_that_runs_all_it_may_are_busy(grid: SmallGrid, farm: GridFarm) -> None:
    grid.node_of("pixel-1")["maxSessions"] = 1
    iphone = device(farm, "iphone-1")
    assert iphone.state is DeviceState.BUSY
    assert "as many sessions as it may (1)" in iphone.note


def test_of_two_slots_with_one_udid_the_second_is_left_out_and_told(grid: SmallGrid, farm: GridFarm) -> None:
    grid.slot("pixel-2")["stereotype"]["appium:udid"] = "pixel-1"
    listed = farm.list_devices()
    assert [device.udid for device in listed.devices].count("pixel-1") == 1
    assert "UDID pixel-1 stands in the stereotypes of two slots" in listed.problems[0]


def test_a_node_that_was_started_again_is_no_problem(grid: SmallGrid, farm: GridFarm) -> None:
    old = copy.deepcopy(grid.node_of("pixel-2"))
    grid.nodes.insert(0, {**old, "id": "old", "availability": "DOWN"})
    listed = farm.list_devices()
    assert not [problem for problem in listed.problems if "pixel-2" in problem]
    assert device(farm, "pixel-2").state is DeviceState.FREE


def test_a_slot_that_cannot_be_read_is_a_note(grid: SmallGrid, farm: GridFarm) -> None:
    grid.node_of("pixel-1")["slots"].append({"id": None, "stereotype": "rubbish"})
    listed = farm.list_devices()
    assert len(listed.devices) == 8
    assert "slots[4]" in listed.problems[0]


def test_a_grid_without_nodes_says_what_to_look_at(grid: SmallGrid, farm: GridFarm) -> None:
    grid.nodes = []
    assert farm.list_devices().devices == ()
    assert "the Grid has no nodes (Selenium Grid not ready.)" in farm.list_devices().problems[0]
    with pytest.raises(FarmAnswerError, match="has no device: the Grid has no nodes"):
        farm.check()


def test_check_says_what_is_there(farm: GridFarm) -> None:
    assert farm.check().endswith(": Selenium Grid 4.48.0, 2 nodes, 8 devices")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!DOCTYPE html><html></html>", "answered no JSON"),
        (b'{"value": {"ready": true, "message": "The server is ready to accept new connections"}}', "Appium server"),
        (b'{"value": null}', "no Selenium Grid 4"),
        (b'["value"]', "no Selenium Grid 4"),
        (b'{"value": {"ready": "perhaps"}}', "no Selenium Grid 4"),
        (b'{"value": {"ready": tr', "answered no JSON"),
    ],
    ids=["web page", "Appium", "null", "list", "wrong type", "half"],
)
def test_what_is_no_grid_is_said_to_be_none(body: bytes, words: str) -> None:
    with (
        answering(Answer(body=body)) as server,
        open_farm(server.url) as farm,
        pytest.raises(FarmAnswerError, match=words),
    ):
        farm.list_devices()


def test_nobody_at_the_address_is_said_so() -> None:
    with answering() as server:
        url = server.url
    with open_farm(url) as farm, pytest.raises(FarmUnreachable):
        farm.list_devices()


def test_refused_credentials_name_their_variables() -> None:
    with answering(Answer(401, b"")) as server, open_farm(server.url, username="lab", password=PASSWORD) as farm:
        with pytest.raises(FarmAuthenticationError, match="DEVICEFARM_GRID_PASSWORD") as caught:
            farm.list_devices()
        assert PASSWORD not in str(caught.value)
        assert server.asked[0].headers["Authorization"].startswith("Basic ")


def test_a_user_name_without_password_says_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="password"):
        open_farm("http://127.0.0.1:4444", username="lab")


@pytest.mark.parametrize("end", ["", "/", "/wd/hub", "/wd/hub/"])
def test_the_address_may_be_that_of_the_hub_for_clients(end: str) -> None:
    with open_farm(f"http://127.0.0.1:4444{end}") as farm:
        assert farm.hub.url == "http://127.0.0.1:4444"
