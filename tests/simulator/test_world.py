from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.kobiton import CLOUD, PIXEL, S22, a_world, an_app

from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.record import overlaps
from pytest_devicefarm.simulator.sessions import Session
from pytest_devicefarm.simulator.world import DeviceTaken, NoSuchDevice, World

ME, OTHER = "me@example.com", "other"


@pytest.fixture
def world() -> Iterator[World]:
    world = a_world()
    yield world
    world.close()


def begin(world: World, udid: str = S22, account: str = ME, idle_limit: float | None = None) -> Session:
    session = world.begin_session(
        account,
        lambda device: device.udid == udid,
        name="a test",
        description="",
        capabilities={},
        build=None,
        idle_limit=idle_limit,
    )
    world.ready_session(session, f"webdriver-{session.id}")
    return session


def fact(world: World, name: str) -> Any:
    return world.facts()[name]


def test_a_device_takes_one_session_at_a_time(world: World) -> None:
    begin(world)
    with pytest.raises(DeviceTaken):
        begin(world)


def test_a_session_needs_a_device_that_exists(world: World) -> None:
    with pytest.raises(NoSuchDevice):
        begin(world, "unheard of")


@pytest.mark.parametrize("udid", ["hidden", "mute", "offline"])
def test_devices_without_appium_take_no_session(world: World, udid: str) -> None:
    with pytest.raises(NoSuchDevice):
        begin(world, udid)


def test_an_ended_session_frees_its_device(world: World) -> None:
    world.end_session(begin(world))
    begin(world)


def test_ending_twice_keeps_the_first_end(world: World) -> None:
    session = begin(world)
    assert world.end_session(session)
    assert not world.end_session(session, "TERMINATED")
    assert session.state == "COMPLETE"


def test_a_forgotten_session_ends_as_timeout_when_its_pause_is_over(world: World) -> None:
    session = begin(world, idle_limit=60)
    world.clock.advance(59)
    world.settle()
    assert session.open
    world.clock.advance(100)
    world.settle()
    assert (session.state, session.ended) == ("TIMEOUT", session.started + 60)


def test_a_session_is_not_idle_while_a_command_runs(world: World) -> None:
    session = begin(world, idle_limit=60)
    session.running = 1
    world.clock.advance(600)
    world.settle()
    assert session.open


@pytest.mark.parametrize(("asked", "given"), [(1, 10), (99999, 1800), (120, 120), (None, 600), (0, 600)])
def test_the_farm_bounds_the_pause(world: World, asked: float | None, given: float) -> None:
    assert begin(world, idle_limit=asked).idle_limit == given


def test_a_reservation_gets_what_is_free_and_private(world: World) -> None:
    begin(world, PIXEL)
    _, got, failed = world.reserve(ME, [S22, PIXEL, CLOUD, "unheard of"], 600)
    assert (got, failed) == ((S22,), (PIXEL, CLOUD, "unheard of"))


def test_a_reservation_without_any_device_holds_nothing(world: World) -> None:
    world.reserve(ME, [CLOUD], 600)
    assert fact(world, "open_reservations") == []


def test_a_reserved_device_is_for_its_holder_only(world: World) -> None:
    world.reserve(OTHER, [S22], 600)
    with pytest.raises(DeviceTaken):
        begin(world)
    begin(world, account=OTHER)


def test_a_device_is_not_reserved_twice_even_by_the_same_account(world: World) -> None:
    world.reserve(ME, [S22], 600)
    assert world.reserve(ME, [S22], 600)[2] == (S22,)


def test_a_reservation_expires_on_the_clock(world: World) -> None:
    made, _, _ = world.reserve(OTHER, [S22], 600)
    world.clock.advance(600)
    assert made.status(world.clock.now()) == "expired"
    begin(world)


def test_a_cancelled_reservation_stays_in_the_record(world: World) -> None:
    made, _, _ = world.reserve(ME, [S22], 600)
    world.clock.advance(60)
    world.cancel(made)
    [kept] = fact(world, "reservations")
    assert (kept["status"], kept["released"] - kept["start"]) == ("cancelled", 60)


def test_another_users_work_ends_on_the_clock() -> None:
    world = a_world('[[device]]\nname = "Busy"\nudid = "busy"\nplatform = "ios"\nversion = "1"\nbusy_until = 30')
    with pytest.raises(DeviceTaken):
        begin(world, "busy")
    world.clock.advance(30)
    begin(world, "busy")
    world.close()


