"""What a run as a whole does with flags of pytest's own."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time

import pytest
from plugin.suites import Suite, said

FAILING = """
def test_bad(appium_driver): assert 0
def test_worse(appium_driver): assert 0
def test_good(appium_driver): pass
"""


def is_clean(suite: Suite) -> bool:
    record = suite.farm.record()
    return not (record["open_sessions"] or record["open_reservations"] or suite.leftovers())


def test_a_failed_test_holds_device_and_session_for_the_time_given(suite: Suite) -> None:
    suite.tests("def test_held(appium_driver): assert 0\ndef test_fine(appium_driver): pass\n")
    began = time.monotonic()
    result = suite.run("--farm-hold", "--farm-hold-minutes=0.02")
    assert time.monotonic() - began > 1.2
    result.assert_outcomes(passed=1, failed=1)
    [session] = suite.farm.sessions("test_held")
    text = said(result)
    assert text.count("holding ") == 1
    assert f"after test_suite.py::test_held failed; look in at {suite.farm.url}" in text.replace("portal.", "")
    assert f"session {session['webdriver_id']}" in text
    assert session["verdicts"] == ["FAILED"]
    assert is_clean(suite)


def test_a_run_stops_at_the_first_failure(suite: Suite) -> None:
    suite.tests(FAILING)
    result = suite.run("-x")
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    assert is_clean(suite)


def test_a_run_stops_at_the_number_of_failures_given(suite: Suite) -> None:
    suite.tests(FAILING)
    suite.run("--maxfail=2").assert_outcomes(failed=2)
    assert is_clean(suite)


def test_what_failed_last_can_be_run_alone(suite: Suite) -> None:
    suite.tests(FAILING)
    suite.pytester.runpytest_inprocess("-p", "no:hypothesispytest").assert_outcomes(failed=2, passed=1)
    result = suite.pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--lf")
    result.assert_outcomes(failed=2)
    assert "test_good" not in said(result)


def test_a_repeated_test_that_passed_has_not_failed_last(suite: Suite) -> None:
    suite.tests("def test_one(appium_driver):\n    appium_driver.page_source\ndef test_bad(): assert 0\n")
    suite.farm.fails("hub.command", "hub_gone")
    suite.pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--farm-retries=1")
    suite.pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--lf").assert_outcomes(failed=1)


def test_a_run_without_a_terminal_plugin_works(suite: Suite) -> None:
    suite.tests("def test_good(appium_driver): pass")
    assert suite.run("-p", "no:terminal").ret == 0
    assert suite.farm.verdicts("test_good")[-1] == ["PASSED"]


@pytest.mark.parametrize("plugin", ["logging", "junitxml", "rerunfailures", "xdist", "html", "allure_pytest"])
def test_a_run_without_a_plugin_it_knows_works(suite: Suite, plugin: str) -> None:
    suite.tests("def test_good(appium_driver): pass\ndef test_bad(appium_driver): assert 0\n")
    suite.run("-p", f"no:{plugin}").assert_outcomes(passed=1, failed=1)


def test_one_device_at_a_time_serves_two_workers(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.parametrize("number", range(4))
        def test_limited(appium_driver, number): pass
        """
    )
    suite.process("-n", "2", "--farm-max-devices=1", "--farm-wait=30").assert_outcomes(passed=4)
    sessions = sorted(suite.farm.sessions("test_limited"), key=lambda session: session["started"])
    assert len(sessions) == 4
    assert all(one["ended"] <= other["started"] for one, other in itertools.pairwise(sessions))
    assert is_clean(suite)


def test_a_test_of_more_devices_than_the_limit_says_so(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.device(role="one")
        @pytest.mark.device(role="two")
        def test_two(leased_devices): pass
        """
    )
    result = suite.run("--farm-max-devices=1")
    result.assert_outcomes(errors=1)
    assert "wants 2 devices, but --farm-max-devices allows 1" in said(result)


def test_leaving_the_debugger_gives_everything_back(suite: Suite) -> None:
    suite.tests("def test_debugged(appium_driver):\n    assert 0\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pdb"],
        cwd=suite.path,
        input="p appium_driver.session_id\nq\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    [session] = suite.farm.sessions("test_debugged")
    assert session["webdriver_id"] in run.stdout
    assert "_pytest.outcomes.Exit: Quitting debugger" in run.stdout
    assert is_clean(suite)


def test_a_device_is_held_from_test_to_test(suite: Suite) -> None:
    suite.tests("@pytest.mark.parametrize('number', range(3))\ndef test_many(appium_driver, number): pass\n")
    before = len(suite.farm.record()["reservations"])
    suite.run().assert_outcomes(passed=3)
    assert len(suite.farm.record()["reservations"]) == before + 1
    assert len({session["udid"] for session in suite.farm.sessions("test_many")}) == 1


def test_nothing_is_ever_asked_against_the_contract(suite: Suite) -> None:
    suite.build()
    suite.tests(FAILING)
    suite.run("--farm-app", "shop.apk", "--farm-screenshot=on", "--farm-device-log=on")
    record = suite.farm.record()
    assert record["violations"] == []
    assert record["overlaps"] == []


def test_the_simulator_of_the_run_is_gone_with_it(suite: Suite) -> None:
    suite.tests("def test_good(appium_driver, leased_device): pass")
    before = len(suite.farm.record()["sessions"])
    result = suite.run("--farm-simulate")
    result.assert_outcomes(passed=1)
    assert "simulator's record: 1 sessions, 0 overlapping" in said(result)
    assert len(suite.farm.record()["sessions"]) == before


def test_a_world_that_cannot_be_read_ends_the_run_with_its_words(suite: Suite) -> None:
    suite.path.joinpath("world.toml").write_text("[clock]\nsped = 1\n")
    suite.tests("def test_good(leased_device): pass")
    result = suite.run("--farm-simulate", "--farm-world=world.toml")
    assert result.ret == 4
    assert "unknown key 'sped'; did you mean 'speed'?" in said(result)


def test_a_worker_holds_by_time_and_the_controller_tells(suite: Suite) -> None:
    suite.tests("def test_held(appium_driver): assert 0\n")
    result = suite.process("-n", "1", "--farm-hold", "--farm-hold-minutes=0.01")
    result.assert_outcomes(failed=1)
    assert said(result).count("holding ") == 1
    assert is_clean(suite)
