"""A whole test run through a simulated TestGrid whose phones a real Appium server drives."""

from __future__ import annotations

from pathlib import Path

from real.appium_farm import LOGIN_APP, a_real_farm, artifact, command_names
from real.appium_server import AppiumServer
from real.test_runs import SHOP
from support.runs import a_run, a_suite, leftovers


def test_testgrid_learns_the_verdicts_and_gives_the_artifacts(appium_server: AppiumServer, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", SHOP, LOGIN_APP)
    with a_real_farm(folder, appium_server.url, name="testgrid") as farm, a_run(folder, farm) as run:
        assert run.wait() == 1, run.output
        assert farm.is_clean()
        record = farm.record()
    assert record["failures"] == []
    told = {case["name"].partition(" ")[0]: case["verdict"] for each in record["sessions"] for case in each["cases"]}
    assert told == {
        "test_suite.py::test_a_customer_is_greeted": "passed",
        "test_suite.py::test_a_stranger_is_greeted": "failed",
    }
    assert [each["verdicts"] for each in record["sessions"]] == [["passed"], ["failed"]]
    kept = {path.name for path in (folder / "farm-results/latest").glob("*stranger*/*")}
    assert {"appium.log", "device.log", "network.har", "video.mp4"} <= kept
    # Only the real driver wraps the app in an element of its own.
    assert "<AppiumAUT>" in artifact(folder, "stranger", "page-source.xml")
    assert "/element/1/text 200" in artifact(folder, "stranger", "appium.log")
    assert "getElementText" in command_names(folder, "stranger")
    assert leftovers(folder) == []
