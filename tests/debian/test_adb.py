"""Debian's adb between the local farm and a device."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian.adb_device import AdbDevice, an_adb_device
from farms.local.adb_server import PIXEL
from farms.local.conftest import OpenPool
from support.pool import AppServer, pool_toml
from support.processes import eventually

from pytest_devicefarm.core.model import DeviceState
from pytest_devicefarm.farms.local.farm import LocalFarm


@pytest.fixture
def phone(adb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdbDevice]:
    """A device that an adb server of the test's own is connected to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", port)
    # Below the first port that it would look for emulators at, so it sees nobody's.
    environment = {**os.environ, "ADB_LOCAL_TRANSPORT_MAX_PORT": "5554"}
    command = [adb, "-L", f"tcp:localhost:{port}", "server", "nodaemon"]
    with (tmp_path / "adb.log").open("wb") as log, an_adb_device(PIXEL) as device:
        server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            assert eventually(lambda: _listens(int(port)), 10), (tmp_path / "adb.log").read_text()
            connect = [adb, "-P", port, "connect", device.serial]
            told = subprocess.run(connect, capture_output=True, text=True, timeout=30, check=True).stdout
            assert told.startswith("connected to"), told
            yield device
        finally:
            server.kill()
            server.wait(10)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def a_farm(open_pool: OpenPool, lab: tuple[AppServer, str]) -> LocalFarm:
    """One server, and whatever adb sees."""
    return open_pool(pool_toml([{"name": "lab", "url": lab[1]}], []).replace("adb = false", "adb = true"))


def test_a_connected_device_is_listed_with_what_it_tells_of_itself(
    phone: AdbDevice, open_pool: OpenPool, lab: tuple[AppServer, str]
) -> None:
    (found,) = a_farm(open_pool, lab).list_devices().devices
    assert (found.udid, found.state) == (phone.serial, DeviceState.FREE)
    assert (found.model, found.version, found.manufacturer) == ("Pixel 8", "14", "Google")


def test_a_device_whose_plug_is_pulled_is_offline(
    phone: AdbDevice, open_pool: OpenPool, lab: tuple[AppServer, str]
) -> None:
    farm = a_farm(open_pool, lab)
    (found,) = farm.list_devices().devices
    phone.pull_the_plug()
    assert eventually(lambda: farm.device_states([found])[found.udid][0] is DeviceState.OFFLINE, 20)
    assert "adb" in farm.device_states([found])[found.udid][1]
