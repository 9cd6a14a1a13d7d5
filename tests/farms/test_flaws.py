"""The contract notices what a farm gets wrong: each flaw here fails the test that is there for it."""

from __future__ import annotations

import importlib
import textwrap

import pytest

# What a run in this process imports is forgotten with it; imported here, it is imported once for all of them.
importlib.import_module("contributed.test_shelf")

# Test of the contract -> what a farm with one flaw does instead.
FLAWS = {
    "test_each_device_is_listed_once": """
        def list_devices(self):
            devices = super().list_devices().devices
            return DeviceList(devices + devices)
    """,
    "test_two_processes_see_one_account": """
        @property
        def account(self):
            return str(id(self))
    """,
    "test_a_device_somebody_uses_is_not_free": """
        def list_devices(self):
            return DeviceList(tuple(replace(one, state=DeviceState.FREE) for one in super().list_devices().devices))
    """,
    "test_a_device_taken_after_the_choice_is_busy": """
        def explain_refusal(self, message, device):
            return SessionNotCreated(message)
    """,
    "test_the_capabilities_ask_for_this_very_device": """
        def capabilities(self, *args, **more):
            return {k: v for k, v in super().capabilities(*args, **more).items() if k != "appium:udid"}
    """,
    "test_an_open_whose_answer_was_lost_leaves_nothing": """
        def capabilities(self, *args, **more):
            return {k: v for k, v in super().capabilities(*args, **more).items() if k != "shelf:token"}
    """,
    "test_a_session_can_be_ended_twice": """
        def end_session(self, handle):
            return True
    """,
    "test_a_session_of_somebody_else_is_left_alone": """
        def end_session(self, handle):
            for session in self._sessions():
                self._http.call("DELETE", "/session/" + session["id"])
            return True
    """,
    "test_what_a_dead_process_left_is_ended_by_its_journal": """
        def end_session(self, handle):
            return False
    """,
    "test_an_answer_that_makes_no_sense_is_an_error_that_names_the_call": """
        def check(self):
            self._http.call("GET", "/status")
            return "well"
    """,
    "test_a_slow_answer_is_waited_for": """
        def list_devices(self):
            self._http.call("GET", "/appium/sessions", timeout=(5.0, 0.02))
            return super().list_devices()
    """,
    "test_a_reservation_is_seen_by_others_until_it_is_cancelled": """
        def reserve(self, devices, *, seconds, token):
            raise DeviceBusy("no")
    """,
    "test_no_secret_is_in_what_is_shown_of_a_session": """
        def capabilities(self, *args, **more):
            return {**super().capabilities(*args, **more), "shelf:key": "c4nary-0123456789"}
    """,
    "test_no_secret_is_in_an_error_of_a_farm_that_repeats_what_it_was_told": """
        def check(self):
            answer = self._http.call("GET", "/status", headers={"Key": "c4nary-0123456789"}, ok=range(600))
            raise FarmAnswerError(str(answer.json()))
    """,
}

MODULE = """
from dataclasses import replace
from pathlib import Path

import pytest
from contributed.devicefarm_shelf import ShelfFarm
from contributed.test_shelf import PHONES, ShelfBench
from support.appium import AppiumDouble, an_appium

from pytest_devicefarm.core.errors import DeviceBusy, FarmAnswerError, SessionNotCreated
from pytest_devicefarm.core.farm import DeviceList
from pytest_devicefarm.core.model import DeviceState
from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.testing import FarmContract


class Flawed(ShelfFarm):
    pass
{flaw}

class Bench(ShelfBench):
    def open(self, through):
        values = {{"url": through(self.url), "phones": PHONES}}
        settings = FarmSettings("shelf", values, {{"key": Secret("c4nary-0123456789")}})
        return Flawed(settings, clock=self.clock)


class TestFlawed(FarmContract):
    @pytest.fixture
    def bench(self):
        double = AppiumDouble()
        with an_appium(double) as url:
            yield Bench(double, url)
"""


def outcome(pytester: pytest.Pytester, test: str, flaw: str) -> dict[str, int]:
    pytester.makepyfile(MODULE.format(flaw=textwrap.indent(textwrap.dedent(flaw), "    ")))
    counts = pytester.runpytest_inprocess("-k", test, "-p", "no:cacheprovider").parseoutcomes()
    return {word: counts.get(word, 0) for word in ("passed", "failed", "errors")}


@pytest.mark.parametrize("test", FLAWS)
def test_a_flaw_is_noticed(pytester: pytest.Pytester, test: str) -> None:
    assert outcome(pytester, test, FLAWS[test])["failed"] > 0


def test_without_a_flaw_nothing_is_found(pytester: pytest.Pytester) -> None:
    counts = outcome(pytester, " or ".join(FLAWS), "")
    assert counts["passed"] > len(FLAWS)
    assert counts["failed"] == counts["errors"] == 0


def test_a_bench_that_lacks_something_says_what(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("from pytest_devicefarm.testing import FarmContract\nclass TestMine(FarmContract): pass\n")
    result = pytester.runpytest_inprocess("-k", "test_each_device", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*TestMine has to have a fixture `bench` that gives a FarmBench*"])
