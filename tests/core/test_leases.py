"""Leases: one holder a device, first come first served, all or none, and nothing left by whoever is killed."""

from __future__ import annotations

import math
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from support.clocks import ManualClock
from support.farms import FakeFarm, a_device, fake_settings
from support.processes import Child, eventually, files_below

from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.errors import ConfigurationError, DeviceWaitTimeout, FarmUnreachable, LeaseLost
from pytest_devicefarm.core.journal import Journal, orphans
from pytest_devicefarm.core.leases import Lease, LeaseBroker, WaitReport, Want, leases_on
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.reaping import reap, tidy

PIXEL, GALAXY, IPHONE = a_device("pixel"), a_device("galaxy"), a_device("iphone", platform="ios")

CHILD = """
    import sys
    from pathlib import Path
    from pytest_devicefarm.core.clock import SystemClock
    from pytest_devicefarm.core.journal import Journal
    from pytest_devicefarm.core.leases import LeaseBroker, Want
    from support.farms import a_device
    state, clock = Path(sys.argv[1]), SystemClock()
    broker = LeaseBroker(state, account="us", run="run-child", clock=clock)
    lease, = broker.lease(
        [Want([a_device("pixel")])],
        timeout=60,
        usable=lambda devices: {},
        on_wait=lambda report: print("waiting", flush=True),
    )
    journal = Journal(state, run="run-child", farm="fake", account="us", url="", clock=clock)
    journal.intend("session", lease.device, "df-child", expires=2e9)
    print("leased", flush=True)
    sys.stdin.readline()
"""


def a_broker(
    state: Path, run: str = "run-1", *, clock: ManualClock | None = None, account: str = "us", poll_seconds: float = 5.0
) -> LeaseBroker:
    return LeaseBroker(state, account=account, run=run, clock=clock or ManualClock(), poll_seconds=poll_seconds)


def everything_is_free(devices: Sequence[Device]) -> Mapping[str, tuple[DeviceState, str]]:
    return {device.udid: (DeviceState.FREE, "") for device in devices}


def take(broker: LeaseBroker, *wants: Sequence[Device], timeout: float = 0.0) -> list[Lease]:
    return broker.lease([Want(want) for want in wants], timeout=timeout, usable=everything_is_free)


def queued(state: Path) -> list[str]:
    return [name for name in files_below(state) if "/queue/" in name]


