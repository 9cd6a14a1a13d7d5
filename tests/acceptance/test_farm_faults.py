"""What a farm does wrong never fails quietly, never costs more than it must, and never leaves anything behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.outcomes import INFRASTRUCTURE, USAGE, Outcome, disarm, outcome_of
from support.runs import SLOW_APP, TWO_PHONES, SimulatedFarm, a_farm, a_run, a_suite, leftovers

TAP = """
    def test_tap(appium_driver):
        appium_driver.find_element("id", "quick").click()
"""
THREE = """
    import pytest
    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_tap(appium_driver, number):
        appium_driver.find_element("id", "quick").click()
"""
PAGE = "<html><head><title>Sign in</title></head><body>Please sign in</body></html>"
PASSED, FAILED = 0, 1


@pytest.fixture(scope="module")
def one_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFarm]:
    with a_farm(tmp_path_factory.mktemp("farm")) as farm:
        yield farm


@pytest.fixture
def farm(one_farm: SimulatedFarm, tmp_path: Path) -> Iterator[SimulatedFarm]:
    yield one_farm
    disarm(one_farm)
    assert one_farm.is_clean(), one_farm.record()
    assert not one_farm.record()["failures"]
    # A session request without an answer is kept in mind for an hour: the session may still come up.
    assert [name for name in leftovers(tmp_path) if not name.startswith("journal/")] == []


def a_new_build() -> str:
    """The source of an app that no farm has seen."""
    return SLOW_APP.replace("com.example.slow", f"com.example.x{uuid.uuid4().hex}")


def requests(farm: SimulatedFarm, operation: str) -> int:
    return int(farm.record()["requests"].get(operation, 0))


def run(folder: Path, farm: SimulatedFarm, *arguments: str, source: str = TAP, app: str | None = None) -> Outcome:
    a_suite(folder, source, app or SLOW_APP)
    return outcome_of(folder, farm, "--farm-artifact-wait", "0.5", "--farm-wait", "15", *arguments)


def blamed_on_the_farm(outcome: Outcome) -> str:
    """The text of a run in which nothing failed but the farm."""
    assert outcome.status == INFRASTRUCTURE, outcome.output
    assert "infrastructure problems:" in outcome.output
    assert outcome.has_no_frames(), outcome.output
    return outcome.text


# no answer, and answers that are none


@pytest.mark.parametrize("operation", ["getDevices", "generateAppUploadUrl", "hub.create"])
def test_a_web_page_where_json_should_be_is_shown(tmp_path: Path, farm: SimulatedFarm, operation: str) -> None:
    farm.fault(operation=operation, effect="status", status=200, html=PAGE, count=-1)
    text = blamed_on_the_farm(run(tmp_path, farm, app=a_new_build()))
    assert "Sign in" in text
    assert "address" in text


@pytest.mark.parametrize("operation", ["generateAppUploadUrl", "createApplicationOrVersion", "hub.command"])
def test_half_an_answer_costs_a_repeat_at_most(tmp_path: Path, farm: SimulatedFarm, operation: str) -> None:
    farm.fault(operation=operation, effect="half")
    outcome = run(tmp_path, farm, app=a_new_build())
    assert outcome.status == PASSED, outcome.output
    assert "1 passed" in outcome.output
    assert outcome.has_no_frames(), outcome.output


@pytest.mark.parametrize("operation", ["generateAppUploadUrl", "createApplicationOrVersion", "hub.create"])
def test_wrong_types_are_the_farms_fault(tmp_path: Path, farm: SimulatedFarm, operation: str) -> None:
    farm.fault(operation=operation, effect="wrong_types", count=-1)
    blamed_on_the_farm(run(tmp_path, farm, app=a_new_build()))


def test_devices_of_wrong_types_are_shown(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="getDevices", effect="wrong_types", count=-1)
    outcome = run(tmp_path, farm)
    assert outcome.status == USAGE, outcome.output
    assert outcome.is_plain(), outcome.output


# builds


def test_a_build_that_cannot_be_parsed_is_sent_once_and_is_not_the_farms_fault(
    tmp_path: Path, farm: SimulatedFarm
) -> None:
    farm.fault(
        operation="createApplicationOrVersion", effect="parse_failure", reason="no provisioning profile", count=-1
    )
    before = requests(farm, "storage.put")
    outcome = run(tmp_path, farm, source=THREE, app=a_new_build())
    assert outcome.status == FAILED, outcome.output
    assert "no provisioning profile" in outcome.text
    assert "3 errors" in outcome.output
    assert "repeated" not in outcome.output
    assert "infrastructure problems:" not in outcome.output
    assert requests(farm, "storage.put") == before + 1
    assert outcome.has_no_frames(), outcome.output


def test_a_registration_whose_answer_is_lost_is_repeated_or_told(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="createApplicationOrVersion", effect="lost_reply")
    before = requests(farm, "storage.put")
    outcome = run(tmp_path, farm, app=a_new_build())
    assert outcome.status == PASSED, outcome.output
    assert requests(farm, "storage.put") <= before + 2


# devices and sessions


def test_a_device_taken_just_before_the_session_costs_another_device(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="hub.create", effect="busy_after_choice", seconds=20)
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output


def test_a_session_that_is_not_created_once_is_tried_again(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="hub.create", effect="session_not_created", reason="The device is warming up.")
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output


def test_a_session_that_is_never_created_shows_the_farms_reason(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="hub.create", effect="session_not_created", reason="The device is warming up.", count=-1)
    text = blamed_on_the_farm(run(tmp_path, farm))
    assert "The device is warming up." in text
    assert "Galaxy S22" in text or "Pixel 8" in text


@pytest.mark.parametrize(
    "fault", [{"effect": "hub_gone"}, {"effect": "hub_gone", "status": 502}, {"effect": "drop"}], ids=str
)
def test_a_hub_that_goes_in_the_middle_of_a_test_is_the_farms_fault(
    tmp_path: Path, farm: SimulatedFarm, fault: dict[str, str | int]
) -> None:
    farm.fault(operation="hub.command", count=-1, **fault)
    text = blamed_on_the_farm(run(tmp_path, farm))
    assert "SessionLost" in text
    assert "1 repeated" in text


def test_a_hub_that_goes_once_costs_one_repeat_on_another_device(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="hub.command", effect="hub_gone")
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output
    assert "1 passed, 1 repeated" in outcome.output
    assert len({session["udid"] for session in farm.record()["sessions"][-2:]}) == 2


def test_a_session_whose_answer_is_lost_is_ended(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="hub.create", effect="lost_reply")
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output


def test_a_device_that_goes_offline_in_the_middle_costs_one_repeat_elsewhere(tmp_path: Path) -> None:
    with a_farm(tmp_path) as farm:
        farm.fault(operation="hub.command", effect="device_offline")
        outcome = run(tmp_path, farm)
        assert outcome.status == PASSED, outcome.output
        assert "1 passed, 1 repeated" in outcome.output
        assert len({session["udid"] for session in farm.record()["sessions"]}) == 2
        assert farm.is_clean()


# reservations


def test_a_reservation_granted_in_part_is_given_back(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="createReservation", effect="reservation_half", udids=["phone-a", "phone-b"])
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output


def test_a_reservation_whose_answer_is_lost_is_ended(tmp_path: Path) -> None:
    # It is found again by time, so here both sides have the same.
    with a_farm(tmp_path, TWO_PHONES.replace("speed = 10", "speed = 1")) as farm:
        farm.fault(operation="createReservation", effect="lost_reply")
        outcome = run(tmp_path, farm)
        assert outcome.status == PASSED, outcome.output
        assert farm.is_clean(), farm.record()


def test_a_reservation_that_is_always_refused_shows_the_farms_words(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="createReservation", status=409, body={"message": "Quota exceeded"}, count=-1)
    text = blamed_on_the_farm(run(tmp_path, farm))
    assert "Quota exceeded" in text


# slow and busy farms


def test_a_farm_that_asks_for_patience_gets_it(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="getDevices", status=429, retry_after=2)
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output
    assert outcome.seconds > 2


def test_a_farm_that_asks_for_too_much_patience_is_quoted(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="getDevices", status=429, retry_after=3600, count=-1)
    outcome = run(tmp_path, farm)
    text = blamed_on_the_farm(outcome)
    assert "429" in text
    assert "3600 s" in text


@pytest.mark.parametrize("operation", ["getDevices", "createReservation"])
def test_a_farm_that_is_out_of_order_for_a_moment_does_not_matter(
    tmp_path: Path, farm: SimulatedFarm, operation: str
) -> None:
    farm.fault(operation=operation, status=503, text="out of order", retry_after=1)
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output


def test_slow_answers_only_take_longer(tmp_path: Path, farm: SimulatedFarm) -> None:
    for operation in ("getDevices", "createReservation", "hub.create", "hub.command"):
        farm.fault(operation=operation, effect="delay", seconds=10)
    outcome = run(tmp_path, farm)
    assert outcome.status == PASSED, outcome.output


def test_a_farm_that_is_down_fails_the_tests_of_each_worker_and_no_others(tmp_path: Path, farm: SimulatedFarm) -> None:
    source = THREE + "\n    def test_plain():\n        pass\n"
    a_suite(tmp_path, source)
    outcome = outcome_of(tmp_path, farm, "--farm-url", "http://127.0.0.1:9", "-n", "2", "--farm-retries", "0")
    text = blamed_on_the_farm(outcome)
    assert "Connection refused" in text
    assert "1 passed" in text
    assert "3 errors" in text


# artifacts


def test_an_artifact_that_never_comes_is_a_note_and_no_failure(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="getSession", effect="artifact_never", count=-1)
    outcome = run(tmp_path, farm, "--farm-video", "on", "--farm-device-log", "on", "--farm-artifact-wait", "2")
    assert outcome.status == PASSED, outcome.output
    assert "artifacts that did not come:" in outcome.output
    assert "video: " in outcome.output
    assert outcome.seconds < 15


def test_an_expired_link_is_asked_for_again(tmp_path: Path, farm: SimulatedFarm) -> None:
    farm.fault(operation="storage.get", status=403, reason="Request has expired", count=1)
    outcome = run(tmp_path, farm, "--farm-video", "on", "--farm-artifact-wait", "20")
    assert outcome.status == PASSED, outcome.output
    assert "artifacts: 1 video" in outcome.output


# several at once


def test_two_runs_on_one_state_folder_take_turns_on_one_device(tmp_path: Path, farm: SimulatedFarm) -> None:
    with ExitStack() as runs:
        both = []
        for name in ("one", "two"):
            a_suite(tmp_path / name, THREE)
            state = {"DEVICEFARM_STATE": str(tmp_path / "state")}
            both.append(runs.enter_context(a_run(tmp_path / name, farm, "--farm-device", "name=Pixel*", **state)))
        for one in both:
            assert one.wait() == PASSED, one.output


def test_more_workers_than_devices_wait_for_each_other(tmp_path: Path, farm: SimulatedFarm) -> None:
    before, uploads = len(farm.record()["sessions"]), requests(farm, "storage.put")
    outcome = run(tmp_path, farm, "-n", "4", source=THREE.replace("[1, 2, 3]", "range(6)"), app=a_new_build())
    assert outcome.status == PASSED, outcome.output
    assert "6 passed" in outcome.output
    assert len(farm.record()["sessions"]) == before + 6
    assert requests(farm, "storage.put") == uploads + 1
