"""A real Selenium Grid, its nodes in front of a real Appium server."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from real.appium_farm import FEW_ARTIFACTS, LOGIN_APP, artifact
from real.appium_server import AppiumServer
from real.grid import RunningGrid, SeleniumServer, install_grid, running_grid
from support.processes import eventually
from support.runs import Run, a_suite, leftovers
from support.web import Answer, answering

from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.farm import SessionHandle
from pytest_devicefarm.core.model import DeviceState
from pytest_devicefarm.core.settings import FarmSettings
from pytest_devicefarm.farms.grid import SPEC

LOGIN = """
    import pytest

    @pytest.mark.parametrize("number", range(8))
    def test_typing(appium_driver, leased_device, number):
        assert appium_driver.capabilities["udid"] == leased_device.udid
        field = appium_driver.find_element("id", "user")
        field.send_keys(str(number))
        assert field.text == str(number)
        print(f"on {leased_device.udid}.")
"""

KILLS_ITS_NODE_ONCE = """
    import json, os, signal, time, urllib.request
    from pathlib import Path

    def test_in_which_a_node_dies(appium_driver, leased_device):
        button = appium_driver.find_element("id", "login")
        if not (killed := Path("killed")).exists():
            killed.write_text(leased_device.udid)
            os.kill(json.loads(os.environ["NODES"])[leased_device.udid], signal.SIGKILL)
        button.click()
        assert leased_device.udid != killed.read_text()
"""

TWO_TWINS = """
    import pytest

    @pytest.mark.device(role="caller", platform="fake")
    @pytest.mark.device(role="callee", platform="fake")
    def test_two(appium_drivers):
        assert len({driver.session_id for driver in appium_drivers.values()}) == 2
        for driver in appium_drivers.values():
            driver.find_element("id", "login")
"""

NOTHING = "def test_nothing(appium_driver): appium_driver.find_element('id', 'login')"


def phone(number: int) -> dict[str, Any]:
    return {
        "platformName": "Android",
        "appium:automationName": "FarmFake",
        "appium:deviceName": f"Pixel {number}",
        "appium:platformVersion": str(10 + number),
        "appium:udid": f"phone-{number}",
        "devicefarm:tags": ["lab"],
    }


@pytest.fixture(scope="module")
def selenium() -> SeleniumServer:
    """Selenium Grid from npm, and a Java that runs it."""
    try:
        return install_grid()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Selenium Grid cannot be installed here: {error}")


@pytest.fixture(scope="module")
def grid(
    selenium: SeleniumServer, appium_server: AppiumServer, xml_app: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGrid]:
    """Two nodes, each with two phones and a slot that looks like that of the other node."""
    twin = {"platformName": "Fake", "appium:automationName": "Fake", "appium:deviceName": "Twin"}
    twin |= {"appium:app": str(xml_app)}
    nodes = [[phone(1), phone(2), twin], [phone(3), phone(4), twin]]
    with running_grid(selenium, tmp_path_factory.mktemp("grid"), appium_server.url, nodes) as grid:
        yield grid


def finished(folder: Path, grid: RunningGrid, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status and output of a run on the Grid."""
    known = {"DEVICEFARM_FARM": "grid", "DEVICEFARM_GRID_URL": grid.url, "DEVICEFARM_STATE": str(folder / "state")}
    run = Run(folder, {**known, **environment}, *arguments)
    try:
        return run.wait(), run.output
    finally:
        run.kill()


def a_session(grid: RunningGrid, capabilities: dict[str, Any], seconds: float = 20.0) -> str:
    """Opens a session as somebody else would; gives its id."""
    answer = requests.post(
        f"{grid.url}/session",
        data=json.dumps({"capabilities": {"alwaysMatch": capabilities}}),
        headers={"Content-Type": "application/json; charset=utf-8"},
        timeout=(5.0, seconds),
    )
    return str(answer.json()["value"]["sessionId"])


