from __future__ import annotations

import json
from typing import Any

import pytest
from reports.farm_suite import run_suite

pytest.importorskip("allure_pytest")


class Results:
    """The files of Allure, read as its report generator reads them."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.path = pytester.path / "results"
        self.tests = {each["name"]: each for each in self._read("*-result.json")}
        self.containers = self._read("*-container.json")

    def _read(self, pattern: str) -> list[dict[str, Any]]:
        return [json.loads(path.read_bytes()) for path in self.path.glob(pattern)]

    def after(self, name: str) -> list[dict[str, Any]]:
        """What our containers say happened after a test."""
        uuid = self.tests[name]["uuid"]
        mine = [each for each in self.containers if each.get("name") == "device farm" and uuid in each["children"]]
        return [step for container in mine for step in container["afters"]]


def run(pytester: pytest.Pytester, *arguments: str) -> Results:
    run_suite(pytester, "allure", "--alluredir=results", *arguments).assert_outcomes(passed=2, failed=3)
    return Results(pytester)


def test_a_test_tells_its_device_and_links_the_farm(pytester: pytest.Pytester) -> None:
    results = run(pytester)
    test = results.tests["test_fail"]
    [device] = [each for each in test["parameters"] if each["name"] == "device"]
    assert "R5CT1" in device["value"]
    assert device["excluded"] is True
    assert [each["url"] for each in test["links"]] == ["https://portal.example/s/42?a=1&b=2"]


def test_the_failure_screenshot_is_attached_once(pytester: pytest.Pytester) -> None:
    results = run(pytester)
    [attachment] = results.tests["test_fail"]["attachments"]
    assert attachment["name"] == "screenshots/failure.png"
    assert (results.path / attachment["source"]).read_bytes().startswith(b"\x89PNG")
    assert "attachments" not in results.tests["test_pass"]


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "xdist"])
def test_late_artifacts_stand_in_the_teardown_of_their_test(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    results = run(pytester, *workers)
    [step] = results.after("test_fail")
    [attachment] = step["attachments"]
    assert (attachment["name"], attachment["type"]) == ("device.log", "text/plain")
    assert (results.path / attachment["source"]).read_text() == "I am a log"
    assert step["statusDetails"]["message"] == "video: not there after 120 s"
    assert len(results.after("test_two")) == 2
    assert results.after("test_plain") == []


def test_the_farms_failure_is_broken_and_the_tests_is_failed(pytester: pytest.Pytester) -> None:
    results = run(pytester)
    assert results.tests["test_hub"]["status"] == "broken"
    assert results.tests["test_fail"]["status"] == "failed"