class Once:
    """A callback for the wait that does something the first time."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action
        self.reports: list[WaitReport] = []

    def __call__(self, report: WaitReport) -> None:
        self.reports.append(report)
        if len(self.reports) == 1:
            self._action()


# one holder


def test_the_best_free_candidate_is_leased(tmp_path: Path) -> None:
    (lease,) = take(a_broker(tmp_path), [GALAXY, PIXEL])
    assert lease.device is GALAXY
    lease.check()
    assert queued(tmp_path) == []


def test_a_device_has_one_holder(tmp_path: Path) -> None:
    take_first = take(a_broker(tmp_path, "run-1"), [PIXEL, GALAXY])
    take_second = take(a_broker(tmp_path, "run-2"), [PIXEL, GALAXY])
    assert [lease.device for lease in (*take_first, *take_second)] == [PIXEL, GALAXY]


def test_threads_of_one_process_are_kept_apart_too(tmp_path: Path) -> None:
    broker = a_broker(tmp_path)
    kept = take(broker, [PIXEL])
    with pytest.raises(DeviceWaitTimeout):
        take(broker, [PIXEL])
    assert len(kept) == 1


def test_accounts_do_not_meet(tmp_path: Path) -> None:
    ours, theirs = take(a_broker(tmp_path), [PIXEL]), take(a_broker(tmp_path, account="eu"), [PIXEL])
    assert ours[0].device == theirs[0].device


def test_a_released_device_is_free_and_nothing_is_left_of_the_lease(tmp_path: Path) -> None:
    broker = a_broker(tmp_path)
    (lease,) = take(broker, [PIXEL])
    lease.release()
    lease.release()
    assert [name for name in files_below(tmp_path) if "/devices/" in name] == []
    assert take(a_broker(tmp_path, "run-2"), [PIXEL])


def test_a_lease_is_given_back_although_the_state_folder_is_gone(tmp_path: Path) -> None:
    (lease,) = take(a_broker(tmp_path / "state"), [PIXEL])
    (tmp_path / "state").rename(tmp_path / "elsewhere")
    lease.release()
    assert not (tmp_path / "state").exists()


def test_hostile_device_names_stay_inside_the_state_folder(tmp_path: Path) -> None:
    state = tmp_path / "a" / "state"
    (lease,) = take(a_broker(state, "../../run", account="../../us"), [a_device("../../../x\0y")])
    assert all(name.startswith("a/state/") for name in files_below(tmp_path))
    lease.check()


# all or none


def test_several_wants_get_different_devices(tmp_path: Path) -> None:
    leases = take(a_broker(tmp_path), [PIXEL, GALAXY], [PIXEL])
    assert [lease.device for lease in leases] == [GALAXY, PIXEL]


def test_all_or_none(tmp_path: Path) -> None:
    kept = take(a_broker(tmp_path, "run-2"), [IPHONE])
    with pytest.raises(DeviceWaitTimeout):
        take(a_broker(tmp_path), [PIXEL], [IPHONE])
    assert [record.udid for record in leases_on(tmp_path)] == ["iphone"]
    assert kept[0].device is IPHONE


def test_more_wants_than_devices_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"2 devices are wanted at the same time, but only 1 match: Pixel"):
        take(a_broker(tmp_path), [PIXEL], [PIXEL], timeout=600)


# waiting


def test_a_waiter_gets_the_device_when_it_is_given_back(tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])
    on_wait = Once(other.release)
    (lease,) = a_broker(tmp_path).lease([Want([PIXEL])], timeout=60, usable=everything_is_free, on_wait=on_wait)
    assert lease.device is PIXEL
    assert queued(tmp_path) == []


def test_the_report_names_who_holds_what_since_when(tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])
    on_wait = Once(other.release)
    a_broker(tmp_path).lease([Want([PIXEL])], timeout=60, usable=everything_is_free, on_wait=on_wait)
    (report,) = on_wait.reports
    assert (report.matching, report.busy, report.waited) == (1, 1, 0.0)
    assert report.holders[0].startswith("Pixel (android 14, pixel): held by run run-2, pid ")
    assert " since " in report.holders[0]


def test_a_long_wait_is_reported_every_ten_seconds(tmp_path: Path) -> None:
    kept = take(a_broker(tmp_path, "run-2"), [PIXEL])
    on_wait = Once(lambda: None)
    with pytest.raises(DeviceWaitTimeout):
        a_broker(tmp_path).lease([Want([PIXEL])], timeout=35, usable=everything_is_free, on_wait=on_wait)
    assert [round(report.waited) for report in on_wait.reports] == [0, 10, 20, 30]
    assert kept


def test_the_deadline_gives_an_error_with_a_line_for_each_device(tmp_path: Path) -> None:
    clock = ManualClock()
    kept = take(a_broker(tmp_path, "run-2", clock=clock), [PIXEL])
    with pytest.raises(DeviceWaitTimeout) as caught:
        a_broker(tmp_path, clock=clock).lease(
            [Want([PIXEL, GALAXY])],
            timeout=30,
            usable=lambda devices: {"galaxy": (DeviceState.BUSY, "utilized by somebody")},
        )
    assert "no device became free within 30 s; 2 would do:" in str(caught.value)
    assert "Pixel (android 14, pixel): held by run run-2, pid " in str(caught.value)
    assert "Galaxy (android 14, galaxy): busy at the farm, utilized by somebody" in str(caught.value)
    assert "--farm-wait" in str(caught.value)
    assert len(caught.value.holders) == 2
    assert queued(tmp_path) == []
    assert kept


def test_a_later_waiter_does_not_overtake(tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])

    def a_third_comes() -> None:
        other.release()
        with pytest.raises(DeviceWaitTimeout, match=r"kept for run run-1, .*, which came earlier"):
            take(a_broker(tmp_path, "run-3"), [PIXEL])

    on_wait = Once(a_third_comes)
    (lease,) = a_broker(tmp_path).lease([Want([PIXEL])], timeout=60, usable=everything_is_free, on_wait=on_wait)
    assert lease.device is PIXEL


def test_a_later_waiter_takes_what_earlier_ones_cannot_use(tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])
    third: list[Lease] = []

    def a_third_comes() -> None:
        third.extend(take(a_broker(tmp_path, "run-3"), [GALAXY]))
        other.release()

    a_broker(tmp_path).lease([Want([PIXEL])], timeout=60, usable=everything_is_free, on_wait=Once(a_third_comes))
    assert third[0].device is GALAXY


def test_a_waiter_for_two_is_not_starved_by_those_who_want_one(tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])

    def a_third_comes() -> None:
        with pytest.raises(DeviceWaitTimeout, match="kept for run run-1"):
            take(a_broker(tmp_path, "run-3"), [IPHONE])
        other.release()

    leases = a_broker(tmp_path).lease(
        [Want([PIXEL]), Want([IPHONE])], timeout=60, usable=everything_is_free, on_wait=Once(a_third_comes)
    )
    assert [lease.device for lease in leases] == [PIXEL, IPHONE]


def test_a_device_the_farm_refuses_an_earlier_waiter_is_open_to_a_later_one(tmp_path: Path) -> None:
    clock = ManualClock()
    second: list[Lease] = []

    def a_second_comes() -> None:
        second.extend(take(a_broker(tmp_path, "run-2", clock=clock), [PIXEL]))

    with pytest.raises(DeviceWaitTimeout):
        a_broker(tmp_path, clock=clock).lease(
            [Want([PIXEL])],
            timeout=1,
            usable=lambda devices: {"pixel": (DeviceState.OFFLINE, "set aside in this run")},
            on_wait=Once(a_second_comes),
        )
    assert second[0].device is PIXEL


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, FarmUnreachable("gone"), ValueError])
def test_a_waiter_that_is_interrupted_leaves_nothing(error: BaseException, tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])

    def interrupted(report: WaitReport) -> None:
        raise error

    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever it is
        a_broker(tmp_path).lease([Want([PIXEL])], timeout=60, usable=everything_is_free, on_wait=interrupted)
    assert queued(tmp_path) == []
    other.release()
    assert take(a_broker(tmp_path, "run-3"), [PIXEL])


def test_a_farm_that_fails_while_it_is_asked_leaves_nothing(tmp_path: Path) -> None:
    def failing(devices: Sequence[Device]) -> Mapping[str, tuple[DeviceState, str]]:
        raise FarmUnreachable("gone")

    with pytest.raises(FarmUnreachable):
        a_broker(tmp_path).lease([Want([PIXEL])], timeout=60, usable=failing)
    assert queued(tmp_path) == []
    assert take(a_broker(tmp_path, "run-2"), [PIXEL])


def test_a_wait_without_end_is_a_wait(tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])
    on_wait = Once(other.release)
    wants = [Want([PIXEL])]
    assert a_broker(tmp_path).lease(wants, timeout=math.inf, usable=everything_is_free, on_wait=on_wait)


# asking the farm


def test_a_busy_device_is_asked_for_once_in_poll_seconds(tmp_path: Path) -> None:
    clock = ManualClock()
    farm = FakeFarm(fake_settings(tmp_path / "farm"), clock=clock)
    farm.devices = [a_device("pixel", state=DeviceState.BUSY)]
    with pytest.raises(DeviceWaitTimeout):
        a_broker(tmp_path, clock=clock).lease([Want([PIXEL])], timeout=20, usable=farm.device_states)
    assert 4 <= farm.asked <= 5


def test_the_farm_is_not_asked_while_every_candidate_is_held_here(tmp_path: Path) -> None:
    clock = ManualClock()
    farm = FakeFarm(fake_settings(tmp_path / "farm"), clock=clock)
    kept = take(a_broker(tmp_path, "run-2", clock=clock), [PIXEL])
    with pytest.raises(DeviceWaitTimeout):
        a_broker(tmp_path, clock=clock).lease([Want([PIXEL])], timeout=20, usable=farm.device_states)
    assert farm.asked == 0
    assert kept


def test_a_device_that_the_farm_frees_is_taken(tmp_path: Path) -> None:
    clock = ManualClock()
    farm = FakeFarm(fake_settings(tmp_path / "farm"), clock=clock)
    farm.devices = [a_device("pixel", state=DeviceState.BUSY)]

    def freed() -> None:
        farm.devices = [PIXEL]

    (lease,) = a_broker(tmp_path, clock=clock).lease(
        [Want([PIXEL])], timeout=60, usable=farm.device_states, on_wait=Once(freed)
    )
    assert lease.device.udid == "pixel"
    assert farm.asked == 2


def test_a_device_given_back_here_is_taken_without_waiting_for_the_farm_to_say_so(tmp_path: Path) -> None:
    clock = ManualClock()
    (other,) = take(a_broker(tmp_path, "run-2", clock=clock), [PIXEL])
    asked: list[int] = []

    def all_busy(devices: Sequence[Device]) -> Mapping[str, tuple[DeviceState, str]]:
        asked.append(len(devices))
        return {device.udid: (DeviceState.BUSY, "") for device in devices}

    start = clock.monotonic()
    (lease,) = a_broker(tmp_path, clock=clock).lease(
        [Want([GALAXY, PIXEL])], timeout=60, usable=all_busy, on_wait=Once(other.release)
    )
    assert lease.device is PIXEL
    assert len(asked) == 1
    assert clock.monotonic() - start < 1


# the life of a lease


def test_a_lease_said_to_be_lost_is_lost(tmp_path: Path) -> None:
    (lease,) = take(a_broker(tmp_path), [PIXEL])
    lease.lost("the device went offline")
    lease.lost("something later")
    with pytest.raises(LeaseLost, match=r"lease of Pixel .* is lost: the device went offline\. .*devicefarm leases"):
        lease.check()


def test_a_released_lease_is_lost(tmp_path: Path) -> None:
    (lease,) = take(a_broker(tmp_path), [PIXEL])
    lease.release()
    with pytest.raises(LeaseLost, match="it was given back"):
        lease.check()


def test_a_lease_whose_record_was_removed_is_lost(tmp_path: Path) -> None:
    (lease,) = take(a_broker(tmp_path), [PIXEL])
    for record in tmp_path.glob("pools/*/devices/*.json"):
        record.unlink()
    with pytest.raises(LeaseLost, match="removed from the state folder"):
        lease.check()


def test_a_lease_that_was_taken_over_is_lost_and_its_release_harms_nobody(tmp_path: Path) -> None:
    (lease,) = take(a_broker(tmp_path), [PIXEL])
    for file in tmp_path.glob("pools/*/devices/*"):
        file.unlink()
    (theirs,) = take(a_broker(tmp_path, "run-2"), [PIXEL])
    with pytest.raises(LeaseLost, match="taken over by run run-2"):
        lease.check()
    lease.release()
    theirs.check()


def test_a_lease_in_use_is_shown_to_be(tmp_path: Path) -> None:
    clock = ManualClock()
    (lease,) = take(a_broker(tmp_path, clock=clock), [PIXEL])
    (before,) = leases_on(tmp_path, clock=clock)
    clock.advance(10)
    lease.touch()
    assert leases_on(tmp_path, clock=clock) == [before]
    clock.advance(30)
    lease.touch()
    (after,) = leases_on(tmp_path, clock=clock)
    assert (after.heartbeat - before.heartbeat, after.expires - before.expires) == (40, 40)
    lease.check()


def test_leases_of_all_accounts_are_listed(tmp_path: Path) -> None:
    kept = [*take(a_broker(tmp_path), [PIXEL]), *take(a_broker(tmp_path, "run-2", account="eu"), [GALAXY])]
    listed = {(record.account, record.udid, record.run, record.alive) for record in leases_on(tmp_path)}
    assert listed == {("us", "pixel", "run-1", True), ("eu", "galaxy", "run-2", True)}
    assert kept


def test_listing_writes_nothing(tmp_path: Path) -> None:
    assert leases_on(tmp_path / "state") == []
    assert not (tmp_path / "state").exists()


# the dead


def test_a_dead_owner_is_taken_over_with_what_it_left_at_the_farm(tmp_path: Path) -> None:
    with Child(CHILD, tmp_path) as child:
        assert child.read() == "leased"
        with pytest.raises(DeviceWaitTimeout, match="held by run run-child"):
            take(a_broker(tmp_path), [PIXEL])
        child.kill()
    assert [record.alive for record in leases_on(tmp_path)] == [False]
    (lease,) = take(a_broker(tmp_path), [PIXEL])
    assert [entry.token for entry in lease.inherited] == ["df-child"]
    assert [record.run for record in leases_on(tmp_path)] == ["run-1"]


def test_what_the_dead_left_on_other_devices_is_not_inherited(tmp_path: Path) -> None:
    with Child(CHILD, tmp_path) as child:
        assert child.read() == "leased"
        child.kill()
    assert take(a_broker(tmp_path), [GALAXY])[0].inherited == ()


def test_a_dead_waiter_keeps_nobody_waiting_and_its_ticket_goes(tmp_path: Path) -> None:
    (other,) = take(a_broker(tmp_path, "run-2"), [PIXEL])
    with Child(CHILD, tmp_path) as child:
        assert child.read() == "waiting"
        assert len(queued(tmp_path)) == 1
        child.kill()
    other.release()
    assert take(a_broker(tmp_path), [PIXEL])
    assert queued(tmp_path) == []


def test_ctrl_c_while_waiting_leaves_no_ticket(tmp_path: Path) -> None:
    kept = take(a_broker(tmp_path, "run-2"), [PIXEL])
    with Child(CHILD, tmp_path) as child:
        assert child.read() == "waiting"
        child.signal(signal.SIGINT)
        child.wait()
    assert queued(tmp_path) == []
    assert kept


def test_a_waiter_that_was_stopped_keeps_others_no_longer_than_it_meant_to_wait(tmp_path: Path) -> None:
    clock = ManualClock(time.time())
    (other,) = take(a_broker(tmp_path, "run-2", clock=clock), [PIXEL])
    with Child(CHILD, tmp_path) as child:
        assert child.read() == "waiting"
        child.signal(signal.SIGSTOP)
        other.release()
        with pytest.raises(DeviceWaitTimeout, match="kept for run run-child"):
            take(a_broker(tmp_path, clock=clock), [PIXEL])
        clock.advance(70)
        assert take(a_broker(tmp_path, clock=clock), [PIXEL])


WORKER = """
    import os, random, sys, time
    from pathlib import Path
    from pytest_devicefarm.core.clock import SystemClock
    from pytest_devicefarm.core.journal import Journal
    from pytest_devicefarm.core.leases import LeaseBroker, Want
    from pytest_devicefarm.core.owners import OwnerLock
    from pytest_devicefarm.core.reaping import reap
    from support.farms import FakeFarm, a_device, fake_settings
    state, log, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    chance, clock = random.Random(seed), SystemClock()
    farm = FakeFarm(fake_settings(log / "farm"), clock=clock)
    owner = OwnerLock(state, run=f"run-{seed}")
    journal = Journal(state, run="", farm="fake", account=farm.account, url="", clock=clock, owner=owner)
    broker = LeaseBroker(state, account=farm.account, run="", clock=clock, owner=owner)
    devices = [a_device(name) for name in ("pixel", "galaxy", "iphone")]
    def note(device, word):
        with (log / device.udid).open("a") as file:
            file.write(f"{word} {os.getpid()}\\n")
    print("ready", flush=True)
    sys.stdin.readline()
    for round in range(8):
        wants = [Want(chance.sample(devices, chance.choice([1, 2, 3])))]
        if chance.random() < 0.2:
            wants = [Want(devices), Want(devices)]
        leases = broker.lease(wants, timeout=30, usable=lambda devices: {})
        entries = []
        for lease in leases:
            note(lease.device, "begin")
            reap(farm, state, lease.inherited, clock=clock, deadline=0)
            token = f"df-{seed}-{round}-{lease.device.udid}"
            entry = journal.intend("session", lease.device, token, expires=clock.time() + 600)
            farm.open_session(token)
            entries.append(journal.opened(entry, webdriver_id=f"wd-{token}"))
        time.sleep(chance.random() * 0.01)
        for entry, lease in zip(entries, leases):
            farm.end_session(entry.handle)
            journal.closed(entry)
            lease.check()
            note(lease.device, "end")
            lease.release()
    owner.release()
