from __future__ import annotations

import json

from plugin.suites import Suite, said


def test_each_session_gets_the_verdict_of_setup_call_and_teardown(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.fixture
        def broken_setup(appium_driver):
            raise ValueError

        @pytest.fixture
        def broken_teardown(appium_driver):
            yield
            raise ValueError

        @pytest.fixture
        def outer():
            yield
            raise ValueError

        def test_passes(appium_driver): pass
        def test_fails(appium_driver): assert 0
        def test_fails_in_setup(broken_setup): pass
        def test_fails_in_teardown(broken_teardown): pass
        def test_fails_behind_the_driver(outer, appium_driver): pass
        """
    )
    result = suite.run()
    result.assert_outcomes(passed=3, failed=1, errors=3)
    assert result.ret == 1
    assert suite.farm.verdicts("test_passes") == [["PASSED"]]
    for name in ("test_fails", "test_fails_in_setup", "test_fails_in_teardown", "test_fails_behind_the_driver"):
        assert suite.farm.verdicts(f"::{name}")[-1] == ["FAILED"], name


def test_expected_failures_pass_and_unexpected_passes_fail_where_strict(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.xfail
        def test_expected(appium_driver): assert 0

        @pytest.mark.xfail
        def test_lucky(appium_driver): pass

        @pytest.mark.xfail(strict=True)
        def test_strict(appium_driver): pass
        """
    )
    suite.run().assert_outcomes(xfailed=1, xpassed=1, failed=1)
    assert suite.farm.verdicts("test_expected") == [["PASSED"]]
    assert suite.farm.verdicts("test_lucky") == [["PASSED"]]
    assert suite.farm.verdicts("test_strict") == [["FAILED"]]


def test_a_test_that_skips_itself_gives_no_verdict(suite: Suite) -> None:
    suite.tests("def test_skips(appium_driver):\n    pytest.skip('not today')\n")
    suite.run().assert_outcomes(skipped=1)
    [session] = suite.farm.sessions("test_skips")
    assert (session["verdicts"], session["state"]) == ([], "COMPLETE")


def test_an_infrastructure_failure_gives_no_verdict(suite: Suite) -> None:
    suite.tests("def test_gone(appium_driver):\n    appium_driver.page_source\n")
    suite.farm.fails("hub.command", "hub_gone", status=502)
    result = suite.run()
    result.assert_outcomes(failed=1)
    [session] = suite.farm.sessions("test_gone")
    assert session["verdicts"] == []
    assert not session["open"]


def test_each_try_of_rerunfailures_is_a_session_of_its_own_and_the_last_is_final(suite: Suite) -> None:
    suite.tests(
        """
        TRIES = []

        def test_flaky(appium_driver):
            TRIES.append(appium_driver.session_id)
            assert len(TRIES) == 3

        def test_never(appium_driver): assert 0
        """
    )
    result = suite.run("--reruns=2")
    assert result.parseoutcomes() == {"passed": 1, "failed": 1, "rerun": 4}
    assert suite.farm.verdicts("test_flaky") == [["FAILED"], ["FAILED"], ["PASSED"]]
    assert suite.farm.verdicts("test_never") == [["FAILED"]] * 3
    words = [session["description"] for session in suite.farm.sessions("test_never")]
    assert ["try" in text and text.endswith("final") for text in words] == [False, False, True]
    folders = sorted(folder.name for folder in suite.path.joinpath("farm-results", "latest").iterdir())
    assert sum("test_flaky" in name for name in folders) == 3
    told = [json.loads(file.read_text()) for file in suite.path.glob("farm-results/latest/*test_never*/session.json")]
    assert sorted(one["try"] for one in told) == [1, 2, 3]
    assert {one["outcome"] for one in told} == {"failed"}


def test_what_a_try_left_does_not_leak_into_the_next(suite: Suite) -> None:
    suite.tests(
        """
        TRIES = []

        @pytest.fixture
        def broken_once(appium_driver):
            yield
            TRIES.append(1)
            assert len(TRIES) > 1

        def test_teardown(broken_once): pass
        """
    )
    suite.run("--reruns=1")
    assert suite.farm.verdicts("test_teardown") == [["FAILED"], ["PASSED"]]


def test_a_session_that_the_test_has_closed_still_gets_its_verdict(suite: Suite) -> None:
    suite.tests("def test_closes(appium_driver):\n    appium_driver.quit()\n")
    result = suite.run("--farm-screenshot=on")
    result.assert_outcomes(passed=1)
    assert suite.farm.verdicts("test_closes") == [["PASSED"]]
    assert "Traceback" not in said(result)


def test_the_session_is_named_after_the_test(suite: Suite) -> None:
    suite.tests("class TestShop:\n    def test_named(self, appium_driver): pass\n")
    suite.run().assert_outcomes(passed=1)
    assert suite.farm.sessions("test_named")[0]["name"] == "test_suite.py::TestShop::test_named"


def test_a_device_that_no_session_was_opened_on_gets_no_verdict(suite: Suite) -> None:
    suite.tests("def test_sessionless(leased_device): pass")
    suite.run().assert_outcomes(passed=1)
    assert suite.farm.sessions("test_sessionless") == []
