"""What users get to read who gave something wrong: one message, once, with the next step in it."""

from __future__ import annotations

import socket
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.outcomes import USAGE, Outcome, disarm, outcome_of
from support.runs import SimulatedFarm, a_farm, a_suite

TAP = """
    def test_tap(appium_driver):
        appium_driver.find_element("id", "quick").click()
"""


@pytest.fixture(scope="module")
def one_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFarm]:
    with a_farm(tmp_path_factory.mktemp("farm")) as farm:
        yield farm


@pytest.fixture
def farm(one_farm: SimulatedFarm) -> Iterator[SimulatedFarm]:
    yield one_farm
    disarm(one_farm)
    assert one_farm.is_clean()
    assert not one_farm.record()["failures"]


def marked(mark: str) -> str:
    return f"""
        import pytest
        @pytest.mark.{mark}
        def test_tap(appium_driver):
            pass
    """


def refused(outcome: Outcome) -> str:
    """The message of a run that pytest refused, checked to be fit for a user."""
    assert outcome.status == USAGE, outcome.output
    assert outcome.is_plain(), outcome.output
    return outcome.message


# address and credentials


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_wrong_key_names_the_variables_to_check(tmp_path: Path, farm: SimulatedFarm, workers: str) -> None:
    outcome = outcome_of(a_suite(tmp_path, TAP), farm, "-n", workers, KOBITON_API_KEY="canary-wrong")
    message = refused(outcome)
    assert "401" in message
    assert "KOBITON_USERNAME" in message
    assert "KOBITON_API_KEY" in message
    assert "canary-wrong" not in outcome.output


def test_missing_credentials_are_listed_together(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, TAP), farm, KOBITON_API_KEY="", KOBITON_USERNAME=""))
    assert "KOBITON_USERNAME" in message
    assert "KOBITON_API_KEY" in message


def test_an_address_that_is_none_is_shown(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, TAP), farm, "--farm-url", "kobiton.test"))
    assert "'kobiton.test'" in message
    assert "http" in message


def test_an_unknown_farm_gets_a_suggestion(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, TAP), farm, "--farm", "kobitom"))
    assert "'kobitom'" in message
    assert "did you mean" in message
    assert "kobiton" in message


# marks


def test_an_unknown_device_name_gets_a_suggestion(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, marked("device(name='Galxy S22')")), farm))
    assert "test_suite.py::test_tap" in message
    assert "Galxy S22" in message
    assert 'did you mean "Galaxy S22"?' in message
    assert "--farm-unmatched=skip" in message


def test_an_unknown_device_name_is_told_once_by_many_workers(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, marked("device(name='Galxy S22')")), farm, "-n", "2"))
    assert 'did you mean "Galaxy S22"?' in message


def test_contradicting_marks_show_both_values(tmp_path: Path, farm: SimulatedFarm) -> None:
    source = """
        import pytest
        pytestmark = pytest.mark.device(platform="ios")
        @pytest.mark.device(platform="android")
        def test_tap(appium_driver):
            pass
    """
    message = refused(outcome_of(a_suite(tmp_path, source), farm))
    assert "test_suite.py::test_tap" in message
    assert "ios" in message
    assert "android" in message


@pytest.mark.parametrize(
    ("mark", "named"),
    [
        ("device(version='>>3')", ["'>>3'"]),
        ("device(verison='12')", ["verison", "version"]),
        ("device('android')", ["'android'", "platform="]),
        ("device(platform='windows')", ["windows", "android"]),
        ("app()", ["app mark", "build/shop.apk"]),
        ("appium_capabilities('x')", ["appium_capabilities", "dict"]),
    ],
)
def test_an_unreadable_mark_is_shown_with_its_test(
    tmp_path: Path, farm: SimulatedFarm, mark: str, named: list[str]
) -> None:
    message = refused(outcome_of(a_suite(tmp_path, marked(mark)), farm))
    assert "test_suite.py::test_tap" in message
    for text in named:
        assert text in message


