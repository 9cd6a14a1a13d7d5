"""A run that is stopped leaves nothing open, and soon."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from support.processes import eventually
from support.runs import a_farm, a_run, a_suite
from support.tables import Table

GOAL = 5.0
LONGEST = 60.0
PHONES = "[clock]\nspeed = 10\n" + "".join(
    f'[[device]]\nname = "Phone {number}"\nudid = "phone-{number}"\nplatform = "android"\nversion = "13"\n'
    for number in range(4)
)
SUITE = """
    import pytest
    from appium.webdriver.common.appiumby import AppiumBy

    @pytest.mark.parametrize("number", range(8))
    def test_blocked_in_a_command(appium_driver, number):
        appium_driver.find_element(AppiumBy.ACCESSIBILITY_ID, "slow").click()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the signals of POSIX")
def test_from_signal_to_nothing_open(tmp_path: Path, table: Table) -> None:
    """Time from a signal to the controller until nothing is open at the farm, every test blocked in a command"""
    for workers in (0, 2, 4):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            what = f"{number.name}, {f'-n {workers}' if workers else 'one process'}"
            taken = time_to_nothing(tmp_path / f"{number.name}-{workers}", number, workers)
            table.add(what, f"{taken:.1f} s" if taken < LONGEST else "never", f"<= {GOAL:.0f} s", taken <= GOAL)


def time_to_nothing(folder: Path, number: signal.Signals, workers: int) -> float:
    """Start a run, signal it when all of its tests are at work, and take the time."""
    a_suite(folder, SUITE)
    (folder / "farm").mkdir()
    with (
        a_farm(folder / "farm", PHONES) as farm,
        a_run(folder, farm, "-q", *(("-n", str(workers)) if workers else ())) as run,
    ):
        # Each test asks for an element, then taps it; the first of these two has been answered when it is counted.
        busy = eventually(lambda: farm.record()["requests"].get("hub.command", 0) >= max(1, workers), LONGEST)
        assert busy, run.output
        began = time.monotonic()
        run.signal(number)
        eventually(lambda: not farm.open_things(), LONGEST)
        taken = time.monotonic() - began
        assert not farm.record()["overlaps"]
    return taken
