"""Real Android builds: what they say of themselves, and their way to a farm."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from real.appium_farm import FEW_ARTIFACTS, PHONE, a_real_farm
from real.appium_server import AppiumServer
from support.runs import a_run, a_suite

from pytest_devicefarm.core.builds import read_build

API_DEMOS = "ApiDemos-debug.apk"
SETTINGS = "settings_apk-debug.apk"
SERVER = "appium-uiautomator2-server-v10.6.6.apk"
SERVER_TEST = "appium-uiautomator2-server-debug-androidTest.apk"

SUITE = """
    import os
    import pytest

    def test_the_usual_build(appium_driver, installed_app):
        print(f"app {installed_app.package} {installed_app.version} named {installed_app.name}.")

    @pytest.mark.app(os.environ["SERVER_TEST"])
    def test_a_build_without_a_version(appium_driver, installed_app):
        print(f"app {installed_app.package} {installed_app.version} named {installed_app.name}.")
"""


@pytest.mark.parametrize(
    ("name", "package", "version"),
    [
        (API_DEMOS, "io.appium.android.apis", "5.0.0"),
        (SETTINGS, "io.appium.settings", "8.0.10"),
        (SERVER, "io.appium.uiautomator2.server", "10.6.6"),
        (SERVER_TEST, "io.appium.uiautomator2.server.test", ""),
    ],
)
def test_package_and_version_are_read(apks: dict[str, Path], name: str, package: str, version: str) -> None:
    build = read_build(apks[name])
    assert (build.platform, build.package, build.version) == ("android", package, version)


@pytest.mark.parametrize("name", [API_DEMOS, SERVER])
def test_digest_and_size_are_those_of_the_file(apks: dict[str, Path], name: str) -> None:
    content = apks[name].read_bytes()
    build = read_build(apks[name])
    assert (build.sha256, build.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_real_builds_are_uploaded_once(appium_server: AppiumServer, apks: dict[str, Path], tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", SUITE)
    builds = [read_build(apks[API_DEMOS]), read_build(apks[SERVER_TEST])]
    with a_real_farm(folder, appium_server.url, PHONE) as farm:
        for _ in range(2):
            arguments = ("-s", "--farm-app", str(apks[API_DEMOS]), *FEW_ARTIFACTS)
            with a_run(folder, farm, *arguments, SERVER_TEST=str(apks[SERVER_TEST])) as run:
                assert run.wait() == 0, run.output
                # Labels are resources, which nobody resolves: an app goes by the name of its file.
                assert "app io.appium.android.apis 5.0.0 named ApiDemos-debug" in run.output
                assert "app io.appium.uiautomator2.server.test " in run.output
        record = farm.record()
        assert farm.is_clean()
    assert record["uploads"] == {build.sha256: 1 for build in builds}
    assert [registered["filename"] for registered in record["registered"]] == [build.upload_name for build in builds]
    assert all(build.sha256[:12] in build.upload_name for build in builds)
