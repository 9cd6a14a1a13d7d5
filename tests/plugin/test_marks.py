from __future__ import annotations

import pytest
from plugin.suites import Suite, said


def test_marks_of_module_class_and_test_combine(suite: Suite) -> None:
    suite.tests(
        """
        pytestmark = pytest.mark.device(platform="android")

        @pytest.mark.device(version=">=13")
        class TestAndroid:
            @pytest.mark.device(name="pixel*")
            def test_pixel(self, leased_device):
                assert leased_device.udid == "phone-b"

            @pytest.mark.device(tags=["lab"])
            def test_lab(self, leased_device):
                assert leased_device.udid == "phone-a"
        """
    )
    suite.run().assert_outcomes(passed=2)


WRONG_MARKS = {
    'device(platform="ios")': "contradict each other: no device can ever fulfil this",
    'device(version=">>3")': ">>3",
    'device("android")': "the device mark takes keywords only, not 'android'; write for example platform='android'",
    'device(nmae="x")': "did you mean 'name'?",
    "device(real=1)": "neither True nor False",
    'device(role="")': "the role of a device mark has to be a name",
    "app()": "the app mark takes one path or reference",
    'app("a.apk", "b.apk")': "the app mark takes one path or reference",
    "appium_capabilities(['a'])": "the appium_capabilities mark takes one dict",
    "appium_capabilities(language='de')": "the appium_capabilities mark takes one dict",
}


@pytest.mark.parametrize("mark", WRONG_MARKS)
def test_a_mark_that_cannot_hold_is_an_error_at_collection_that_names_the_test(suite: Suite, mark: str) -> None:
    suite.tests(
        f"""
        pytestmark = pytest.mark.device(platform="android")

        @pytest.mark.{mark}
        def test_marked(appium_driver): pass

        def test_other(): pass
        """
    )
    result = suite.run()
    assert result.ret == 4
    assert "test_suite.py::test_marked: " in said(result)
    assert WRONG_MARKS[mark] in said(result)
    assert "Traceback" not in said(result)


UNMATCHED = """
@pytest.mark.device(name="Galaxy S21")
def test_old(appium_driver): pass

@pytest.mark.device(name="Galaxy S21")
def test_as_old(appium_driver): pass

@pytest.mark.device(platform="ios", version=">=18")
def test_new(appium_driver): pass

@pytest.mark.slow
def test_any(appium_driver): pass

def test_plain(): pass
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_what_no_device_can_satisfy_ends_the_run_with_near_misses_told_once(
    suite: Suite, workers: tuple[str, ...]
) -> None:
    suite.ini("markers = slow")
    suite.tests(UNMATCHED)
    result = suite.process(*workers) if workers else suite.run()
    text = said(result)
    assert result.ret == 4
    assert text.count("no device of farm 'kobiton' matches name=\"Galaxy S21\"") == 1
    assert "test_suite.py::test_old, test_suite.py::test_as_old: no device" in text
    assert 'did you mean "Galaxy S22"?' in text
    assert "iPhone 15 (ios 17.4, phone-i): version 17.4 is not >=18" in text
    assert "--farm-unmatched=skip" in text
    assert "INTERNALERROR" not in text


@pytest.mark.parametrize(
    "selection", [("-k", "any or plain"), ("-m", "slow"), ("test_suite.py::test_any",)], ids=["k", "m", "name"]
)
def test_only_tests_that_are_selected_count(suite: Suite, selection: tuple[str, ...]) -> None:
    suite.ini("markers = slow")
    suite.tests(UNMATCHED)
    assert suite.run(*selection).ret == 0


def test_what_is_ignored_does_not_count(suite: Suite) -> None:
    suite.tests("@pytest.mark.device(name='nobody')\ndef test_old(appium_driver): pass\n", "test_old")
    suite.tests("def test_any(appium_driver): pass")
    suite.run("--ignore=test_old.py").assert_outcomes(passed=1)


def test_a_mark_on_a_test_that_uses_no_device_does_not_count(suite: Suite) -> None:
    suite.tests("@pytest.mark.device(name='nobody')\ndef test_plain(): pass\n")
    suite.run().assert_outcomes(passed=1)


def test_what_no_device_can_satisfy_is_skipped_if_that_is_asked_for(suite: Suite) -> None:
    suite.ini("markers = slow")
    suite.tests(UNMATCHED)
    result = suite.run("--farm-unmatched=skip", "-rs")
    result.assert_outcomes(passed=2, skipped=3)
    assert "no device of farm 'kobiton' matches" in said(result)


def test_a_test_that_is_skipped_anyway_does_not_count(suite: Suite) -> None:
    suite.tests("@pytest.mark.skip\n@pytest.mark.device(name='nobody')\ndef test_old(appium_driver): pass\n")
    suite.run().assert_outcomes(skipped=1)


def test_more_roles_than_devices_end_the_run(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.device(platform="ios")
        @pytest.mark.device(role="one")
        @pytest.mark.device(role="two")
        def test_two(appium_drivers): pass
        """
    )
    result = suite.run()
    assert result.ret == 4
    assert "test_suite.py::test_two: the roles one, two want 2 devices at the same time" in said(result)


def test_roles_keep_the_order_in_which_they_are_read(suite: Suite) -> None:
    suite.tests(
        """
        pytestmark = pytest.mark.device(role="first", name="Pixel*")

        @pytest.mark.device(role="second")
        @pytest.mark.device(role="first", platform="android")
        def test_two(leased_devices):
            assert list(leased_devices) == ["first", "second"]
            assert leased_devices["first"].udid == "phone-b"
        """
    )
    suite.run().assert_outcomes(passed=1)


def test_one_role_alone_is_a_test_with_roles(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.device(role="only", platform="ios")
        def test_only(leased_devices):
            assert {role: device.udid for role, device in leased_devices.items()} == {"only": "phone-i"}
        """
    )
    suite.run().assert_outcomes(passed=1)


def test_marks_are_registered(suite: Suite) -> None:
    suite.tests("def test_plain(): pass")
    text = said(suite.run("--markers"))
    for mark in ("@pytest.mark.device(", "@pytest.mark.appium_capabilities(", "@pytest.mark.app("):
        assert mark in text


def test_marks_may_come_from_parameters(suite: Suite) -> None:
    suite.tests(
        """
        @pytest.mark.parametrize(
            "udid",
            [
                pytest.param("phone-a", marks=pytest.mark.device(name="Galaxy*")),
                pytest.param("phone-i", marks=pytest.mark.device(platform="ios")),
            ],
        )
        def test_each(leased_device, udid):
            assert leased_device.udid == udid
        """
    )
    suite.run().assert_outcomes(passed=2)
