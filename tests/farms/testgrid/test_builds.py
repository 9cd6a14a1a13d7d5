"""Uploads and installations against prepared answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from farms.testgrid.opening import a_server, open_farm, refuses, says
from support.clocks import ManualClock
from support.web import Answer

from pytest_devicefarm.core.errors import AppError, ConfigurationError, FarmError, FarmRefused
from pytest_devicefarm.core.model import App, Build, Device
from pytest_devicefarm.farms.testgrid.builds import INSTALL_SECONDS

Answers = dict[str, Answer | list[Answer]]
SHA = "0123456789abcdef" * 4
UPLOAD, INSTALL, FACTS = "/api/app-upload", "/api/app-install", "/api/user/buildinfo/273/"
INSTALLED, UNINSTALL = "/api/user/installed-app/3/", "/api/user/uninstall-app/3/"
APPLICATIONS = "/api/user/applications"
PHONE = Device(id="3", udid="U-3", name="Galaxy S21", platform="android")
SHOP = App(id="273", reference="testgrid-build:273", platform="android", package="com.example.shop")
STARTED = says(response_url="")
THERE = says(data=[{"bundle_id": "com.example.shop", "name": "Shop"}])
NOT_THERE = says(data=[{"bundle_id": "Appium Settings"}, 7, {}])


def a_build(folder: Path, name: str = "shop.apk", platform: str = "android") -> Build:
    path = folder / name
    path.write_bytes(b"PK")
    return Build(path, SHA, 2, platform, "com.example.shop", "1.4")


def facts(**members: Any) -> Answer:
    return says(data={"app_build_id": "273", "build_name": "Shop", "bundle_id": "com.example.shop", **members})


def test_a_build_is_sent_under_a_name_with_its_digest(tmp_path: Path) -> None:
    answers = {UPLOAD: says(app_build_id="273"), FACTS: facts()}
    with a_server(answers) as server, open_farm(server.url) as farm:
        app = farm.upload(a_build(tmp_path))
        sent = server.asked[0].body
    assert b'filename="shop-0123456789ab.apk"' in sent
    assert b'name="platform"\r\n\r\n2' in sent
    assert (app.id, app.reference, app.package, app.sha256) == ("273", "testgrid-build:273", "com.example.shop", SHA)


@pytest.mark.parametrize("answer", [refuses("no such build"), Answer(body=b'{"success": true, "data": "null"}')])
def test_an_upload_stands_although_nothing_more_is_told(tmp_path: Path, answer: Answer) -> None:
    with a_server({UPLOAD: says(app_build_id=273), FACTS: answer}) as server, open_farm(server.url) as farm:
        assert farm.upload(a_build(tmp_path)).id == "273"


@pytest.mark.parametrize("name", ["shop.aab", "shop.zip"])
def test_what_is_neither_apk_nor_ipa_is_not_sent(tmp_path: Path, name: str) -> None:
    with a_server({}) as server, open_farm(server.url) as farm:
        with pytest.raises(AppError, match=name):
            farm.upload(a_build(tmp_path, name))
        assert server.asked == []


def test_an_upload_without_an_id_is_a_clear_error(tmp_path: Path) -> None:
    with a_server({UPLOAD: says()}) as server, open_farm(server.url) as farm, pytest.raises(FarmError, match=UPLOAD):
        farm.upload(a_build(tmp_path))


def test_a_build_that_is_refused_is_about_the_build(tmp_path: Path) -> None:
    answers: Answers = {UPLOAD: refuses("Upload failed: no manifest")}
    with a_server(answers) as server, open_farm(server.url) as farm, pytest.raises(AppError, match="no manifest"):
        farm.upload(a_build(tmp_path))


def test_an_account_that_is_full_is_not_about_the_build(tmp_path: Path) -> None:
    answers: Answers = {UPLOAD: refuses("Storage limit reached")}
    with a_server(answers) as server, open_farm(server.url) as farm, pytest.raises(FarmRefused, match="Storage limit"):
        farm.upload(a_build(tmp_path))


def test_a_build_that_is_known_is_checked_and_found(tmp_path: Path) -> None:
    build = a_build(tmp_path)
    with a_server({UPLOAD: says(app_build_id="273"), FACTS: facts()}) as server, open_farm(server.url) as farm:
        app = farm.upload(build)
        assert farm.find_app(build, app) == app


def test_an_id_that_means_another_build_by_now_does_not_count(tmp_path: Path) -> None:
    build = a_build(tmp_path)
    answers: Answers = {
        UPLOAD: says(app_build_id="273"),
        FACTS: [facts(), facts(build_name="Bank")],
        APPLICATIONS: says(data=[]),
    }
    with a_server(answers) as server, open_farm(server.url) as farm:
        assert farm.find_app(build, farm.upload(build)) is None


def test_a_build_is_found_by_the_digest_in_its_name(tmp_path: Path) -> None:
    answers: Answers = {
        APPLICATIONS: says(data=[{"app_id": 1, "cm_version_id": "470, 472,x"}]),
        "/api/user/build/472/": says(data={"app_build_list": "[]"}),
        "/api/user/build/470/": says(
            data={"app_build_list": '[{"app_build_id": "9", "file_name": "shop-0123456789ab.apk"}, 3]'}
        ),
    }
    with a_server(answers) as server, open_farm(server.url) as farm:
        found = farm.find_app(a_build(tmp_path), None)
    assert found is not None
    assert found.id == "9"


def test_a_reference_names_a_build() -> None:
    farm = open_farm("https://x.test")
    app = farm.parse_reference("testgrid-build:273")
    assert app is not None
    assert app.id == "273"


def test_what_begins_like_a_reference_has_to_be_one() -> None:
    with pytest.raises(ConfigurationError, match="testgrid-build:ID"):
        open_farm("https://x.test").parse_reference("testgrid-build:")


def test_anything_else_is_a_path() -> None:
    assert open_farm("https://x.test").parse_reference("build/shop.apk") is None


def test_an_installation_is_over_when_the_device_lists_the_package() -> None:
    clock = ManualClock()
    answers: Answers = {INSTALLED: [NOT_THERE, NOT_THERE, NOT_THERE, THERE], INSTALL: STARTED}
    with a_server(answers) as server, open_farm(server.url, clock) as farm:
        farm.install(PHONE, SHOP)
        assert server.forms(INSTALL)[0]["device_id"] == "3"
    assert len(clock.sleeps) == 2


def test_a_former_build_is_removed_first() -> None:
    answers: Answers = {INSTALLED: [THERE, THERE, NOT_THERE, THERE], INSTALL: STARTED, UNINSTALL: says()}
    with a_server(answers) as server, open_farm(server.url) as farm:
        farm.install(PHONE, SHOP)
        asked = [one.target for one in server.asked]
    assert asked.index(UNINSTALL) < asked.index(INSTALL)
    assert server.forms(UNINSTALL)[0]["bundle_id"] == "com.example.shop"


def test_a_former_build_that_stays_is_an_error_of_the_farm() -> None:
    with (
        a_server({INSTALLED: THERE, UNINSTALL: says()}) as server,
        open_farm(server.url) as farm,
        pytest.raises(FarmError, match="still lists the former build"),
    ):
        farm.install(PHONE, SHOP)


def test_an_installation_that_never_ends_has_a_deadline() -> None:
    clock = ManualClock()
    began = clock.time()
    with (
        a_server({INSTALLED: NOT_THERE, INSTALL: STARTED}) as server,
        open_farm(server.url, clock) as farm,
        pytest.raises(AppError, match="10 minutes"),
    ):
        farm.install(PHONE, SHOP)
    assert clock.time() - began <= INSTALL_SECONDS


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (b"Copying\nFailure [INSTALL_FAILED_OLDER_SDK]\nDone\n", "INSTALL_FAILED_OLDER_SDK"),
        (b"Copying\nInstallation failed: no space left\n\n", "no space left"),
    ],
)
def test_the_log_of_an_installation_tells_why_it_failed(log: bytes, reason: str) -> None:
    with a_server({"/log.txt": Answer(body=log)}) as files:
        started = says(response_url=f"{files.url}/log.txt")
        with (
            a_server({INSTALLED: NOT_THERE, INSTALL: started}) as server,
            open_farm(server.url) as farm,
            pytest.raises(AppError, match=reason),
        ):
            farm.install(PHONE, SHOP)


def test_a_log_that_cannot_be_read_does_not_stop_an_installation() -> None:
    answers: Answers = {INSTALLED: [NOT_THERE, NOT_THERE, THERE], INSTALL: says(response_url="see the portal")}
    with a_server(answers) as server, open_farm(server.url) as farm:
        farm.install(PHONE, SHOP)


def test_a_package_that_nobody_tells_cannot_be_waited_for() -> None:
    nameless = App(id="273", reference="testgrid-build:273")
    with (
        a_server({FACTS: facts(bundle_id="")}) as server,
        open_farm(server.url) as farm,
        pytest.raises(AppError, match="--farm-app"),
    ):
        farm.install(PHONE, nameless)


def test_a_build_the_farm_has_no_more_is_about_the_build() -> None:
    with (
        a_server({INSTALLED: NOT_THERE, INSTALL: refuses("Build not found")}) as server,
        open_farm(server.url) as farm,
        pytest.raises(AppError, match="Build not found"),
    ):
        farm.install(PHONE, SHOP)


def test_a_device_that_refuses_is_about_the_farm() -> None:
    with (
        a_server({INSTALLED: NOT_THERE, INSTALL: refuses("Device is offline")}) as server,
        open_farm(server.url) as farm,
        pytest.raises(FarmRefused, match="Device is offline"),
    ):
        farm.install(PHONE, SHOP)