def test_four_workers_share_two_nodes(grid: RunningGrid, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", LOGIN, LOGIN_APP)
    status, output = finished(folder, grid, "-n", "4", "-rP", *FEW_ARTIFACTS)
    assert status == 0, output
    assert {f"phone-{number}" for number in range(1, 5) if f"on phone-{number}." in output} > {"phone-1"}, output
    assert eventually(lambda: grid.sessions() == [])
    assert leftovers(folder) == []


def test_slots_that_look_the_same_are_devices_of_their_own(grid: RunningGrid, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", TWO_TWINS, LOGIN_APP)
    (folder / "pytest.ini").write_text("[pytest]\n")
    status, output = finished(folder, grid, *FEW_ARTIFACTS)
    assert status == 0, output
    assert eventually(lambda: grid.sessions() == [])
    assert leftovers(folder) == []


def test_a_node_that_dies_is_infrastructure_and_the_test_moves_on(
    selenium: SeleniumServer, appium_server: AppiumServer, tmp_path: Path
) -> None:
    folder = a_suite(tmp_path / "suite", KILLS_ITS_NODE_ONCE, LOGIN_APP)
    with running_grid(selenium, tmp_path, appium_server.url, [[phone(1)], [phone(2)]]) as grid:
        nodes = {f"phone-{number}": process.pid for number, process in enumerate(grid.nodes, 1)}
        status, output = finished(folder, grid, *FEW_ARTIFACTS, NODES=json.dumps(nodes))
        assert status == 0, output
        assert "Unable to execute request for an existing session" in output
        assert eventually(lambda: grid.sessions() == [], 30), grid.status()
        assert [process.poll() is None for process in grid.nodes].count(True) == 1


def test_a_mark_that_nothing_fits_is_found_at_collection(grid: RunningGrid, tmp_path: Path) -> None:
    suite = "import pytest\n@pytest.mark.device(name='Pixel 3', version='>=20')\n" + NOTHING
    folder = a_suite(tmp_path / "suite", suite, LOGIN_APP)
    status, output = finished(folder, grid)
    assert status == 4, output
    assert "Pixel 3 (android 13, phone-3): version 13 is not >=20" in output


def test_capabilities_that_no_slot_takes_are_found_at_collection(grid: RunningGrid, tmp_path: Path) -> None:
    suite = "import pytest\n@pytest.mark.appium_capabilities({'appium:platformVersion': '99'})\n" + NOTHING
    folder = a_suite(tmp_path / "suite", suite, LOGIN_APP)
    status, output = finished(folder, grid, *FEW_ARTIFACTS)
    assert status == 4, output
    assert "appium:platformVersion is '99', and the slot's is '1" in output


def test_the_log_of_the_phone_is_kept_and_what_cannot_be_had_is_said(grid: RunningGrid, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", f"{NOTHING}\n    assert False", LOGIN_APP)
    (folder / "test_suite.py").write_text("def test_nothing(appium_driver):\n    assert False\n")
    status, output = finished(folder, grid)
    assert status == 1, output
    assert "INFO session" in artifact(folder, "nothing", "device.log")
    facts = artifact(folder, "nothing", "session.json")
    assert "the driver recorded nothing" in facts
    assert "--allow-insecure=*:get_server_logs" in facts


def test_a_build_by_address_is_fetched_by_the_node(grid: RunningGrid, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", NOTHING, LOGIN_APP)
    build = Answer(body=(folder / "slow.apk").read_bytes(), headers={"Content-Type": "application/octet-stream"})
    with answering(build) as web:
        status, output = finished(folder, grid, "--farm-app", f"{web.url}/shop.apk", *FEW_ARTIFACTS)
        assert status == 0, output
        assert {asked.target for asked in web.asked} == {"/shop.apk"}


def test_a_build_that_the_node_has_not_is_no_reason_to_try_again(grid: RunningGrid, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", NOTHING, LOGIN_APP)
    status, output = finished(folder, grid, "--farm-app", "node:/nowhere/shop.apk", *FEW_ARTIFACTS)
    assert status == 75, output
    assert "'/nowhere/shop.apk' does not exist or is not accessible" in output
    assert "trying another device" not in output


def test_a_session_whose_answer_was_lost_is_found_by_its_token(grid: RunningGrid) -> None:
    a_session(grid, {**phone(1), "se:name": "test_login df-0123"})
    with SPEC.open(FarmSettings("grid", {"url": grid.url}), clock=SystemClock()) as farm:
        assert farm.end_session(SessionHandle("df-0123", "phone-1", 0.0))
        # The Grid lists a session for a moment after its end.
        assert eventually(lambda: not farm.end_session(SessionHandle("df-0123", "phone-1", 0.0)))
    assert eventually(lambda: grid.sessions() == [])


def test_who_waits_for_a_phone_is_told(grid: RunningGrid) -> None:
    held = a_session(grid, {**phone(1), "se:name": "somebody's test"})
    waiting = threading.Thread(target=lambda: a_session(grid, phone(1)))
    waiting.start()
    with SPEC.open(FarmSettings("grid", {"url": grid.url}), clock=SystemClock()) as farm:
        try:

            def note() -> str:
                (device,) = (device for device in farm.list_devices().devices if device.udid == "phone-1")
                assert device.state is DeviceState.BUSY
                return device.note

            assert eventually(lambda: "1 in the Grid's queue" in note()), note()
            assert ": somebody's test" in note()
        finally:
            assert farm.end_session(SessionHandle("", "phone-1", 0.0, webdriver_id=held))
            waiting.join()
            for session in [slot["session"] for node in grid.status() for slot in node["slots"] if slot["session"]]:
                farm.end_session(SessionHandle("", "phone-1", 0.0, webdriver_id=session["sessionId"]))
    assert eventually(lambda: grid.sessions() == [])
