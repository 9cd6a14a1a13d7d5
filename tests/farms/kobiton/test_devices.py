from __future__ import annotations

import json
from typing import Any

import pytest
from farms.kobiton.opening import open_farm, settings_for
from support.clocks import WorldClock
from support.web import Answer, answering

from pytest_devicefarm.core.errors import FarmAnswerError, FarmAuthenticationError
from pytest_devicefarm.core.farm import DeviceList
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.world import World


def listed(answer: Any) -> DeviceList:
    with answering(Answer(body=json.dumps(answer).encode())) as server, open_farm(server.url) as farm:
        return farm.list_devices()


def by_name(devices: DeviceList) -> dict[str, Device]:
    return {device.name: device for device in devices.devices}


def test_the_three_lists_become_one_without_duplicates(farm: KobitonFarm, dialect: str) -> None:
    names = sorted(device.name for device in farm.list_devices().devices)
    assert names == ["Galaxy S22", "Moto G", "Pixel 8", "iPhone 15"]


def test_a_private_device_can_be_reserved_and_a_cloud_device_cannot(farm: KobitonFarm) -> None:
    devices = by_name(farm.list_devices())
    assert devices["Galaxy S22"].reservable
    assert devices["Galaxy S22"].group == "private"
    assert not devices["Pixel 8"].reservable
    assert devices["Pixel 8"].group == "cloud"


def test_the_platform_is_lower_case_however_the_farm_spells_it(farm: KobitonFarm) -> None:
    devices = by_name(farm.list_devices())
    assert {devices["Galaxy S22"].platform, devices["iPhone 15"].platform} == {"android", "ios"}


def test_a_device_that_is_not_online_says_so(farm: KobitonFarm) -> None:
    moto = by_name(farm.list_devices())["Moto G"]
    assert moto.state is DeviceState.OFFLINE
    assert moto.note in ("DISCONNECTED", "not online")


def test_a_device_that_somebody_uses_is_busy(farm: KobitonFarm, world: World) -> None:
    world.devices[0].busy_until = world.clock.now() + 60
    galaxy = by_name(farm.list_devices())["Galaxy S22"]
    assert galaxy.state is DeviceState.BUSY
    assert galaxy.note in ("UTILIZING", "booked")


def test_a_device_with_appium_switched_off_is_left_out() -> None:
    devices = listed({"privateDevices": [{"id": 1, "udid": "A", "support": {"appiumDisabled": True}}]})
    assert devices.devices == ()


def test_what_one_list_lacks_is_taken_from_another() -> None:
    devices = listed(
        {
            "favoriteDevices": [{"id": 7, "deviceName": "LG K8", "isOnline": True}],
            "cloudDevices": [{"id": "7", "udid": "LGK8", "platformName": "ANDROID", "isCloud": True}],
        }
    )
    assert [(one.udid, one.name, one.platform, one.state) for one in devices.devices] == [
        ("LGK8", "LG K8", "android", DeviceState.FREE)
    ]


def test_a_device_without_udid_goes_by_its_id() -> None:
    assert listed({"cloudDevices": [{"id": 7, "isOnline": True}]}).devices[0].udid == "7"


def test_one_unreadable_device_is_a_note_and_not_the_end() -> None:
    devices = listed({"privateDevices": ["?", {"deviceName": "no id"}, {"id": 3, "udid": "C", "isOnline": True}]})
    assert [device.udid for device in devices.devices] == ["C"]
    assert len(devices.problems) == 2
    assert "privateDevices[0]" in devices.problems[0]


def test_fields_of_another_type_than_documented_count_as_missing() -> None:
    devices = listed(
        {"privateDevices": [{"id": 3, "udid": "C", "isOnline": True, "isBooked": {}, "tags": 5, "platformVersion": 13}]}
    )
    assert (devices.devices[0].version, devices.devices[0].state) == ("13", DeviceState.FREE)
    assert devices.problems == ()


def test_the_reference_sample_is_understood() -> None:
    sample = {
        "id": 17469, "isBooked": False, "isOnline": False, "modelName": "LG-K350", "deviceName": "LG K8",
        "resolution": {"width": 720, "height": 1280}, "platformName": "ANDROID", "platformVersion": "6.0",
        "installedBrowsers": [{"name": "chrome", "version": "55.0.2883.91"}], "deviceImageUrl": "",
        "isFavorite": True, "isCloud": True, "isMyOrg": False, "isMyOwn": False,
    }  # fmt: skip
    devices = listed(
        {"privateDevices": [{**sample, "udid": "LGK350YPR4H"}], "favoriteDevices": [sample], "cloudDevices": [sample]}
    )
    assert [device.udid for device in devices.devices] == ["LGK350YPR4H"]


@pytest.mark.parametrize("answer", [[], "devices", 5, None])
def test_an_answer_that_is_no_list_of_devices_is_said_to_be_so(answer: object) -> None:
    with pytest.raises(FarmAnswerError, match=r"DeviceLists|JSON"):
        listed(answer)


def test_a_wrong_key_is_said_to_be_the_users_to_mend(url: str, world: World, clock: WorldClock) -> None:
    settings = settings_for(url, key="wrong-key-canary")
    with KobitonFarm(settings, clock=clock) as farm, pytest.raises(FarmAuthenticationError) as caught:
        farm.check()
    assert "wrong-key-canary" not in str(caught.value)


def test_the_check_works_on_a_server_that_does_not_tell_who_we_are(farm: KobitonFarm, world: World) -> None:
    world.faults.add(Fault("getCurrentUser", "status", status=404))
    assert "ann sees 4 devices" in farm.check()


def test_the_check_says_who_we_are(farm: KobitonFarm) -> None:
    assert "signed in as ann" in farm.check()


@pytest.mark.parametrize("effect", [{"html": "<html>Sign in</html>"}, {"text": "OK"}])
def test_a_web_page_in_place_of_devices_says_which_call_gave_it(
    farm: KobitonFarm, world: World, effect: dict[str, Any]
) -> None:
    world.faults.add(Fault("getDevices", "status", status=200, **effect))
    with pytest.raises(FarmAnswerError, match="GET /devices answered no JSON"):
        farm.list_devices()


def test_a_list_that_is_none_is_a_note() -> None:
    devices = listed({"privateDevices": 5, "cloudDevices": [{"id": 1}]})
    assert [device.id for device in devices.devices] == ["1"]
    assert len(devices.problems) == 1


def test_devices_in_which_every_type_is_wrong_are_still_listed_by_id(farm: KobitonFarm, world: World) -> None:
    world.faults.add(Fault("getDevices", "wrong_types"))
    devices = farm.list_devices().devices
    assert devices
    assert {device.state for device in devices} == {DeviceState.OFFLINE}
