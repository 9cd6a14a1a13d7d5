from __future__ import annotations

import socket

import pytest
import requests
from support.testgrid import S22, SimulatedTestGrid, a_testgrid

from pytest_devicefarm.simulator.faults import FaultError


def test_a_status_comes_in_the_envelope_of_the_operation(farm: SimulatedTestGrid) -> None:
    farm.fails("getUserDevices", status=503, reason="maintenance", retry_after=3)
    answer = farm.send("/api/get-user-devices")
    assert (answer.status_code, answer.json()) == (503, {"success": 0, "message": "maintenance"})
    assert answer.headers["Retry-After"] == "3"
    assert farm.send("/api/get-user-devices").status_code == 200


def test_each_family_says_no_in_its_own_words(either: SimulatedTestGrid) -> None:
    no = False if either.wire.documented else 0
    for path, operation, words in (
        ("/api/app-upload", "uploadAppDirect", {"status": no, "message": "no"}),
        ("/ci/networklog", "getNetworkLog", {"status": 0, "msg": "no"}),
        ("/api/user/list", "listUsers", {"success": no, "message": "no"}),
    ):
        either.fails(operation, status=500, reason="no")
        assert either.send(path).json() == words


def test_the_webs_own_pages_can_come(farm: SimulatedTestGrid) -> None:
    farm.fails("getUserDevices", status=200, html="<html>maintenance</html>")
    assert farm.send("/api/get-user-devices").text == "<html>maintenance</html>"


def test_answers_can_be_lost_although_the_work_is_done(farm: SimulatedTestGrid) -> None:
    farm.fails("reserveDevice", "lost_reply")
    with pytest.raises(requests.ConnectionError):
        farm.book(S22)
    assert len(farm.world.facts()["open_reservations"]) == 1


def test_types_can_be_confused(farm: SimulatedTestGrid) -> None:
    farm.fails("getAppiumCapabilities", "wrong_types")
    data = farm.send("/devicecloud/api/GetAppiumCapabilities", device_id=S22).json()["data"]
    assert data["is_connected"] == "no. 1"


def test_a_fault_for_an_operation_of_another_farm_is_an_error() -> None:
    with pytest.raises(FaultError, match="getDevices"), a_testgrid('[[fault]]\noperation = "getDevices"'):
        pass


def test_an_upload_that_breaks_off_stores_nothing(farm: SimulatedTestGrid) -> None:
    host, port = farm.url.removeprefix("http://").split(":")
    head = f"POST /api/app-upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n"
    kind = "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    part = '--x\r\nContent-Disposition: form-data; name="upload_file"; filename="a.apk"\r\n\r\nPK'
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall((head + kind + part).encode())
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)
    assert farm.world.facts()["uploads"] == {}
    assert farm.world.facts()["failures"] == []