"""


def overlaps(history: Sequence[str]) -> list[str]:
    """Ends that do not follow their own begin: somebody else began in between."""
    return [
        line
        for before, line in zip(["", *history], history, strict=False)
        if line.startswith("end") and before != line.replace("end", "begin")
    ]


def test_eight_processes_share_three_devices_while_some_are_killed(tmp_path: Path) -> None:
    state, chance = tmp_path / "state", random.Random(7)
    workers = [Child(WORKER, state, tmp_path, seed) for seed in range(8)]
    try:
        assert [worker.read() for worker in workers] == ["ready"] * 8
        for worker in workers:
            worker.tell("go")
        doomed = chance.sample(workers, 3)
        for count, worker in enumerate(doomed):
            assert eventually(lambda: sum(map(len, histories(tmp_path))) > 10 * count)  # noqa: B023 - called here
            worker.kill()
        assert [worker.wait() for worker in workers if worker not in doomed] == [0] * 5
    finally:
        for worker in workers:
            worker.kill()

    assert [overlaps(history) for history in histories(tmp_path)] == [[], [], []]
    clock = SystemClock()
    farm = FakeFarm(fake_settings(tmp_path / "farm"), clock=clock)
    report = reap(farm, state, orphans(state), clock=clock, deadline=0)
    for entry, _ in report.kept:  # killed between its intent and the answer of the farm
        assert entry.state == "intended"
        Journal(state, run="", farm="", account="", url="", clock=clock).closed(entry)
    tidy(state, clock=clock)
    assert farm.sessions() == set()
    assert [name for name in files_below(state) if not name.endswith((".tmp", "pool.lock"))] == []


def histories(folder: Path) -> list[list[str]]:
    return [
        (folder / name).read_text().splitlines() if (folder / name).exists() else []
        for name in ("pixel", "galaxy", "iphone")
    ]