def test_an_unreadable_device_query_is_shown(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, TAP), farm, "--farm-device", "platfrom=android"))
    assert "platfrom" in message
    assert "platform" in message.replace("platfrom", "")


# builds


def test_a_missing_build_is_named_with_the_folder_it_was_looked_for_in(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, TAP), farm, "--farm-app", "build/shop.apk"))
    assert "build/shop.apk" in message
    assert str(tmp_path) in message
    assert "--farm-app" in message


def test_a_text_file_is_no_build_whatever_its_name(tmp_path: Path, farm: SimulatedFarm) -> None:
    a_suite(tmp_path, TAP)
    (tmp_path / "shop.apk").write_text("<html>Please sign in</html>")
    message = refused(outcome_of(tmp_path, farm, "--farm-app", "shop.apk"))
    assert "shop.apk" in message
    assert "<html>Please sign in" in message
    assert "Nothing was uploaded" in message


def test_a_truncated_build_is_refused_before_it_is_sent(tmp_path: Path, farm: SimulatedFarm) -> None:
    a_suite(tmp_path, TAP)
    with zipfile.ZipFile(tmp_path / "whole.apk", "w") as archive:
        archive.writestr("app.xml", "<app/>")
        archive.writestr("more.bin", bytes(4000))
    (tmp_path / "shop.apk").write_bytes((tmp_path / "whole.apk").read_bytes()[:3000])
    message = refused(outcome_of(tmp_path, farm, "--farm-app", "shop.apk"))
    assert "shop.apk" in message
    assert "cut short" in message


def test_a_build_for_another_platform_only_is_said(tmp_path: Path, farm: SimulatedFarm) -> None:
    a_suite(tmp_path, TAP, app='<app package="a" version="1" platform="ios"><title>I</title></app>')
    message = refused(outcome_of(tmp_path, farm))
    assert "ios" in message
    assert "build" in message


# places


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_output_folder_that_cannot_be_is_an_error_before_anything_runs(
    tmp_path: Path, farm: SimulatedFarm, workers: str
) -> None:
    a_suite(tmp_path, TAP)
    (tmp_path / "taken").write_text("a file")
    message = refused(outcome_of(tmp_path, farm, "--farm-output", "taken", "-n", workers))
    assert str(tmp_path / "taken") in message
    assert "--farm-output" in message


def test_an_output_folder_below_a_place_for_no_files_is_an_error(tmp_path: Path, farm: SimulatedFarm) -> None:
    message = refused(outcome_of(a_suite(tmp_path, TAP), farm, "--farm-output", "/proc/results"))
    assert "/proc/results" in message
    assert "--farm-output" in message


def test_a_state_folder_that_cannot_be_is_an_error(tmp_path: Path, farm: SimulatedFarm) -> None:
    a_suite(tmp_path, TAP)
    (tmp_path / "taken").write_text("a file")
    message = refused(outcome_of(tmp_path, farm, "--farm-state", str(tmp_path / "taken")))
    assert str(tmp_path / "taken") in message
    assert "--farm-state" in message


def test_a_world_file_that_cannot_be_read_names_place_and_key(tmp_path: Path, farm: SimulatedFarm) -> None:
    a_suite(tmp_path, TAP)
    (tmp_path / "world.toml").write_text('[[device]]\nname = "A"\nplatfrom = "android"\n')
    message = refused(outcome_of(tmp_path, farm, "--farm-simulate", "--farm-world", "world.toml"))
    assert "world.toml" in message
    assert "did you mean 'platform'?" in message


# no farm there


def test_a_closed_port_fails_each_test_for_the_farms_sake(tmp_path: Path, farm: SimulatedFarm) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        outcome = outcome_of(a_suite(tmp_path, TAP), farm, "--farm-url", address)
    assert outcome.status == 75, outcome.output
    assert outcome.seconds < 25
    assert "Connection refused" in outcome.text
    assert "--farm-url" in outcome.text
