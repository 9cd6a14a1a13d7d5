from __future__ import annotations

import pytest
from support.testgrid import IPHONE, PIXEL, S22, SimulatedTestGrid


def test_devices_come_by_platform_as_seen(farm: SimulatedTestGrid) -> None:
    kinds = farm.call("/api/get-user-devices")["devices"]
    assert [d["device_name"] for d in kinds["android"]] == ["Galaxy S22", "Pixel 8"]
    assert [d["device_name"] for d in kinds["ios"]] == ["iPhone 15", "Offline"]
    assert kinds["ios"][0]["platform_name"] == "iOS"


def test_devices_are_a_list_as_documented_with_one_name_twice(documented: SimulatedTestGrid) -> None:
    answer = documented.send("/api/get-user-devices")
    first = answer.json()["data"][0]
    assert "platform_name" not in first
    assert first["mobile_number"] == "Android"
    assert answer.text.count('"mobile_number":""') == len(answer.json()["data"])


def test_flags_in_lists_are_text(farm: SimulatedTestGrid) -> None:
    farm.session(S22)
    row = farm.call("/api/get-user-devices")["devices"]["android"][0]
    assert (row["is_run_local_execution"], row["is_connected"], row["is_reserved"]) == ("1", "1", "0")


@pytest.mark.parametrize(("device_id", "place"), [(S22, "/appium_38001/wd/hub"), (IPHONE, "/appium_36003/wd/hub")])
def test_the_port_in_the_address_follows_the_port_of_the_device(
    farm: SimulatedTestGrid, device_id: str, place: str
) -> None:
    data = farm.call("/devicecloud/api/GetAppiumCapabilities", device_id=device_id)["data"]
    assert data["appiumURL"] == farm.url + place


def test_one_device_has_other_spellings(farm: SimulatedTestGrid) -> None:
    said = farm.call("/devicecloud/api/GetAppiumCapabilities", udid="iphone")
    assert (said["status"], said["msg"]) == (1, "Device details.")
    data = said["data"]
    assert (data["platformName"], data["deviceName"], data["wdaLocalPort"]) == ("iOS", "iPhone 15", "3003")
    assert data["is_connected"] == 1


@pytest.mark.parametrize("udid", ["unheard of", "hidden"])
def test_an_unknown_device_is_refused(farm: SimulatedTestGrid, udid: str) -> None:
    assert farm.refused("/devicecloud/api/GetAppiumCapabilities", udid=udid) == "Device not found."


def test_devices_are_found_by_version(farm: SimulatedTestGrid, documented: SimulatedTestGrid) -> None:
    found = farm.call("/api/get-devices-info", platform_version="13")["devices"]
    assert [d["device_id"] for d in found] == [1001]
    alone = documented.call("/api/get-devices-info", platform_version="13")["devices"]
    assert (alone["device_name"], alone["device_status"]) == ("Galaxy S22", "Available")


def test_a_free_device_is_named_but_not_kept(farm: SimulatedTestGrid) -> None:
    first, second = (farm.call("/api/cap-builder", device_type="android", project_name="p")["data"] for _ in range(2))
    assert first == second
    assert (first["udid"], first["system_port"], first["user_token"]) == ("s22", "4001", farm.token)
    assert first["appium_url"] == farm.url + farm.hub(S22)


def test_a_device_in_use_is_not_named(farm: SimulatedTestGrid) -> None:
    farm.session(S22)
    assert farm.call("/api/cap-builder", device_type="android")["data"]["device_id"] == PIXEL
    farm.session(PIXEL)
    assert farm.refused("/api/cap-builder", device_type="android") == "No device is available."


def test_a_device_cleans_and_then_prepares_itself_after_a_session(farm: SimulatedTestGrid) -> None:
    session = farm.session(S22)
    assert farm.flags(S22) == {"is_run_local_execution": 1}
    farm.quit(session)
    assert farm.flags(S22) == {"is_cleaning": 1}
    farm.world.clock.advance(farm.world.delays.cleaning)
    assert farm.flags(S22) == {"is_preparing": 1}
    assert "in use" in farm.create(S22).text
    farm.world.clock.advance(farm.world.delays.preparing)
    assert farm.flags(S22) == {}
    farm.session(S22)


def test_releasing_a_device_ends_the_session_on_it(farm: SimulatedTestGrid) -> None:
    session = farm.session(S22)
    farm.call(f"/api/user/releasedevice/{S22}/")
    assert farm.drive("GET", session, "/source").status_code == 404
    assert farm.world.facts()["open_sessions"] == []


def test_what_others_use_is_not_released(farm: SimulatedTestGrid) -> None:
    farm.other().session(S22)
    assert "another user" in farm.refused(f"/api/user/releasedevice/{S22}/")
    assert len(farm.world.facts()["open_sessions"]) == 1


def test_a_device_that_restarts_comes_back(farm: SimulatedTestGrid) -> None:
    farm.call("/devicecloud/api/restartDevice", device_id=S22)
    data = farm.call("/devicecloud/api/GetAppiumCapabilities", device_id=S22)["data"]
    assert (data["is_rebooting"], data["is_connected"]) == (1, 0)
    farm.world.clock.advance(farm.world.delays.rebooting)
    assert farm.flags(S22) == {}


def test_a_device_that_is_cleaned_loses_its_apps(farm: SimulatedTestGrid) -> None:
    farm.install(farm.upload())
    assert len(farm.installed()) == 2
    farm.call(f"/api/user/clean-device/{S22}")
    assert farm.installed() == ["Appium Settings"]
    assert farm.flags(S22) == {"is_cleaning": 1}


def test_a_port_is_freed(farm: SimulatedTestGrid) -> None:
    assert farm.call(f"/api/free-system-port/{S22}")["message"] == "System port free successfully."
