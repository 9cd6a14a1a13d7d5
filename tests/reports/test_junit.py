from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from reports.farm_suite import run_suite

Cases = dict[str, ElementTree.Element]


def run(pytester: pytest.Pytester, *arguments: str) -> Cases:
    run_suite(pytester, "junit", "--junitxml=out/junit.xml", *arguments).assert_outcomes(passed=2, failed=3)
    suite = next(ElementTree.parse(pytester.path / "out" / "junit.xml").getroot().iter("testsuite"))
    assert (suite.get("errors"), suite.get("failures")) == ("1", "2")
    return {case.get("name", ""): case for case in suite.iter("testcase")}


def properties(case: ElementTree.Element) -> dict[str, str]:
    pairs = [(each.get("name", ""), each.get("value", "")) for each in case.iter("property")]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "xdist"])
def test_tests_carry_device_session_and_folder(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    cases = run(pytester, *workers)
    found = properties(cases["test_fail"])
    assert found["devicefarm.device"] == "Galaxy <script>alert(1)</script> (android 14, R5CT1)"
    assert found["devicefarm.udid"] == "R5CT1"
    assert found["devicefarm.session"] == "https://portal.example/s/42?a=1&b=2"
    folder = (pytester.path / "out" / found["devicefarm.artifacts"]).resolve()
    assert (folder / "device.log").is_file()
    assert "devicefarm.infrastructure" not in found


def test_each_role_has_properties_of_its_own(pytester: pytest.Pytester) -> None:
    cases = run(pytester)
    found = properties(cases["test_two"])
    assert found["devicefarm.artifacts.buyer"] != found["devicefarm.artifacts.seller"]


def test_the_farms_failure_is_an_error_and_the_tests_a_failure(pytester: pytest.Pytester) -> None:
    cases = run(pytester)
    assert cases["test_fail"].find("error") is None
    assert cases["test_fail"].find("failure") is not None
    error = cases["test_hub"].find("error")
    assert error is not None
    assert error.get("message") == "hub gone in the middle"
    assert "hub <gone>" in (error.text or "")
    assert cases["test_hub"].find("failure") is None
    assert properties(cases["test_hub"])["devicefarm.infrastructure"] == "hub gone in the middle"


def test_a_test_without_a_device_is_left_alone(pytester: pytest.Pytester) -> None:
    cases = run(pytester)
    assert properties(cases["test_plain"]) == {}
