"""What a run makes of a driver or a whole Appium server that dies in the middle of a test."""

from __future__ import annotations

from pathlib import Path

from real.appium_farm import FEW_ARTIFACTS, LOGIN_APP, PHONE, a_real_farm, sessions
from real.appium_server import Appium, AppiumServer, running_appium
from support.processes import eventually
from support.runs import a_run, a_suite, leftovers

PATIENT = """
    def test_that_looks_again(appium_driver):
        for _ in range(6):
            appium_driver.find_element("id", "login")
"""

DIES_AT_FIRST = """
from pathlib import Path

def pytest_devicefarm_capabilities():
    if (asked := Path("asked")).exists():
        return {}
    asked.touch()
    return {"appium:farmDieAfter": 4}
"""

EXITS = """
def pytest_devicefarm_capabilities():
    return {"appium:farmExitAfter": 4}
"""

KILLS_AT_FIRST = """
    import os, signal, time
    from pathlib import Path
    from urllib.request import urlopen

    import pytest

    @pytest.fixture
    def appium_answers():
        deadline = time.monotonic() + 60
        while True:
            try:
                return urlopen(os.environ["APPIUM"] + "/status", timeout=5).close()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def test_in_which_the_server_dies_once(appium_answers, appium_driver):
        button = appium_driver.find_element("id", "login")
        if not (killed := Path("killed")).exists():
            killed.touch()
            os.kill(int(os.environ["APPIUM_PID"]), signal.SIGKILL)
        button.click()
"""


def test_a_test_whose_driver_dies_is_repeated(appium_server: AppiumServer, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", PATIENT, LOGIN_APP)
    (folder / "conftest.py").write_text(DIES_AT_FIRST)
    with a_real_farm(folder, appium_server.url, PHONE) as farm:
        with a_run(folder, farm, *FEW_ARTIFACTS) as run:
            assert run.wait() == 0, run.output
            assert "the session ended before the test did" in run.output
        assert len(sessions(farm)) == 2
        assert sessions(farm)[-1][1] == "PASSED"
        assert farm.is_clean()
    assert leftovers(folder) == []


def test_a_server_that_ends_is_infrastructure_and_leaves_nothing_open(
    own_appium_server: AppiumServer, tmp_path: Path
) -> None:
    folder = a_suite(tmp_path / "suite", PATIENT, LOGIN_APP)
    (folder / "conftest.py").write_text(EXITS)
    with a_real_farm(folder, own_appium_server.url, PHONE) as farm:
        with a_run(folder, farm, *FEW_ARTIFACTS) as run:
            assert run.wait() == 75, run.output
            assert "502" in run.output
        assert own_appium_server.process.poll() == 1
        assert farm.is_clean()
    assert leftovers(folder) == []


def test_the_repeat_is_green_when_the_server_is_up_again(
    own_appium_server: AppiumServer, appium: Appium, tmp_path: Path
) -> None:
    folder = a_suite(tmp_path / "suite", KILLS_AT_FIRST, LOGIN_APP)
    process = own_appium_server.process
    with a_real_farm(folder, own_appium_server.url, PHONE) as farm:
        known = {"APPIUM": own_appium_server.url, "APPIUM_PID": str(process.pid)}
        with a_run(folder, farm, *FEW_ARTIFACTS, **known) as run:
            assert eventually(lambda: process.poll() is not None or run.ended(), 60), run.output
            with running_appium(appium, tmp_path / "second.log", own_appium_server.port):
                assert run.wait() == 0, run.output
        assert len(sessions(farm)) == 2
        assert sessions(farm)[-1][1] == "PASSED"
        assert farm.is_clean()
    assert leftovers(folder) == []