def test_a_build_is_usable_when_it_is_parsed(world: World) -> None:
    world.storage.keep("key", an_app())
    version = world.register_build(ME, "key", "shop.apk")
    assert version is not None
    assert version.state(world.clock.now()) == "parsing"
    world.clock.advance(world.delays.parsing)
    assert version.state(world.clock.now()) == "usable"
    assert (version.package, version.version, version.name) == ("com.example.shop", "1.4", "Shop")


def test_a_text_file_cannot_be_parsed(world: World) -> None:
    world.storage.keep("key", b"just text")
    version = world.register_build(ME, "key", "shop.apk")
    world.clock.advance(world.delays.parsing)
    assert version is not None
    assert version.state(world.clock.now()) == "failed"
    assert version.failure == "the file is not an app archive"


@pytest.mark.parametrize("kind", ["device_log", "appium_log", "video", "network_log"])
def test_artifacts_come_some_time_after_the_end(world: World, kind: str) -> None:
    session = begin(world)
    assert world.artifact(session, kind) is None
    world.end_session(session)
    assert world.artifact(session, kind) is None
    world.clock.advance(getattr(world.delays, kind))
    key = world.artifact(session, kind)
    assert key is not None
    stored = world.storage.find(key)
    assert stored is not None
    assert stored.size > 0


def test_overlaps_are_computed_from_what_happened(world: World) -> None:
    first = begin(world)
    world.clock.advance(10)
    second = begin(world, PIXEL)
    second.device = first.device
    world.clock.advance(5)
    world.end_session(first)
    world.clock.advance(5)
    assert fact(world, "overlaps") == [{"udid": S22, "sessions": [first.id, second.id], "seconds": 5.0}]


def test_sessions_one_after_the_other_do_not_overlap(world: World) -> None:
    world.end_session(begin(world))
    begin(world)
    begin(world, PIXEL)
    assert overlaps(world.sessions, world.clock.now() + 10) == []


def test_ended_sessions_stay_in_the_record(world: World) -> None:
    session = begin(world)
    world.end_session(session)
    assert fact(world, "open_sessions") == []
    [kept] = fact(world, "sessions")
    assert (kept["id"], kept["udid"], kept["state"], kept["open"]) == (session.id, S22, "COMPLETE", False)


def test_closing_the_world_removes_its_files() -> None:
    world = a_world()
    folder = world.storage.folder
    world.storage.keep("key", b"x")
    world.close()
    assert not folder.exists()


def a_device(world: World, udid: str = S22) -> Device:
    device = world.device(udid)
    assert device is not None
    return device


def test_devices_are_free_at_once_unless_the_farm_cleans_them(world: World) -> None:
    world.cleans_after_use = True
    world.end_session(begin(world))
    with pytest.raises(DeviceTaken):
        begin(world)
    world.clock.advance(world.delays.cleaning + world.delays.preparing)
    begin(world)


def test_a_session_that_died_of_inactivity_left_its_device_clean_since_then(world: World) -> None:
    world.cleans_after_use = True
    begin(world, idle_limit=60)
    world.clock.advance(60 + world.delays.cleaning + world.delays.preparing)
    begin(world)


def test_a_restart_ends_the_session_and_takes_its_time(world: World) -> None:
    session = begin(world)
    world.restart(a_device(world))
    assert session.state == "ERROR"
    assert not world.free_for(ME, a_device(world))
    world.clock.advance(world.delays.rebooting)
    assert world.free_for(ME, a_device(world))


def test_a_device_that_wants_hands_takes_no_session(world: World) -> None:
    a_device(world).unauthorised = True
    with pytest.raises(NoSuchDevice):
        begin(world)


def test_a_later_booking_holds_its_device_from_its_beginning(world: World) -> None:
    now = world.clock.now()
    assert world.book(OTHER, a_device(world), now + 60, now + 120) is not None
    assert world.free_for(ME, a_device(world))
    world.clock.advance(60)
    assert not world.free_for(ME, a_device(world))
    world.clock.advance(60)
    assert world.free_for(ME, a_device(world))


@pytest.mark.parametrize(("start", "end", "made"), [(0, 60, True), (0, 61, False), (119, 180, False), (120, 180, True)])
def test_bookings_share_no_time(world: World, start: int, end: int, made: bool) -> None:
    now = world.clock.now()
    world.book(OTHER, a_device(world), now + 60, now + 120)
    assert (world.book(ME, a_device(world), now + start, now + end) is not None) is made


def test_a_booking_that_waits_for_approval_holds_nothing(world: World) -> None:
    now = world.clock.now()
    world.book(OTHER, a_device(world), now, now + 120, pending=True)
    assert world.free_for(ME, a_device(world))
