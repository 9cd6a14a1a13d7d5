from __future__ import annotations

from typing import Any

import pytest
from farms.testgrid.opening import LIST, a_device, a_server, open_farm, says

from pytest_devicefarm.core.farm import DeviceList
from pytest_devicefarm.core.model import Device, DeviceState


def listed(*devices: Any, **values: Any) -> DeviceList:
    with a_server({LIST: says(data=list(devices))}) as server, open_farm(server.url, **values) as farm:
        return farm.list_devices()


def only(**members: Any) -> Device:
    (device,) = listed(a_device(**members)).devices
    return device


def test_a_device_in_our_words() -> None:
    device = only()
    assert (device.id, device.udid, device.platform, device.version) == ("3", "U-3", "android", "14")
    assert (device.name, device.manufacturer, device.tags) == ("Galaxy S21", "Samsung", ("lab", "fast"))
    assert (device.real, device.reservable, device.state) == (True, True, DeviceState.FREE)


@pytest.mark.parametrize(
    ("members", "platform"),
    [
        ({"platform_name": "iOS"}, "ios"),
        ({"platform_name": "", "device_type": "1"}, "ios"),
        ({"platform_name": None, "device_type": 2}, "android"),
        ({"platform_name": "", "device_type": "", "automation_name": "XCUITest"}, "ios"),
        ({"platform_name": "", "device_type": "", "automation_name": "", "mobile_number": "iOS"}, "ios"),
        ({"platform_name": "Tizen", "device_type": "", "automation_name": ""}, "tizen"),
    ],
)
def test_the_platform_is_found_wherever_it_is_told(members: dict[str, Any], platform: str) -> None:
    assert only(**members).platform == platform


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("is_run_local_execution", "runs an Appium script"),
        ("is_run_device_cloud", "used by a person"),
        ("is_run_build", "runs a scriptless test"),
        ("is_cleaning", "cleaning itself"),
        ("is_preparing", "preparing itself"),
        ("is_rebooting", "rebooting"),
    ],
)
@pytest.mark.parametrize("value", ["1", 1, True])
def test_a_flag_makes_busy_and_says_why(flag: str, words: str, value: object) -> None:
    device = only(**{flag: value})
    assert (device.state, device.note) == (DeviceState.BUSY, words)


@pytest.mark.parametrize("flag", ["is_unauthorised", "is_device_offline"])
def test_what_needs_hands_is_offline(flag: str) -> None:
    device = only(**{flag: "1"})
    assert device.state is DeviceState.OFFLINE
    assert "needs hands" in device.note


def test_a_device_that_is_not_connected_is_offline() -> None:
    assert only(is_connected="0").state is DeviceState.OFFLINE


def test_a_reserved_device_names_its_holder() -> None:
    assert only(is_reserved="1", reserved_device_user_email="bob@x.test").note == "reserved by bob@x.test"


def test_flags_of_another_type_do_not_trouble() -> None:
    assert only(is_cleaning=["x"], is_connected={"a": 1}, is_run_build=None).state is DeviceState.FREE


def test_browsers_are_no_devices() -> None:
    assert listed(a_device(device_type="3", platform_name="")).devices == ()


def test_two_devices_with_one_udid_are_one_and_a_note() -> None:
    found = listed(a_device(), a_device(device_id="4"))
    assert [device.id for device in found.devices] == ["3"]
    assert "both have the UDID U-3" in found.problems[0]


def test_a_device_without_udid_goes_by_its_id() -> None:
    assert only(UDID="").udid == "3"


@pytest.mark.parametrize("address", ["", "{URL}", "ftp://x", "https://user:pass@x.test/wd/hub"])
def test_a_device_without_a_usable_appium_address_cannot_be_had(address: str) -> None:
    assert only(appium_url=address).state is DeviceState.OFFLINE


def test_the_common_hub_needs_no_address_of_a_device() -> None:
    (device,) = listed(a_device(appium_url=""), hub="quantum").devices
    assert device.state is DeviceState.FREE


def test_sessions_go_to_the_address_that_was_given() -> None:
    farm = open_farm("https://x.test")
    assert farm.hub_of(only()).url == "https://example.test/appium_38106/wd/hub"


def test_sessions_go_to_the_common_hub_on_demand() -> None:
    farm = open_farm("https://x.test/", hub="quantum")
    assert farm.hub_of(only()).url == "https://x.test/quantumgrid/wd/hub"


def test_the_address_of_the_common_hub_can_be_given() -> None:
    farm = open_farm("https://x.test", hub="quantum", hub_url="https://hub.test/wd/hub")
    assert farm.hub_of(only()).url == "https://hub.test/wd/hub"


def test_a_device_is_plain_text_whatever_it_is_called() -> None:
    device = only(device_name="a://b?c", platform_version="d://e", manufactured_by="f://g")
    texts = (device.name, device.version, device.manufacturer, *device.details.values())
    assert {type(text) for text in texts} == {str}
