"""Ports of drivers: no two devices ever look at the same one."""

from __future__ import annotations

import socket

import pytest

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.farms.local.ports import RANGES, allot, is_free


def test_each_device_has_ports_of_its_own() -> None:
    allotted = [
        allot("android", place=place, places=30, taken=(), on_this_machine=False)["appium:systemPort"]
        for place in range(30)
    ]
    assert len(set(allotted)) == 30


def test_a_device_has_the_same_ports_each_time() -> None:
    first, second = (allot("ios", place=2, places=5, taken=(), on_this_machine=False) for _ in range(2))
    assert first == second
    assert set(first) == {"appium:wdaLocalPort", "appium:mjpegServerPort"}


def test_a_port_of_the_file_is_left_to_its_device() -> None:
    ports = allot("android", place=0, places=2, taken={8200}, on_this_machine=False)
    assert ports["appium:systemPort"] == 8202


def test_a_port_in_use_is_stepped_over_without_meeting_another_device() -> None:
    name = "appium:systemPort"
    places = len(RANGES[name]) // 2
    free = next(place for place in range(places) if all(is_free(port) for port in RANGES[name][place::places]))
    first, second = RANGES[name][free::places]
    with socket.create_server(("127.0.0.1", first)):
        assert allot("android", place=free, places=places, taken=(), on_this_machine=True)[name] == second
        assert allot("android", place=free, places=places, taken=(), on_this_machine=False)[name] == first


def test_a_device_without_a_port_left_is_told_so() -> None:
    taken = set(RANGES["appium:wdaLocalPort"])
    with pytest.raises(ConfigurationError, match=r"no port for appium:wdaLocalPort.*capabilities = "):
        allot("ios", place=0, places=1, taken=taken, on_this_machine=False)


def test_other_platforms_get_none() -> None:
    assert allot("windows", place=0, places=1, taken=(), on_this_machine=True) == {}
