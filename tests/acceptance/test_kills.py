"""What is killed cannot tidy up: others do it, and touch nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from support.processes import eventually
from support.runs import (
    TWO_PHONES,
    Run,
    SimulatedFarm,
    a_farm,
    a_run,
    a_suite,
    children,
    command_line,
    guardian_of,
    leftovers,
)

BLOCKED = """
    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_that_blocks(appium_driver, number):
        appium_driver.find_element("id", "slow").click()
"""

QUICK = """
    def test_that_is_quick(appium_driver):
        appium_driver.find_element("id", "quick").click()
"""

GENEROUS = 90.0


def opened(farm: SimulatedFarm, number: int) -> bool:
    return sum(1 for session in farm.record()["sessions"] if session["webdriver_id"]) >= number


def workers_of(run: Run) -> list[int]:
    return [pid for pid in children(run.pid) if "sys.stdin.readline" in command_line(pid)]


def session_of_somebody_else(farm: SimulatedFarm) -> str:
    """A session and a reservation of the same account that no journal of ours knows."""
    auth = (farm.environment["KOBITON_USERNAME"], farm.environment["KOBITON_API_KEY"])
    requests.post(f"{farm.url}/v1/reservations", json={"udids": ["phone-c"], "duration": 3000}, auth=auth, timeout=10)
    capabilities = {"platformName": "Android", "appium:udid": "phone-c", "appium:newCommandTimeout": 1800}
    body = {"capabilities": {"alwaysMatch": capabilities, "firstMatch": [{}]}}
    answer = requests.post(f"{farm.url}/wd/hub/session", json=body, auth=auth, timeout=10)
    return str(answer.json()["value"]["sessionId"])


THREE_PHONES = (
    TWO_PHONES
    + """
[[device]]
name = "Pixel 9"
udid = "phone-c"
platform = "android"
version = "15"
"""
)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_guardian_ends_what_a_killed_run_had_open(tmp_path: Path, workers: str) -> None:
    folder = a_suite(tmp_path, BLOCKED)
    with a_farm(folder) as farm, a_run(folder, farm, "-n", workers) as run:
        assert eventually(lambda: opened(farm, 1 if workers == "0" else 2), GENEROUS), run.output
        run.signal(signal.SIGKILL, group=True)
        assert eventually(lambda: farm.open_things() == 0, GENEROUS)
        assert eventually(lambda: not leftovers(folder), GENEROUS), leftovers(folder)
        assert farm.is_clean()


def test_a_killed_worker_leaves_nothing_and_its_test_is_reported(tmp_path: Path) -> None:
    folder = a_suite(tmp_path, BLOCKED)
    with a_farm(folder) as farm, a_run(folder, farm, "-n", "2", "--max-worker-restart", "0") as run:
        assert eventually(lambda: opened(farm, 2), GENEROUS), run.output
        first, second = workers_of(run)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: len(farm.record()["open_sessions"]) == 1, GENEROUS), run.output
        assert len(farm.record()["open_reservations"]) == 1
        os.kill(second, signal.SIGKILL)
        run.wait()
        assert farm.is_clean(), farm.record()
        assert "crashed while running" in run.output
        assert not leftovers(folder)


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("afterwards", ["leases", "next run"])
def test_what_killed_run_and_guardian_left_is_ended_later(tmp_path: Path, workers: str, afterwards: str) -> None:
    folder = a_suite(tmp_path, BLOCKED)
    with a_farm(folder, THREE_PHONES) as farm:
        other = session_of_somebody_else(farm)
        with a_run(
            folder, farm, "-n", workers, "--farm-device", "udid=phone-a", "--farm-device", "udid=phone-b"
        ) as run:
            assert eventually(lambda: opened(farm, 2 if workers == "0" else 3), GENEROUS), run.output
            os.kill(guardian_of(run), signal.SIGKILL)
            run.signal(signal.SIGKILL, group=True)
            run.wait()
        assert len(farm.record()["open_sessions"]) >= 2

        if afterwards == "leases":
            printed = subprocess.run(
                [sys.executable, "-c", "from pytest_devicefarm.cli import main; main()", "leases"],
                env={
                    **os.environ,
                    **farm.environment,
                    "DEVICEFARM_FARM": "kobiton",
                    "DEVICEFARM_STATE": str(folder / "state"),
                },
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert printed.returncode == 0, printed
        else:
            a_suite(folder, QUICK)
            for phone in ("phone-a", "phone-b"):
                with a_run(folder, farm, "--farm-device", f"udid={phone}") as following:
                    assert following.wait() == 0, following.output

        record = farm.record()
        assert [session["webdriver_id"] for session in record["sessions"] if not session["ended"]] == [other]
        assert len(record["open_reservations"]) == 1
        assert not record["overlaps"]
        assert not leftovers(folder)


def test_a_run_that_lives_is_left_alone_by_others(tmp_path: Path) -> None:
    folder = a_suite(tmp_path, BLOCKED)
    with a_farm(folder) as farm, a_run(folder, farm, "--farm-device", "udid=phone-a") as run:
        assert eventually(lambda: opened(farm, 1), GENEROUS), run.output
        a_suite(folder, QUICK)
        with a_run(folder, farm, "--farm-device", "udid=phone-b") as other:
            assert other.wait() == 0, other.output
        record = farm.record()
        assert len(record["open_sessions"]) == 1
        assert len(record["open_reservations"]) == 1
        assert not run.ended()
