from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from plugin.suites import Suite, said

BLANK = "def test_one(appium_driver): pass\n"
SOURCE = "def test_one(appium_driver):\n    appium_driver.page_source\n"


def creates(suite: Suite) -> int:
    return int(suite.farm.record()["requests"].get("hub.create", 0))


def test_a_session_that_was_not_created_is_tried_again_on_another_device(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.device(platform="android")
        def test_moved(appium_driver, device_lease, leased_device, farm_session, appium_capabilities):
            assert leased_device.udid == device_lease.device.udid == farm_session.device.udid == "phone-b"
            assert appium_driver.capabilities["appium:udid"] == "phone-b"
        """
    )
    suite.farm.fails("hub.create", "session_not_created", reason="The device is not well.")
    result = suite.run("--farm-retries=1")
    result.assert_outcomes(passed=1)
    assert [session["udid"] for session in suite.farm.sessions("test_moved")][-1] == "phone-b"
    assert suite.leftovers() == []


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_retries_are_counted(suite: Suite, retries: int) -> None:
    suite.tests(BLANK)
    suite.farm.fails("hub.create", "session_not_created", count=-1, reason="The device is not well.")
    before = creates(suite)
    result = suite.run(f"--farm-retries={retries}")
    assert result.ret == 75
    assert creates(suite) - before == retries + 1
    assert result.parseoutcomes()["errors"] == 1
    assert "although it is free: The device is not well." in said(result)


def test_a_build_that_does_not_install_is_not_tried_again(suite: Suite) -> None:
    suite.tests(BLANK)
    suite.farm.fails("hub.create", "session_not_created", count=-1, reason="INSTALL_FAILED_VERSION_DOWNGRADE")
    before = creates(suite)
    result = suite.run("--farm-retries=2")
    assert creates(suite) - before == 1
    assert "Check the build and how it is signed." in said(result)
    assert result.parseoutcomes() == {"errors": 1}


def test_a_device_taken_in_between_costs_no_retry(suite: Suite) -> None:
    suite.tests("@pytest.mark.device(platform='android')\ndef test_taken(appium_driver): pass\n")
    suite.farm.fails("hub.create", "busy_after_choice", seconds=20.0)
    suite.run("--farm-reserve=off", "--farm-retries=0").assert_outcomes(passed=1)


def test_a_test_whose_hub_went_away_is_repeated_as_a_whole(suite: Suite) -> None:
    suite.tests(
        """
        SETUPS = []

        @pytest.fixture
        def prepared():
            SETUPS.append(1)

        def test_whole(prepared, appium_driver):
            appium_driver.page_source
            assert len(SETUPS) == 2

        def test_next(): pass
        """
    )
    suite.farm.fails("hub.command", "hub_gone", status=502)
    result = suite.run("--farm-retries=1", "-x", "--reruns=3", "-v")
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["repeated"]) == (2, 1)
    assert "rerun" not in outcomes
    assert "failed" not in outcomes
    assert "REPEATED" in said(result)
    assert suite.farm.verdicts("test_whole") == [[], ["PASSED"]]
    assert suite.leftovers() == []


def test_the_letter_of_a_repeated_try_is_r(suite: Suite) -> None:
    suite.tests(SOURCE)
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.run("--farm-retries=1")
    result.stdout.fnmatch_lines(["test_suite.py R*", "*1 passed, 1 repeated*"])


def test_a_repeat_works_under_xdist_too(suite: Suite) -> None:
    suite.tests(SOURCE + "def test_two(appium_driver): pass\n")
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.process("-n", "2", "--farm-retries=1", "-x")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 2
    assert result.parseoutcomes()["repeated"] == 1


def test_a_setup_that_fails_for_the_farms_sake_is_repeated(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.fixture
        def started(appium_driver):
            appium_driver.page_source

        @pytest.mark.device(role="one")
        @pytest.mark.device(role="two")
        def test_roles(appium_drivers): pass

        def test_started(started): pass
        """
    )
    suite.farm.fails("hub.create", "session_not_created", after=1)
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.run("--farm-retries=1")
    assert result.ret == 0
    assert result.parseoutcomes() == {"passed": 2, "repeated": 2}


def test_what_a_teardown_makes_of_a_dead_session_is_no_second_failure(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.fixture
        def shop(appium_driver):
            yield appium_driver
            assert appium_driver.page_source.startswith("<?xml")

        def test_shop(shop):
            shop.page_source
        """
    )
    suite.farm.fails("hub.command", "hub_gone", count=2)
    result = suite.run("--farm-retries=1")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 1


def test_a_test_that_has_failed_is_not_repeated_when_its_teardown_loses_the_farm(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.fixture
        def shop(appium_driver):
            yield appium_driver
            appium_driver.page_source

        def test_shop(shop):
            assert 0
        """
    )
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.run("--farm-retries=1")
    assert result.ret == 1
    assert result.parseoutcomes() == {"failed": 1, "errors": 1}


def test_infrastructure_overrides_an_expected_failure(suite: Suite) -> None:
    suite.tests("@pytest.mark.xfail\n" + SOURCE)
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.run()
    assert result.ret == 75
    result.assert_outcomes(failed=1)


def test_a_failure_beside_the_farms_own_makes_the_exit_status_1(suite: Suite) -> None:
    suite.tests(SOURCE + "def test_bad(): assert 0\n")
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.run()
    assert result.ret == 1
    result.assert_outcomes(failed=2)


