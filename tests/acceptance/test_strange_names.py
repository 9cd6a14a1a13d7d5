"""Names that nobody would choose: of devices, of tests and of folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.outcomes import USAGE, outcome_of
from support.runs import TWO_PHONES, a_farm, a_run, a_suite, leftovers

TAP = """
    def test_tap(appium_driver):
        appium_driver.find_element("id", "quick").click()
"""
EVIL = r"""
[clock]
speed = 10
[[device]]
name = "<img src=x onerror=alert(1)>"
udid = "..%2F..evil"
platform = "android"
version = "13"
[[device]]
name = "\u001b[31mred\u0007\u0000\nFAKED: 100 passed\u202e"
udid = "phone-b"
platform = "android"
version = "14"
"""
TERMINAL = set("\x1b\x07\x00\u202e")


def test_devices_with_markup_and_escapes_in_their_names_do_no_harm(tmp_path: Path) -> None:
    source = """
        import pytest
        @pytest.mark.parametrize("udid", ["..%2F..evil", "phone-b"])
        def test_both(request, udid, lease_device):
            with lease_device(udid=udid):
                pass
        @pytest.mark.device(udid="..%2F..evil")
        def test_one(appium_driver):
            appium_driver.find_element("id", "no-such-thing")
        @pytest.mark.device(udid="phone-b")
        def test_other(appium_driver):
            appium_driver.find_element("id", "no-such-thing")
    """
    with a_farm(tmp_path, EVIL) as farm:
        a_suite(tmp_path / "suite", source)
        more = ("--html", "report.html", "--self-contained-html", "--junit-xml", "junit.xml")
        outcome = outcome_of(tmp_path / "suite", farm, "--farm-artifact-wait", "0.5", "--color", "no", *more)
        assert outcome.status == 1, outcome.output
        assert "2 failed, 2 passed" in outcome.output
        assert not TERMINAL & set(outcome.output)
        assert not any(line.startswith("FAKED") for line in outcome.output.splitlines())
        page = (tmp_path / "suite" / "report.html").read_text()
        assert "<img src=x" not in page
        written = [path for path in tmp_path.rglob("*") if "evil" in path.name]
        assert all((tmp_path / "suite") in path.parents for path in written)
        assert farm.is_clean(), farm.record()["violations"]
        assert leftovers(tmp_path / "suite") == []


def test_near_misses_with_escapes_in_their_names_are_printed_harmlessly(tmp_path: Path) -> None:
    with a_farm(tmp_path, EVIL) as farm:
        source = TAP.replace("def test", "import pytest\n    @pytest.mark.device(name='Pixel')\n    def test", 1)
        a_suite(tmp_path, source)
        outcome = outcome_of(tmp_path, farm, "--color", "no")
        assert outcome.status == USAGE, outcome.output
        assert not TERMINAL & set(outcome.output)
        assert not any(line.startswith("FAKED") for line in outcome.output.splitlines())


def test_test_ids_of_any_kind_become_folders_and_names_of_sessions(tmp_path: Path) -> None:
    source = """
        import pytest
        NAMES = ["\U0001f600", "a/../../b", "\\\\back", "x" * 5000, "CON", "a b\\tc", "..", "%s{}"]
        @pytest.mark.parametrize("name", NAMES, ids=NAMES)
        def test_tap(appium_driver, name):
            appium_driver.find_element("id", "quick").click()
    """
    with a_farm(tmp_path, TWO_PHONES) as farm:
        a_suite(tmp_path / "suite", source)
        outcome = outcome_of(
            tmp_path / "suite", farm, "-n", "2", "--farm-screenshot", "on", "--farm-artifact-wait", "0.5"
        )
        assert outcome.status == 0, outcome.output
        assert "8 passed" in outcome.output
        assert len(list((tmp_path / "suite" / "farm-results").rglob("session.json"))) == 8
        assert farm.is_clean(), farm.record()
        assert max(len(session["name"]) for session in farm.record()["sessions"]) <= 200


@pytest.mark.parametrize("place", ["plain", "with spaces and ümläuts"])
def test_a_run_may_be_started_from_another_folder(tmp_path: Path, place: str) -> None:
    with a_farm(tmp_path, TWO_PHONES) as farm:
        a_suite(tmp_path / place / "suite", TAP)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        suite = tmp_path / place / "suite"
        outcome = outcome_of(
            elsewhere,
            farm,
            str(suite),
            "--farm-app",
            f"../{place}/suite/slow.apk",
            "--farm-screenshot",
            "on",
            "--farm-artifact-wait",
            "0.5",
        )
        assert outcome.status == 0, outcome.output
        assert list((elsewhere / "farm-results").rglob("*.png"))
        assert farm.is_clean(), farm.record()


def test_a_build_named_in_the_ini_file_is_found_from_any_folder(tmp_path: Path) -> None:
    with a_farm(tmp_path, TWO_PHONES) as farm:
        suite = a_suite(tmp_path / "suite", TAP)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        with a_run(elsewhere, farm, str(suite)) as run:
            assert run.wait() == 0, run.output
        assert farm.is_clean(), farm.record()
