"""Android devices that adb sees."""

from __future__ import annotations

import sys

import pytest
from farms.local.adb_server import PIXEL, AdbServer, an_adb_server
from farms.local.conftest import OpenPool
from support.pool import AppServer, pool_toml

from pytest_devicefarm.core.errors import ConfigurationError, FarmUnreachable
from pytest_devicefarm.core.model import DeviceState

pytest.importorskip("adbutils")


def attach(monkeypatch: pytest.MonkeyPatch, server: AdbServer) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server.server_address[1]))


def a_file(url: str, *, adb: str = "adb = true") -> str:
    listed = {"udid": "listed", "name": "Mine", "platform": "android", "version": "12"}
    return pool_toml([{"name": "lab", "url": url}], [listed]).replace("adb = false", adb)


def test_devices_of_adb_come_behind_those_of_the_file(
    open_pool: OpenPool, lab: tuple[AppServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_adb_server({"emulator-5554": "device", "listed": "device"}, {"emulator-5554": PIXEL}) as server:
        attach(monkeypatch, server)
        listed, found = open_pool(a_file(lab[1])).list_devices().devices
    assert (listed.name, listed.version) == ("Mine", "12")
    assert (found.name, found.version, found.manufacturer, found.real) == ("Pixel 8", "14", "Google", False)
    assert found.details["server"] == "lab"


def test_properties_are_asked_once(
    open_pool: OpenPool, lab: tuple[AppServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_adb_server({"a": "device"}, {"a": PIXEL}) as server:
        attach(monkeypatch, server)
        farm = open_pool(a_file(lab[1]))
        farm.list_devices()
        farm.list_devices()
        assert sum("getprop" in command for command in server.asked) == 1


def test_an_unauthorized_device_is_offline_with_advice(
    open_pool: OpenPool, lab: tuple[AppServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_adb_server({"listed": "device"}) as server:
        attach(monkeypatch, server)
        farm = open_pool(a_file(lab[1]))
        (device,) = farm.list_devices().devices
        assert device.state is DeviceState.FREE
        server.devices["listed"] = "unauthorized"
        assert farm.device_states([device])["listed"] == (
            DeviceState.OFFLINE,
            "adb: unauthorized; confirm the key of this computer on its screen",
        )
        del server.devices["listed"]
        assert farm.device_states([device])["listed"] == (
            DeviceState.OFFLINE,
            "adb does not see it; is it plugged in?",
        )


def test_without_an_adb_server_none_is_started_and_the_file_counts(
    open_pool: OpenPool, lab: tuple[AppServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    listed = open_pool(a_file(lab[1], adb="")).list_devices()
    assert [device.udid for device in listed.devices] == ["listed"]
    assert listed.problems == ()


def test_a_missing_adbutils_is_a_note_unless_adb_is_demanded(
    open_pool: OpenPool, lab: tuple[AppServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "adbutils", None)
    listed = open_pool(a_file(lab[1], adb="")).list_devices()
    assert [device.udid for device in listed.devices] == ["listed"]
    assert "adbutils is not installed" in listed.problems[0]
    with pytest.raises(ConfigurationError, match=r"pip install 'pytest-devicefarm\[local\]'"):
        open_pool(a_file(lab[1])).list_devices()


def test_an_answer_that_makes_no_sense_is_one_clear_error(
    open_pool: OpenPool, lab: tuple[AppServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Something else listens where adb should: here the Appium server.
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", lab[1].rpartition(":")[2])
    with pytest.raises(FarmUnreachable, match=r"adb cannot be asked for its devices: .* see what `adb devices` says"):
        open_pool(a_file(lab[1])).list_devices()
    listed = open_pool(a_file(lab[1], adb="")).list_devices()
    assert [device.udid for device in listed.devices] == ["listed"]
    assert "adb cannot be asked" in listed.problems[0]
