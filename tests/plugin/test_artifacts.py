from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugin.suites import Suite, said

TESTS = """
def test_good(appium_driver):
    appium_driver.find_element("id", "buy").click()

def test_bad(appium_driver):
    appium_driver.find_element("id", "buy").click()
    assert 0
"""
LIVE = {"0001.png", "page-source.xml"}


def files(suite: Suite, test: str) -> set[str]:
    """Names of the files that a test left."""
    [folder] = (suite.path / "farm-results" / "latest").glob(f"*{test}*")
    return {path.name for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("policy", "of_good", "of_bad"),
    [("on", LIVE, LIVE), ("off", set(), set()), ("retain-on-failure", set(), LIVE)],
)
def test_screenshots_are_kept_as_the_flag_says(suite: Suite, policy: str, of_good: set[str], of_bad: set[str]) -> None:
    suite.build()
    suite.tests(TESTS)
    suite.run("--farm-app=shop.apk", f"--farm-screenshot={policy}").assert_outcomes(passed=1, failed=1)
    assert files(suite, "test_good") & LIVE == of_good
    assert files(suite, "test_bad") & LIVE == of_bad


def test_late_artifacts_of_a_failed_test_are_there_when_the_run_ends(suite: Suite) -> None:
    suite.build()
    suite.tests(TESTS)
    result = suite.run(
        "--farm-app=shop.apk",
        *(f"--farm-{kind}=retain-on-failure" for kind in ("video", "device-log", "appium-log", "network-log")),
    )
    late = {"video.mp4", "device.log", "appium.log", "network.har", "commands.json"}
    assert files(suite, "test_bad") >= late
    assert not files(suite, "test_good") & late
    assert f"in {suite.path}/farm-results/" in said(result)


def test_the_facts_of_each_session_are_kept(suite: Suite) -> None:
    suite.tests(TESTS.replace('.find_element("id", "buy").click()', ".page_source"))
    suite.run().assert_outcomes(passed=1, failed=1)
    [file] = (suite.path / "farm-results" / "latest").glob("*test_bad*/session.json")
    facts = json.loads(file.read_text())
    session = suite.farm.sessions("test_bad")[-1]
    assert (facts["test"], facts["outcome"], facts["try"]) == ("test_suite.py::test_bad", "failed", 1)
    assert facts["session"]["id"] == str(session["id"])
    assert facts["device"]["udid"] == session["udid"]
    assert facts["facts"]["phases"]["call"]["outcome"] == "failed"


def test_an_artifact_that_never_comes_is_a_note(suite: Suite) -> None:
    suite.tests("def test_bad(appium_driver): assert 0\n")
    suite.farm.fails("getSession", "artifact_never", count=-1)
    result = suite.run("--farm-video=on", "--farm-artifact-wait=0.2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["artifacts that did not come:", "  video: *"])
