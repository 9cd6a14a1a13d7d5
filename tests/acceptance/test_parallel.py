"""Real xdist workers on simulated phones: the farm's own record tells whether promises were kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.runs import TWO_PHONES, a_farm, a_run, a_suite

ROOT = Path(__file__).parents[2]

SEVERAL = """
    import pytest

    @pytest.mark.parametrize("number", range(12))
    def test_one(appium_driver, leased_device, number):
        appium_driver.find_element("id", "quick").click()

    @pytest.mark.device(role="left")
    @pytest.mark.device(role="right")
    @pytest.mark.parametrize("number", range(3))
    def test_two(appium_drivers, leased_devices, number):
        assert leased_devices["left"] != leased_devices["right"]
"""


@pytest.mark.parametrize("dialect", ["seen", "documented"])
def test_the_example_suite_on_four_workers_and_two_phones(tmp_path: Path, dialect: str) -> None:
    with a_farm(tmp_path, (ROOT / "example_suite" / "two_phones.toml").read_text(), "--dialect", dialect) as farm:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", str(ROOT / "example_suite"), "-n", "4", "-p", "no:cacheprovider"],
            env={
                **os.environ,
                **farm.environment,
                "DEVICEFARM_FARM": "kobiton",
                "DEVICEFARM_STATE": str(tmp_path / "state"),
                "DEVICEFARM_OUTPUT": str(tmp_path / "results"),
            },
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        record = farm.record()
    assert run.returncode == 0, run.stdout
    assert record["overlaps"] == []
    assert list(record["uploads"].values()) == [1]
    assert record["violations"] == []
    assert record["open_sessions"] == []
    assert record["open_reservations"] == []
    assert {session["state"] for session in record["sessions"]} == {"PASSED"}


def test_more_workers_than_devices_and_tests_of_two_devices_come_through(tmp_path: Path) -> None:
    folder = a_suite(tmp_path, SEVERAL)
    with a_farm(folder, TWO_PHONES) as farm, a_run(folder, farm, "-n", "4") as run:
        assert run.wait() == 0, run.output
        assert farm.is_clean(), farm.record()
        assert len(farm.record()["sessions"]) == 12 + 2 * 3


def test_two_runs_at_once_share_one_device_without_meeting_on_it(tmp_path: Path) -> None:
    folder = a_suite(tmp_path, SEVERAL)
    with a_farm(folder, TWO_PHONES) as farm:
        one_device = ("-k", "test_one", "--farm-device", "udid=phone-a")
        with a_run(folder, farm, *one_device) as first, a_run(folder, farm, *one_device) as second:
            assert first.wait() == 0, first.output
            assert second.wait() == 0, second.output
        assert farm.is_clean(), farm.record()
        assert list(farm.record()["uploads"].values()) == [1]


def test_a_built_in_simulator_ends_with_its_run(tmp_path: Path) -> None:
    folder = a_suite(tmp_path, SEVERAL)
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", "-k", "test_one",
            "--farm", "kobiton", "--farm-simulate", "--farm-device", "platform=android",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert "0 overlapping" in run.stdout
    assert "0 sessions and 0 reservations open" in run.stdout
    home = Path(os.environ["HOME"])
    assert not [path for path in home.rglob("*") if path.is_file() and "simulated" in path.parts]


def test_each_try_leaves_a_folder_with_what_happened(tmp_path: Path) -> None:
    folder = a_suite(
        tmp_path,
        """
        def test_that_fails(appium_driver):
            appium_driver.find_element("id", "quick").click()
            assert appium_driver.title == "something else"
        """,
    )
    with a_farm(folder, TWO_PHONES) as farm, a_run(folder, farm, "-n", "2") as run:
        assert run.wait() == 1, run.output
    (facts,) = (folder / "farm-results" / "latest").glob("*/session.json")
    told = json.loads(facts.read_text())
    assert told["outcome"] == "failed"
    files = {artifact["kind"]: artifact["file"] for artifact in told["artifacts"]}
    for kind in ("device-log", "appium-log", "video", "network-log", "screenshot", "page-source", "commands"):
        assert (facts.parent / files[kind]).stat().st_size > 0, kind
