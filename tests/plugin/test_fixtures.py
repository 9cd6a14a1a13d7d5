from __future__ import annotations

from plugin.suites import Suite, said


def test_a_test_gets_a_driver_a_device_and_a_session(suite: Suite) -> None:
    suite.build()
    suite.tests(
        """
        def test_all(appium_driver, leased_device, device_lease, farm_session, uploaded_app, installed_app):
            assert leased_device == device_lease.device == farm_session.device
            assert farm_session.id.isdigit()
            assert farm_session.webdriver_id == appium_driver.session_id != farm_session.id
            assert farm_session.url.endswith(farm_session.id)
            assert uploaded_app == installed_app
            assert (uploaded_app.package, uploaded_app.version) == ("com.example.shop", "1.0")
            appium_driver.find_element("id", "buy").click()
        """
    )
    result = suite.run("--farm-app", "shop.apk")
    print(said(result))
    result.assert_outcomes(passed=1)
    assert suite.leftovers() == []


def test_without_a_build_the_driver_opens_without_an_app(suite: Suite) -> None:
    suite.tests(
        """
        def test_bare(appium_driver, uploaded_app, installed_app):
            assert uploaded_app is None
            assert installed_app is None
        """
    )
    suite.run().assert_outcomes(passed=1)
    assert "appium:app" not in suite.farm.asked("test_bare")[-1]


def test_the_platform_decides_which_build_a_test_gets(suite: Suite) -> None:
    suite.build("shop.apk")
    suite.build("shop.ipa", '<app package="com.example.ios" version="2.0" platform="ios"><title>Shop</title></app>')
    suite.tests(
        """
        @pytest.mark.device(platform="ios")
        def test_iphone(uploaded_app):
            assert uploaded_app.package == "com.example.ios"

        @pytest.mark.device(platform="android")
        def test_android(uploaded_app):
            assert uploaded_app.package == "com.example.shop"
        """
    )
    suite.run("--farm-app", "shop.apk", "--farm-app", "shop.ipa").assert_outcomes(passed=2)


def test_a_test_without_a_build_of_its_platform_is_refused(suite: Suite) -> None:
    suite.build()
    suite.tests(
        """
        @pytest.mark.device(platform="ios")
        def test_iphone(appium_driver):
            pass
        """
    )
    result = suite.run("--farm-app", "shop.apk")
    assert result.ret == 4
    assert "test_iphone" in said(result)
    assert "with a build for android" in said(result)


def test_a_test_that_needs_no_build_may_run_on_any_platform(suite: Suite) -> None:
    suite.build()
    suite.tests(
        """
        @pytest.mark.device(platform="ios")
        def test_iphone(leased_device):
            assert leased_device.udid == "phone-i"
        """
    )
    suite.run("--farm-app", "shop.apk").assert_outcomes(passed=1)


def test_the_app_mark_comes_before_the_flag(suite: Suite) -> None:
    suite.build("shop.apk")
    suite.build("next.apk", '<app package="com.example.next" version="3.0"><title>Next</title></app>')
    suite.tests(
        """
        @pytest.mark.app("next.apk")
        def test_next(uploaded_app):
            assert uploaded_app.package == "com.example.next"
        """
    )
    suite.run("--farm-app", "shop.apk").assert_outcomes(passed=1)


def test_fixtures_asked_for_as_the_test_runs_are_the_same(suite: Suite) -> None:
    suite.build()
    suite.tests(
        """
        def test_late(request):
            driver = request.getfixturevalue("appium_driver")
            assert driver.session_id == request.getfixturevalue("farm_session").webdriver_id
            assert request.getfixturevalue("leased_device").platform == "android"
        """
    )
    suite.run("--farm-app", "shop.apk").assert_outcomes(passed=1)
    assert suite.leftovers() == []


