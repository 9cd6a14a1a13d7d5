"""Whole test runs on Appium 2, which farms have beside Appium 3."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real.appium_farm import FEW_ARTIFACTS, LOGIN_APP, STOCK, a_real_farm, artifact, sessions, verdicts
from real.appium_server import Appium, AppiumServer, install_appium, running_appium
from real.test_local_pool import TYPING, a_command, a_pool, an_environment, started
from real.test_runs import SHOP
from support.pool import a_pool_run
from support.processes import eventually
from support.runs import a_run, a_suite, leftovers

SOURCE = Path(__file__).parents[1] / "appium2"
WELCOME = "Welcome to Appium v2."


@pytest.fixture(scope="module")
def appium2() -> Appium:
    """Appium 2 and its fake driver, installed from npm."""
    try:
        return install_appium(SOURCE)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Appium 2 cannot be installed here: {error}")


@pytest.fixture(scope="module")
def appium2_server(appium2: Appium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppiumServer]:
    """One server for the tests of a cloud's phones."""
    with running_appium(appium2, tmp_path_factory.mktemp("appium2") / "server.log") as server:
        yield server


def test_a_cloud_learns_the_verdicts_and_gives_the_artifacts(appium2_server: AppiumServer, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", SHOP, LOGIN_APP)
    with a_real_farm(folder, appium2_server.url) as farm, a_run(folder, farm) as run:
        assert run.wait() == 1, run.output
        assert farm.is_clean()
        assert verdicts(farm) == {"test_a_customer_is_greeted": ["PASSED"], "test_a_stranger_is_greeted": ["FAILED"]}
    # Only the real driver wraps the app in an element of its own.
    assert "<AppiumAUT>" in artifact(folder, "stranger", "page-source.xml")
    assert "/element/1/text 200" in artifact(folder, "stranger", "appium.log")
    assert WELCOME in appium2_server.log.read_text()
    assert leftovers(folder) == []


def test_a_refused_session_is_told_in_the_servers_words(appium2_server: AppiumServer, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", "def test_nothing(appium_driver): pass", LOGIN_APP)
    with (
        a_real_farm(folder, appium2_server.url, STOCK.replace("{app_xml}", "/nowhere.xml")) as farm,
        a_run(folder, farm, *FEW_ARTIFACTS) as run,
    ):
        assert run.wait() == 75, run.output
        assert "no such file" in run.output
        assert {state for _, state in sessions(farm)} == {"ERROR"}
        assert farm.is_clean()
    assert leftovers(folder) == []


def test_a_pool_starts_it_and_ends_it_with_the_run(appium2: Appium, xml_app: Path, tmp_path: Path) -> None:
    stock = {"platformName": "Fake", "appium:automationName": "Fake", "appium:app": str(xml_app)}
    server: dict[str, object] = {"name": "own", "command": a_command(appium2), "log": "own.log"}
    folder = a_pool(tmp_path / "suite", TYPING, [server], **stock)
    with a_pool_run(folder, "-n", "2", **an_environment(appium2)) as run:
        assert run.wait(180) == 0, run.output
        assert eventually(lambda: started(folder) == [], 10)
    assert len(list(folder.glob("seen-*"))) == 8
    assert WELCOME in (folder / "own.log").read_text()
    assert leftovers(folder) == []
