from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from pytest_devicefarm.simulator.clock import Clock


def sleeping(clock: Clock, seconds: float, until: Callable[[], bool] = lambda: False) -> threading.Thread:
    thread = threading.Thread(target=clock.sleep, args=(seconds, until))
    thread.start()
    assert clock.wait_for_sleeper()
    return thread


def test_a_stopped_clock_only_moves_by_hand() -> None:
    clock = Clock(speed=0, start=100)
    clock.advance(5)
    assert clock.now() == 105


def test_a_fast_clock_gains_on_real_time() -> None:
    clock = Clock(speed=1_000_000, start=0)
    clock.sleep(100)
    assert clock.now() >= 100


def test_a_sleeper_wakes_when_its_moment_has_come() -> None:
    clock = Clock(speed=0)
    thread = sleeping(clock, 10)
    clock.advance(9)
    assert thread.is_alive()
    clock.advance(1)
    thread.join(5)
    assert not thread.is_alive()


def test_a_sleeper_wakes_when_its_condition_holds() -> None:
    clock = Clock(speed=0)
    done = threading.Event()
    thread = sleeping(clock, 10, done.is_set)
    done.set()
    clock.wake()
    thread.join(5)
    assert not thread.is_alive()


def test_nobody_sleeps_on_a_closed_clock() -> None:
    clock = Clock(speed=0)
    thread = sleeping(clock, 10)
    clock.close()
    thread.join(5)
    assert not thread.is_alive()


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock(speed=0).advance(-1)


def test_moments_are_iso_texts_in_utc() -> None:
    assert Clock(speed=0, start=0.25).iso() == "1970-01-01T00:00:00.250Z"


def test_the_calendar_of_a_stopped_clock_is_the_clock() -> None:
    clock = Clock(speed=0, start=100)
    clock.advance(50)
    assert (clock.calendar(), clock.moment(160), clock.date(160)) == (150, 160, 160)


def test_the_calendar_of_a_fast_clock_keeps_to_real_time() -> None:
    clock = Clock(speed=1000, start=0)
    clock.sleep(5000)
    assert 5 <= clock.calendar() < 60
    assert clock.now() >= 5000


def test_dates_and_moments_lead_to_each_other() -> None:
    clock = Clock(speed=1000, start=0)
    moment = clock.moment(600)
    assert moment >= 500_000
    assert abs(clock.date(moment) - 600) < 0.1