def test_parametrised_tests_have_a_session_each(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.parametrize("word", ["a", "b"])
        def test_words(appium_driver, word):
            pass
        """
    )
    suite.run().assert_outcomes(passed=2)
    assert {session["name"].rpartition("::")[2] for session in suite.farm.sessions("test_words")} == {
        "test_words[a]",
        "test_words[b]",
    }


def test_methods_of_classes_and_of_unittest_cases_may_use_devices(suite: Suite) -> None:
    suite.tests(
        """
        import unittest

        class TestPlain:
            def test_method(self, appium_driver):
                pass

        class TestCase(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _driver(self, appium_driver):
                self.driver = appium_driver

            def test_case(self):
                assert self.driver.session_id

        class TestOther(unittest.TestCase):
            def test_nothing(self):
                pass
        """
    )
    suite.run().assert_outcomes(passed=3)


def test_two_roles_get_two_devices_and_two_drivers(suite: Suite) -> None:
    suite.build()
    suite.tests(
        """
        @pytest.mark.device(platform="android")
        @pytest.mark.device(role="buyer")
        @pytest.mark.device(role="seller", version=">=14")
        def test_trade(appium_drivers, leased_devices):
            assert leased_devices["seller"].udid == "phone-b"
            assert leased_devices["buyer"].udid == "phone-a"
            assert appium_drivers["buyer"].session_id != appium_drivers["seller"].session_id
        """
    )
    suite.run("--farm-app", "shop.apk").assert_outcomes(passed=1)
    assert suite.farm.verdicts("test_trade") == [["PASSED"], ["PASSED"]]


def test_singular_fixtures_in_a_test_with_roles_name_the_plural_ones(suite: Suite) -> None:
    suite.tests(
        """
        pytestmark = [pytest.mark.device(role="one"), pytest.mark.device(role="two")]

        def test_driver(appium_driver): pass
        def test_device(leased_device): pass
        def test_lease(device_lease): pass
        def test_app(uploaded_app): pass
        """
    )
    result = suite.run()
    result.assert_outcomes(errors=4)
    assert "use appium_drivers" in said(result)
    assert "use leased_devices" in said(result)
    assert suite.leftovers() == []


def test_capabilities_are_overridden_in_a_conftest(suite: Suite) -> None:
    suite.conftest(
        """
        @pytest.fixture
        def appium_capabilities(appium_capabilities):
            assert appium_capabilities["appium:udid"]
            return {**appium_capabilities, "appium:language": "de"}
        """
    )
    suite.tests("def test_german(appium_driver): pass")
    suite.run().assert_outcomes(passed=1)
    assert suite.farm.asked("test_german")[-1]["appium:language"] == "de"


def test_capabilities_of_farm_file_app_fixture_mark_and_hook_come_in_this_order(suite: Suite) -> None:
    suite.build()
    suite.toml(
        """
        [capabilities]
        "appium:app" = "from the file"
        "appium:newCommandTimeout" = 111
        "appium:a" = "file"
        "appium:b" = "file"
        "appium:c" = "file"
        "appium:d" = "file"
        """
    )
    suite.conftest(
        """
        @pytest.fixture
        def appium_capabilities(appium_capabilities):
            return {**appium_capabilities, "appium:b": "fixture", "appium:c": "fixture", "appium:d": "fixture"}

        def pytest_devicefarm_capabilities(item, lease, capabilities):
            assert capabilities["appium:d"] == "mark"
            return {"appium:d": f"{item.name} {lease.device.udid}"}
        """
    )
    suite.tests(
        """
        @pytest.mark.appium_capabilities({"appium:c": "mark", "appium:d": "mark"})
        def test_order(appium_driver, leased_device): pass
        """
    )
    suite.run("--farm-app", "shop.apk").assert_outcomes(passed=1)
    asked = suite.farm.asked("test_order")[-1]
    assert asked["appium:newCommandTimeout"] == 111
    assert asked["appium:app"].startswith("kobiton-store:")
    assert [asked[f"appium:{name}"] for name in "abc"] == ["file", "fixture", "mark"]
    assert asked["appium:d"] == "test_order phone-a"


def test_the_nearest_capabilities_mark_wins(suite: Suite) -> None:
    suite.tests(
        """
        pytestmark = pytest.mark.appium_capabilities({"appium:a": "module", "appium:b": "module"})

        @pytest.mark.appium_capabilities({"appium:b": "test"})
        def test_nearest(appium_driver): pass
        """
    )
    suite.run().assert_outcomes(passed=1)
    asked = suite.farm.asked("test_nearest")[-1]
    assert (asked["appium:a"], asked["appium:b"]) == ("module", "test")


def test_a_changed_udid_is_refused_wherever_it_comes_from(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_capabilities(item, capabilities):
            return {"appium:udid": "other"} if item.name == "test_hook" else None
        """
    )
    suite.tests(
        """
        def test_open(open_driver, appium_capabilities):
            open_driver({**appium_capabilities, "appium:udid": "other"})

        @pytest.mark.appium_capabilities({"appium:udid": "other"})
        def test_mark(appium_driver): pass

        def test_hook(appium_driver): pass
        """
    )
    result = suite.run()
    result.assert_outcomes(failed=1, errors=2)
    assert said(result).count("belongs to the leased device; ask for another device with a mark") >= 3
    assert not suite.farm.sessions("::test_mark")


def test_a_udid_in_the_file_is_refused_too(suite: Suite) -> None:
    suite.toml('[capabilities]\n"appium:udid" = "other"\n')
    suite.tests("def test_file(appium_driver): pass")
    result = suite.run()
    result.assert_outcomes(errors=1)
    assert "belongs to the leased device" in said(result)


def test_capabilities_of_ones_own_keep_what_the_session_needs(suite: Suite) -> None:
    suite.tests(
        """
        def test_few(open_driver):
            open_driver({"platformName": "Android", "appium:automationName": "UiAutomator2"})
        """
    )
    suite.run().assert_outcomes(passed=1)
    asked = suite.farm.asked("")[-1]
    assert asked["appium:udid"].startswith("phone-")
    assert asked["appium:newCommandTimeout"] > 0
    assert asked["kobiton:sessionDescription"].startswith("df-")


def test_a_second_driver_on_the_same_device_is_refused(suite: Suite) -> None:
    suite.tests("def test_twice(open_driver):\n    open_driver()\n    open_driver()\n")
    result = suite.run()
    result.assert_outcomes(failed=1)
    assert "has an open session on" in said(result)


def test_an_unknown_role_is_refused(suite: Suite) -> None:
    suite.tests("def test_role(open_driver):\n    open_driver(role='seller')\n")
    result = suite.run()
    result.assert_outcomes(failed=1)
    assert "has no role 'seller'" in said(result)


def test_a_module_may_hold_a_device_of_its_own(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.fixture(scope="module")
        def phone(lease_device):
            with lease_device(name="Galaxy*") as lease:
                yield lease.device

        def test_first(leased_device): pass
        def test_one(phone, leased_device):
            assert phone.udid == "phone-a" != leased_device.udid
        def test_two(phone, leased_device):
            assert phone.udid == "phone-a" != leased_device.udid
        """
    )
    suite.run().assert_outcomes(passed=3)
    assert suite.leftovers() == []


def test_a_device_of_ones_own_that_nothing_matches_is_an_error_with_near_misses(suite: Suite) -> None:
    suite.tests(
        """
        def test_none(lease_device):
            with lease_device(name="Galaxy S23"):
                pass
        """
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    assert 'did you mean "Galaxy S22"?' in said(result)


def test_a_build_is_uploaded_once_however_often_it_is_asked_for(suite: Suite) -> None:
    suite.build("own.apk", '<app package="com.example.own" version="9"><title>Own</title></app>')
    suite.tests(
        """
        from pathlib import Path

        @pytest.mark.parametrize("number", range(3))
        def test_upload(upload_app, number):
            app = upload_app(Path("own.apk"))
            assert (app.package, app.version, len(app.sha256)) == ("com.example.own", "9", 64)
            assert upload_app("kobiton-store:v12").reference == "kobiton-store:v12"
        """
    )
    before = sum(suite.farm.record()["uploads"].values())
    suite.run().assert_outcomes(passed=3)
    suite.run().assert_outcomes(passed=3)
    assert sum(suite.farm.record()["uploads"].values()) == before + 1


def test_the_farm_lends_the_vendors_own_client(suite: Suite) -> None:
    suite.tests(
        """
        def test_client(device_farm):
            assert device_farm.api.devices.list()
            assert len(device_farm.list_devices().devices) == 3
        """
    )
    suite.run().assert_outcomes(passed=1)


def test_a_lease_that_is_checked_is_still_held(suite: Suite) -> None:
    suite.tests("def test_check(device_lease):\n    device_lease.check()\n")
    suite.run().assert_outcomes(passed=1)


def test_names_that_others_own_are_left_to_them(suite: Suite) -> None:
    suite.tests("def test_nothing(): pass")
    shown = said(suite.run("--fixtures"))
    from pytest_devicefarm import fixtures

    defined = [name for name, value in vars(fixtures).items() if type(value).__name__ == "FixtureFunctionDefinition"]
    assert "appium_driver" in defined
    assert all(name in shown for name in defined)
    assert not {"device", "driver", "page", "browser", "capabilities"} & set(defined)


def test_no_fixture_is_used_without_being_asked_for(suite: Suite) -> None:
    suite.tests("def test_nothing(request):\n    assert request.fixturenames == ['request']\n")
    suite.run().assert_outcomes(passed=1)


def test_each_fixture_tells_what_it_gives(suite: Suite) -> None:
    suite.tests("def test_nothing(): pass")
    assert "no docstring available" not in said(suite.run("--fixtures")).partition("pytest_devicefarm")[2]


def test_the_driver_is_the_clients_own(suite: Suite) -> None:
    suite.tests(
        """
        def test_type(appium_driver):
            from appium import webdriver
            assert type(appium_driver) is webdriver.Remote
        """
    )
    suite.run().assert_outcomes(passed=1)
