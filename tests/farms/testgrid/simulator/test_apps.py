from __future__ import annotations

import threading
from typing import Any

import pytest
from support.kobiton import an_app
from support.testgrid import IPHONE, PACKAGE, S22, SimulatedTestGrid

from pytest_devicefarm.farms.testgrid.simulator.devices import short_code


class Application:
    """An application with one version and one build in it."""

    def __init__(self, farm: SimulatedTestGrid) -> None:
        made = farm.call("/api/create-application", version_name="1", application_name="Shop", platform_type="android")
        self.id: str = made["response"]["app_id"]
        self.tokens = {
            "application_token": made["response"]["application_token"],
            "version_token": made["response"]["application_version_token"],
        }
        said = farm.call("/ci/upload_app_build", **self.tokens, build_name="shop-1", upload_file=("shop.apk", an_app()))
        assert (said["status"], said["statuscode"]) == (1, "200")
        self.build: str = said["app_build_id"]

    def install_form(self, farm: SimulatedTestGrid, **more: Any) -> dict[str, Any]:
        device = farm.world.device("s22")
        assert device is not None
        code = short_code(device)
        return {**self.tokens, "process_type": "oaa", "s_device": code, "app_build_id": self.build, **more}


def test_a_build_of_a_version_is_described(farm: SimulatedTestGrid) -> None:
    app = Application(farm)
    data = farm.call(f"/api/user/buildinfo/{app.build}/")["data"]
    assert (data["bundle_id"], data["build_name"], data["app_id"]) == (PACKAGE, "shop-1", app.id)
    assert farm.token in data["build_server_url"]


def test_applications_list_their_versions(farm: SimulatedTestGrid) -> None:
    app = Application(farm)
    farm.upload()
    version = farm.call(f"/api/user/version/{app.id}/", version_name="2", version_platform="android")["data"]
    [ready, listed] = farm.call("/api/user/applications")["data"]
    assert (ready["name"], ready["cm_version_id"]) == ("Simulated", "481")
    assert (listed["app_id"], listed["cm_version_id"]) == (app.id, f"482,{version['version_id']}")
    shown = farm.call(f"/api/user/applications/{app.id}/")["data"]["versions"]
    assert [v["version_name"] for v in shown] == ["2", "1"]


def test_a_version_lists_its_builds_and_holds_the_tokens(documented: SimulatedTestGrid) -> None:
    app = Application(documented)
    data = documented.call("/api/user/build/482/")["data"]
    assert (data["application_token"], data["user_token"]) == (app.tokens["application_token"], documented.token)
    assert app.build in data["app_build_list"]
    assert isinstance(data["app_build_list"], str)


def test_a_build_is_installed_and_waited_for(farm: SimulatedTestGrid) -> None:
    app = Application(farm)
    answers: list[Any] = []
    form = app.install_form(farm)
    waiting = threading.Thread(target=lambda: answers.append(farm.call("/api/build/app-install", **form)))
    waiting.start()
    assert farm.world.clock.wait_for_sleeper()
    assert farm.installed() == ["Appium Settings"]
    farm.world.clock.advance(farm.world.delays.parsing + farm.world.delays.installing)
    waiting.join(10)
    assert answers[0]["message"] == "Application installed Successfully"
    assert PACKAGE in farm.installed()


def test_an_installation_may_only_be_started(farm: SimulatedTestGrid) -> None:
    app = Application(farm)
    said = farm.call("/ci/app_build_install", **app.install_form(farm))
    assert said["status"] == 1
    assert said["response_url"].startswith(farm.url)
    assert PACKAGE not in farm.installed()
    farm.world.clock.advance(farm.world.delays.parsing + farm.world.delays.installing)
    assert PACKAGE in farm.installed()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"application_token": "x"}, "application token"),
        ({"version_token": "x"}, "version token"),
        ({"process_type": "oia"}, "do not fit"),
        ({"s_device": "nobody"}, "Device not found"),
    ],
)
def test_an_installation_that_does_not_fit_is_refused(
    farm: SimulatedTestGrid, wrong: dict[str, str], words: str
) -> None:
    form = Application(farm).install_form(farm, **wrong)
    assert words in farm.refused("/ci/app_build_install", **form)


def test_a_build_of_its_own_takes_its_time(farm: SimulatedTestGrid) -> None:
    build = farm.upload()
    farm.world.clock.advance(farm.world.delays.parsing)
    said = farm.call("/api/app-install", app_build_id=build, device_id=S22)
    assert said["status"] in (True, 1)
    farm.world.clock.advance(farm.world.delays.installing - 0.5)
    assert PACKAGE not in farm.installed()
    farm.world.clock.advance(0.5)
    assert PACKAGE in farm.installed()


def test_uploads_are_counted_by_content(farm: SimulatedTestGrid) -> None:
    farm.upload()
    farm.upload()
    assert list(farm.world.facts()["uploads"].values()) == [2]


def test_an_installation_may_never_end(farm: SimulatedTestGrid) -> None:
    build = farm.upload()
    farm.fails("installAppDirect", "install_never")
    farm.call("/api/app-install", app_build_id=build, device_id=S22)
    farm.world.clock.advance(100000)
    assert PACKAGE not in farm.installed()


def test_a_file_that_is_no_app_is_refused(farm: SimulatedTestGrid) -> None:
    file = ("shop.apk", b"text")
    assert "not an app archive" in farm.refused("/api/app-upload", platform="2", upload_file=file)


def test_an_upload_can_be_made_to_fail(farm: SimulatedTestGrid) -> None:
    farm.fails("uploadAppDirect", "parse_failure", reason="bad manifest")
    assert "bad manifest" in farm.refused("/api/app-upload", platform="2", upload_file=("shop.apk", an_app()))


def test_the_ending_has_to_fit_the_platform(farm: SimulatedTestGrid) -> None:
    assert ".ipa" in farm.refused("/api/app-upload", platform="1", upload_file=("shop.apk", an_app()))


def test_a_build_is_for_one_platform(farm: SimulatedTestGrid) -> None:
    build = farm.upload()
    assert "not for this device" in farm.refused("/api/app-install", app_build_id=build, device_id=IPHONE)


def test_an_upload_without_a_file_is_noted(farm: SimulatedTestGrid) -> None:
    farm.refused("/api/app-upload", platform="2")
    assert len(farm.world.facts()["violations"]) == 1


def test_an_app_leaves_the_device_some_time_after_the_request(farm: SimulatedTestGrid) -> None:
    farm.install(farm.upload())
    farm.call(f"/api/user/uninstall-app/{S22}/", bundle_id=PACKAGE)
    assert PACKAGE in farm.installed()
    farm.world.clock.advance(1)
    assert PACKAGE not in farm.installed()


def test_a_removed_build_is_not_known_any_more(farm: SimulatedTestGrid) -> None:
    build = farm.upload()
    farm.call(f"/api/user/removebuilds/{build}/")
    assert farm.refused(f"/api/user/buildinfo/{build}/") == "Build not found."


def test_builds_of_others_are_not_known(farm: SimulatedTestGrid) -> None:
    build = farm.upload()
    assert farm.other().refused(f"/api/user/buildinfo/{build}/") == "Build not found."
