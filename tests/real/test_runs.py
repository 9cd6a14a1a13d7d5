"""Whole test runs on simulated phones that a real Appium server drives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from appium import webdriver
from appium.options.common import AppiumOptions
from real.appium_farm import (
    FEW_ARTIFACTS,
    LOGIN_APP,
    PHONE,
    SHORT_DELAYS,
    STOCK,
    a_real_farm,
    artifact,
    command_names,
    sessions,
    verdicts,
)
from real.appium_server import AppiumServer
from support.runs import TWO_PHONES, SimulatedFarm, a_farm, a_run, a_suite, leftovers

SHOP = """
    def test_a_customer_is_greeted(appium_driver):
        user = appium_driver.find_element("id", "user")
        user.send_keys("demo")
        assert user.text == "demo"
        appium_driver.find_element("id", "login").click()
        alert = appium_driver.switch_to.alert
        assert alert.text == "Hello"
        alert.accept()
        assert appium_driver.get_screenshot_as_png().startswith(b"\\x89PNG")
        assert 'id="login"' in appium_driver.page_source

    def test_a_stranger_is_greeted(appium_driver):
        assert appium_driver.find_element("id", "user").text == "stranger"
"""

UNIQUE = """
    import pytest

    @pytest.mark.appium_capabilities({"appium:uniqueApp": True})
    def test_alone(appium_driver):
        appium_driver.find_element("id", "login")
"""

NO_APP = STOCK.replace("{app_xml}", "")


def finished(folder: Path, farm: SimulatedFarm, *arguments: str) -> tuple[int, str]:
    with a_run(folder, farm, *arguments) as run:
        return run.wait(), run.output


def kept(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in (folder / "farm-results/latest").glob("*stranger*/*"))


def test_verdicts_and_artifacts_are_those_of_the_built_in_engine(appium_server: AppiumServer, tmp_path: Path) -> None:
    real, built_in = (a_suite(tmp_path / name, SHOP, LOGIN_APP) for name in ("real", "built-in"))
    with a_real_farm(real, appium_server.url) as farm, a_farm(built_in, TWO_PHONES + SHORT_DELAYS) as other:
        ended = [finished(real, farm)[0], finished(built_in, other)[0]]
        assert ended == [1, 1]
        assert farm.is_clean()
        assert verdicts(farm) == verdicts(other)
        assert verdicts(farm) == {"test_a_customer_is_greeted": ["PASSED"], "test_a_stranger_is_greeted": ["FAILED"]}
    assert kept(real) == kept(built_in)
    assert command_names(real, "stranger") == command_names(built_in, "stranger")
    # Only the real driver wraps the app in an element of its own.
    assert "<AppiumAUT>" in artifact(real, "stranger", "page-source.xml")
    assert "[HTTP] <-- GET /element/1/text 200" in artifact(real, "stranger", "appium.log")


def test_two_workers_share_one_server(appium_server: AppiumServer, tmp_path: Path) -> None:
    suite = """
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_typing(appium_driver, leased_device, number):
            assert appium_driver.capabilities["udid"] == leased_device.udid
            field = appium_driver.find_element("id", "user")
            field.send_keys(str(number))
            assert field.text == str(number)
    """
    folder = a_suite(tmp_path / "suite", suite, LOGIN_APP)
    with a_real_farm(folder, appium_server.url, PHONE) as farm:
        status, output = finished(folder, farm, "-n", "2", *FEW_ARTIFACTS)
        assert status == 0, output
        assert farm.is_clean()
        assert {phone for phone, _ in sessions(farm)} == {"phone-a", "phone-b"}
        assert [state for _, state in sessions(farm)] == ["PASSED"] * 6
        assert len(farm.record()["uploads"]) == 1


def test_what_the_driver_does_not_know_is_the_tests_own_failure(appium_server: AppiumServer, tmp_path: Path) -> None:
    suite = """
        import pytest
        from selenium.common.exceptions import WebDriverException

        def test_that_relies_on_it(appium_driver):
            appium_driver.is_app_installed("com.example.shop")

        def test_that_expects_it(appium_driver):
            with pytest.raises(WebDriverException, match="isAppInstalled"):
                appium_driver.is_app_installed("com.example.shop")
    """
    folder = a_suite(tmp_path / "suite", suite, LOGIN_APP)
    with a_real_farm(folder, appium_server.url) as farm:
        status, output = finished(folder, farm, *FEW_ARTIFACTS)
        assert status == 1, output
        assert "UnknownMethodException" in output
        assert verdicts(farm) == {"test_that_relies_on_it": ["FAILED"], "test_that_expects_it": ["PASSED"]}


def test_a_busy_server_is_infrastructure_told_in_its_own_words(
    appium_server: AppiumServer, xml_app: Path, tmp_path: Path
) -> None:
    folder = a_suite(tmp_path / "suite", UNIQUE, LOGIN_APP)
    wanted = {"platformName": "Fake", "appium:automationName": "Fake", "appium:deviceName": "Fake"}
    options = AppiumOptions().load_capabilities({**wanted, "appium:app": str(xml_app), "appium:uniqueApp": True})
    with a_real_farm(folder, appium_server.url) as farm:
        somebody = webdriver.Remote(appium_server.url, options=options)
        try:
            status, output = finished(folder, farm, *FEW_ARTIFACTS)
        finally:
            somebody.quit()
        assert status == 75, output
        assert "another unique session is in progress" in output
        assert {("phone-a", "ERROR"), ("phone-b", "ERROR")} == set(sessions(farm))
        assert farm.is_clean()
    assert leftovers(folder) == []


@pytest.mark.parametrize(
    ("capabilities", "words"),
    [(NO_APP, "'app' is required"), (STOCK.replace("{app_xml}", "/nowhere.xml"), "no such file")],
    ids=["unnamed", "absent"],
)
def test_a_missing_app_is_told_in_the_servers_words(
    appium_server: AppiumServer, tmp_path: Path, capabilities: str, words: str
) -> None:
    folder = a_suite(tmp_path / "suite", "def test_nothing(appium_driver): pass", LOGIN_APP)
    with a_real_farm(folder, appium_server.url, capabilities) as farm:
        status, output = finished(folder, farm, *FEW_ARTIFACTS)
        assert status == 75, output
        assert words in output
        assert farm.is_clean()


def test_a_phone_that_opens_no_session_is_replaced(appium_server: AppiumServer, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", "def test_nothing(appium_driver): pass", LOGIN_APP)
    (folder / "conftest.py").write_text(
        "def pytest_devicefarm_capabilities(lease):\n"
        "    return {'appium:farmFailCreate': 'no more memory'} if lease.device.udid == 'phone-a' else {}\n"
    )
    with a_real_farm(folder, appium_server.url, PHONE) as farm:
        status, output = finished(folder, farm, *FEW_ARTIFACTS)
        assert status == 0, output
        assert "no more memory" in artifact(folder, "nothing", "session.json")
        assert sessions(farm) == [("phone-a", "ERROR"), ("phone-b", "PASSED")]
        assert farm.is_clean()