def test_a_file_that_cannot_be_collected_makes_the_exit_status_1(suite: Suite) -> None:
    suite.tests(SOURCE)
    suite.tests("import nowhere_to_be_found\n", "test_broken")
    suite.farm.fails("hub.command", "hub_gone")
    assert suite.run("--continue-on-collection-errors").ret == 1


def test_the_summary_has_a_section_of_infrastructure_problems(suite: Suite) -> None:
    suite.tests(SOURCE)
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.run()
    result.stdout.fnmatch_lines(["*= device farm =*", "infrastructure problems:", "  test_suite.py::test_one: *"])


def test_junit_has_an_error_and_no_failure(suite: Suite) -> None:
    suite.tests(SOURCE)
    suite.farm.fails("hub.command", "hub_gone")
    suite.run("--junitxml=junit.xml")
    [case] = ElementTree.parse(suite.path / "junit.xml").iter("testcase")
    assert [child.tag for child in case if child.tag in ("error", "failure")] == ["error"]


def test_a_device_that_fails_twice_is_set_aside(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_select_device(query, candidates):
            with open("candidates.txt", "a") as file:
                print(*(device.udid for device in candidates), file=file)
            return next((device for device in candidates if device.udid == "phone-a"), None)
        """
    )
    suite.tests(
        """
        @pytest.mark.parametrize("number", range(3))
        @pytest.mark.device(platform="android")
        def test_each(appium_driver, number):
            appium_driver.page_source
        """
    )
    suite.farm.fails("hub.command", "hub_gone", count=2)
    suite.run().assert_outcomes(passed=1, failed=2)
    seen = suite.path.joinpath("candidates.txt").read_text().split("\n")
    assert "phone-b" in seen[-2]
    assert "phone-a" not in seen[-2]


def test_a_wait_that_is_over_tells_who_holds_the_devices(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.device(platform="ios")
        def test_waits(leased_device): pass
        """
    )
    suite.farm.wire.world.devices[2].busy_until = suite.farm.wire.world.clock.now() + 100_000
    try:
        result = suite.run("--farm-wait=0.2", "--farm-retries=2")
    finally:
        suite.farm.wire.world.devices[2].busy_until = 0
    assert result.ret == 75
    result.assert_outcomes(errors=1)
    assert "repeated" not in result.parseoutcomes()
    assert "iPhone 15 (ios 17.4, phone-i)" in said(result)
    assert "--farm-wait" in said(result)
    assert suite.leftovers() == []


def test_a_farm_that_does_not_answer_fails_tests_of_devices_alone(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.tests(BLANK + "def test_plain(): pass\n")
    suite.farm.fails("getDevices", "status", status=400, count=-1, html="<h1>closed</h1>")
    result = suite.run()
    assert result.ret == 75
    result.assert_outcomes(passed=1, errors=1)


def test_a_test_may_skip_itself_for_the_farms_sake(suite: Suite) -> None:
    suite.tests(
        """
        def test_skips(appium_driver):
            try:
                appium_driver.page_source
            except Exception as error:
                raise pytest.skip.Exception("the farm is not well") from error
        """
    )
    suite.farm.fails("hub.command", "hub_gone")
    suite.run("--farm-retries=1").assert_outcomes(skipped=1)


def test_an_error_that_the_farm_caused_is_the_farms(suite: Suite) -> None:
    suite.tests(
        """
        def test_wrapped(appium_driver):
            try:
                appium_driver.page_source
            except Exception as error:
                raise ValueError("the shop does not open") from error
        """
    )
    suite.farm.fails("hub.command", "hub_gone")
    assert suite.run().ret == 75


def test_an_error_beside_the_farms_own_is_the_tests(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.fixture
        def shop(appium_driver):
            yield
            appium_driver.page_source

        @pytest.fixture
        def other():
            yield
            assert 0

        def test_both(shop, other): pass
        """
    )
    suite.farm.fails("hub.command", "hub_gone")
    result = suite.run("--farm-retries=1")
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 1, "errors": 1}


def test_a_device_of_a_wider_fixture_is_guarded_under_xdist_too(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_sessionfinish(session):
            if not hasattr(session.config, "workerinput"):
                controller = session.config.pluginmanager.get_plugin("devicefarm-controller")
                print("guarded", controller._guardian is not None)
        """
    )
    suite.tests(
        """
        @pytest.fixture(scope="module")
        def phone(lease_device):
            with lease_device(platform="ios") as lease:
                yield lease.device

        def test_phone(phone): pass
        """
    )
    result = suite.process("-n", "1", "-s")
    result.assert_outcomes(passed=1)
    assert "guarded True" in said(result)
    assert suite.leftovers() == []


def test_a_repeated_test_counts_once_in_junit(suite: Suite) -> None:
    suite.tests(SOURCE)
    suite.farm.fails("hub.command", "hub_gone")
    assert suite.run("--farm-retries=1", "--junitxml=junit.xml").ret == 0
    root = ElementTree.parse(suite.path / "junit.xml").getroot()
    assert [root[0].get(name) for name in ("tests", "errors", "failures")] == ["1", "0", "0"]
    assert len(root[0].findall("testcase")) == 1


def test_a_lease_that_was_lost_is_told_with_the_next_command(suite: Suite) -> None:
    suite.tests(
        """
        def test_lost(appium_driver, device_lease):
            device_lease.lost("taken over")
            appium_driver.page_source
        """
    )
    result = suite.run()
    assert result.ret == 75
    assert "LeaseLost" in said(result)
    assert "taken over" in said(result)
    assert suite.leftovers() == []
