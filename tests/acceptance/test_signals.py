"""Whatever signal ends a run, and whatever it was doing: nothing stays booked, and the state folder is clean."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path

import pytest
from support.processes import eventually
from support.runs import TWO_PHONES, Run, SimulatedFarm, a_farm, a_run, a_suite, leftovers, until

BLOCKED = """
    import pytest

    @pytest.mark.parametrize("number", range(6))
    def test_that_blocks(appium_driver, number):
        appium_driver.find_element("id", "slow").click()
"""

ONE_DEVICE = """
    def test_that_wants_a_device(appium_driver):
        pass
"""

GENEROUS = 90.0  # how long a slow machine may take; how long it takes usually is measured in benchmarks/


def assert_all_given_back(run: Run, farm: SimulatedFarm, folder: Path) -> None:
    assert eventually(lambda: farm.open_things() == 0, GENEROUS), run.output
    assert eventually(lambda: run.ended() and not leftovers(folder), GENEROUS), (
        leftovers(folder),
        run.output,
        run.stacks(),
    )
    assert farm.is_clean(), farm.record()


def opened(farm: SimulatedFarm, number: int) -> bool:
    return sum(1 for session in farm.record()["sessions"] if session["webdriver_id"]) >= number


@pytest.mark.parametrize(
    ("workers", "number", "group"),
    [
        ("0", signal.SIGINT, True),
        ("0", signal.SIGTERM, False),
        ("2", signal.SIGINT, False),
        ("2", signal.SIGINT, True),
        ("2", signal.SIGTERM, False),
        ("2", signal.SIGTERM, True),
        ("4", signal.SIGINT, True),
        ("4", signal.SIGTERM, False),
    ],
)
def test_a_signal_during_a_blocked_test(tmp_path: Path, workers: str, number: signal.Signals, group: bool) -> None:
    folder = a_suite(tmp_path, BLOCKED)
    with a_farm(folder) as farm, a_run(folder, farm, "-n", workers) as run:
        assert eventually(lambda: opened(farm, 1 if workers == "0" else 2), GENEROUS), run.output
        run.signal(number, group=group)
        assert_all_given_back(run, farm, folder)
        assert run.wait() == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_second_interrupt_does_not_cut_the_first_one_short(tmp_path: Path, workers: str) -> None:
    folder = a_suite(tmp_path, BLOCKED)
    with a_farm(folder) as farm, a_run(folder, farm, "-n", workers) as run:
        assert eventually(lambda: opened(farm, 1), GENEROUS), run.output
        run.signal(signal.SIGINT, group=True)
        time.sleep(0.15)  # as fast as a person presses twice
        run.signal(signal.SIGINT, group=True)
        assert_all_given_back(run, farm, folder)
        assert run.wait() == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize(("workers", "number"), [("0", signal.SIGINT), ("2", signal.SIGTERM)])
@pytest.mark.parametrize(
    ("operation", "before"),
    [
        ("storage.put", "generateAppUploadUrl"),
        ("getApplicationVersion", "createApplicationOrVersion"),
        ("hub.create", "createReservation"),
    ],
)
def test_a_signal_while_the_farm_takes_its_time(
    tmp_path: Path, operation: str, before: str, workers: str, number: signal.Signals
) -> None:
    folder = a_suite(tmp_path, ONE_DEVICE)
    # In real time: what was asked for and not answered is looked up at the farm by when it was asked for, too.
    world = TWO_PHONES.replace("speed = 10", "speed = 1\n[delays]\nparsing = 0\nsession_create = 600")
    with a_farm(folder, world) as farm:
        if operation != "hub.create":
            farm.fault(operation=operation, effect="delay", seconds=600, count=-1)
        with a_run(folder, farm, "-n", workers, "--farm-device", "udid=phone-a") as run:
            assert eventually(lambda: farm.record()["requests"].get(before, 0) > 0, GENEROUS), run.output
            time.sleep(0.5)  # now the call that is not answered is under way
            run.signal(number)
            assert_all_given_back(run, farm, folder)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_signal_while_waiting_for_a_device(tmp_path: Path, workers: str) -> None:
    folder = a_suite(tmp_path, ONE_DEVICE)
    world = TWO_PHONES.replace('version = "13"', 'version = "13"\nbusy_until = 100000').replace(
        'version = "14"', 'version = "14"\nbusy_until = 100000'
    )
    with a_farm(folder, world) as farm, a_run(folder, farm, "-n", workers, "--farm-progress", "plain") as run:
        until(run, "waiting for a device")
        run.signal(signal.SIGINT)
        assert_all_given_back(run, farm, folder)
        assert run.wait() == pytest.ExitCode.INTERRUPTED


def test_an_ignored_interrupt_still_ends_the_run(tmp_path: Path) -> None:
    folder = a_suite(tmp_path, BLOCKED)
    with a_farm(folder) as farm, contextlib.ExitStack() as stack:
        former = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a script that starts the run with `&`
        try:
            run = stack.enter_context(a_run(folder, farm, "-n", "2"))
        finally:
            signal.signal(signal.SIGINT, former)
        assert eventually(lambda: opened(farm, 2), GENEROUS), run.output
        run.signal(signal.SIGINT)
        assert_all_given_back(run, farm, folder)
