"""Reaping: what dead owners left is ended, nothing else is touched, and every entry gets its turn."""

from __future__ import annotations

import dataclasses
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from support.clocks import ManualClock
from support.farms import FakeFarm, a_device, fake_settings
from support.processes import Child, files_below

from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.files import acquired, kernel_lock, write_value
from pytest_devicefarm.core.journal import Journal, JournalEntry, journal_entries
from pytest_devicefarm.core.leases import LeaseBroker, Want
from pytest_devicefarm.core.owners import OwnerLock
from pytest_devicefarm.core.reaping import ReapReport, reap, tidy

LIFETIME = 3600.0


class Scene:
    """A farm, and a journal whose owner has ended once `die` is called."""

    def __init__(self, folder: Path, *, simulated: bool = False, url: str = "http://farm", **values: str) -> None:
        self.clock = ManualClock()
        self.state = folder / "state"
        self.farm = FakeFarm(fake_settings(folder / "farm", **values), clock=self.clock)
        self.journal = self.a_journal(self.farm.account, simulated=simulated, url=url)

    def a_journal(self, account: str, **facts: Any) -> Journal:
        facts = {"url": "http://farm", **facts}
        return Journal(self.state, run="run-1", farm="fake", account=account, clock=self.clock, **facts)

    def intend(self, token: str, kind: Any = "session") -> JournalEntry:
        return self.journal.intend(kind, a_device(), token, expires=self.clock.time() + LIFETIME)

    def session(self, token: str) -> JournalEntry:
        return self.journal.opened(self.intend(token), webdriver_id=self.farm.open_session(token))

    def reservation(self, token: str) -> JournalEntry:
        entry = self.intend(token, "reservation")
        return self.journal.opened(entry, reservation_id=self.farm.reserve([a_device()], seconds=60, token=token).id)

    def die(self) -> None:
        self.journal.close()

    def reap(self, *, deadline: float = 0.0, hung_run: str = "") -> ReapReport:
        return reap(
            self.farm,
            self.state,
            journal_entries(self.state),
            clock=self.clock,
            deadline=deadline,
            hung_run=hung_run,
        )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_sessions_and_reservations_of_the_dead_are_ended_and_forgotten(scene: Scene) -> None:
    scene.session("df-1")
    scene.reservation("df-2")
    scene.die()
    report = scene.reap()
    assert {entry.token for entry in report.ended} == {"df-1", "df-2"}
    assert scene.farm.sessions() == scene.farm.reservations() == set()
    assert journal_entries(scene.state) == []


def test_what_the_living_have_is_not_touched(scene: Scene) -> None:
    entry = scene.session("df-1")
    report = scene.reap()
    assert [(kept, reason.split(" (")[0]) for kept, reason in report.kept] == [(entry, "its owner is alive")]
    assert scene.farm.sessions() == {"df-1"}
    assert scene.farm.ended() == []


def test_a_run_that_hangs_is_ended_when_that_is_asked_for(scene: Scene) -> None:
    scene.session("df-1")
    assert scene.reap(hung_run="another").ended == []
    assert [entry.token for entry in scene.reap(hung_run="run-1").ended] == ["df-1"]


def test_what_no_journal_lists_is_not_touched(scene: Scene) -> None:
    scene.farm.open_session("df-foreign")
    scene.farm.reserve([a_device()], seconds=60, token="df-foreign")
    scene.session("df-1")
    scene.die()
    scene.reap()
    assert scene.farm.sessions() == {"df-foreign"}
    assert scene.farm.reservations() == {"r-df-foreign"}


def test_other_accounts_and_farms_are_left_alone(scene: Scene) -> None:
    entry = scene.session("df-1")
    path = scene.state / "journal" / f"{entry.id}.json"
    scene.die()
    for other in (dataclasses.replace(entry, account="fake://eu"), dataclasses.replace(entry, farm="another")):
        write_value(path, other)
        report = scene.reap()
        assert [kept for kept, _ in report.kept] == [other]
    assert scene.farm.sessions() == {"df-1"}


def test_an_intent_whose_session_came_up_is_ended_by_its_token(scene: Scene) -> None:
    scene.intend("df-1")
    scene.farm.open_session("df-1")
    scene.die()
    assert [entry.token for entry in scene.reap().ended] == ["df-1"]
    assert scene.farm.sessions() == set()


def test_a_reservation_whose_id_was_never_told_is_found_by_its_token(scene: Scene) -> None:
    scene.intend("df-1", "reservation")
    scene.farm.reserve([a_device()], seconds=60, token="df-1")
    scene.die()
    assert [entry.token for entry in scene.reap().ended] == ["df-1"]
    assert scene.farm.reservations() == set()


def test_an_intent_is_looked_for_until_the_deadline_and_kept(scene: Scene) -> None:
    entry = scene.intend("df-1")
    scene.die()
    start = scene.clock.monotonic()
    report = scene.reap(deadline=5)
    assert report.kept == [(entry, "the farm does not show it yet; it may still come up")]
    assert scene.clock.monotonic() - start == pytest.approx(5)
    assert journal_entries(scene.state) == [entry]


def test_an_intent_that_would_be_over_by_itself_is_dropped(scene: Scene) -> None:
    entry = scene.intend("df-1")
    scene.die()
    scene.clock.advance(LIFETIME)
    assert scene.reap().dropped == [entry]
    assert journal_entries(scene.state) == []


def test_a_farm_that_does_not_answer_keeps_the_entry_with_the_reason(scene: Scene) -> None:
    entry = scene.session("df-1")
    scene.die()
    (scene.farm.folder / "unreachable").write_text("")
    ((kept, reason),) = scene.reap().kept
    assert kept == entry
    assert "does not answer" in reason
    assert journal_entries(scene.state) == [entry]


def test_one_entry_that_fails_does_not_stop_the_others(scene: Scene) -> None:
    scene.session("df-1")
    broken = scene.session("df-2")
    (scene.farm.folder / "df-2.session").unlink()
    (scene.farm.folder / "df-2.session").mkdir()
    scene.session("df-3")
    scene.die()
    report = scene.reap()
    assert {entry.token for entry in report.ended} == {"df-1", "df-3"}
    assert [entry for entry, _ in report.kept] == [broken]


def test_a_simulated_entry_whose_simulator_is_gone_is_dropped(tmp_path: Path) -> None:
    scene = Scene(tmp_path, simulated=True)
    entry = scene.session("df-1")
    scene.die()
    (scene.farm.folder / "unreachable").write_text("")
    assert scene.reap().dropped == [entry]


def test_a_simulator_of_another_run_is_asked_for_by_its_address(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        other = scene.a_journal("fake://other", simulated=True, url=url)
        entry = other.intend("session", a_device(), "df-1", expires=2e9)
        other.close()
        assert [kept for kept, _ in scene.reap().kept] == [entry]
    assert scene.reap().dropped == [entry]


def test_two_reapers_do_not_collide(scene: Scene) -> None:
    entry = scene.session("df-1")
    scene.die()
    lock = kernel_lock(scene.state / "journal" / f"{entry.id}.lock")
    assert acquired(lock)
    assert scene.reap().kept == [(entry, "another process is ending it")]
    lock.release()
    assert scene.reap().ended == [entry]
    assert scene.farm.ended() == ["df-1"]


def test_an_entry_that_another_reaper_has_ended_counts_as_ended(scene: Scene) -> None:
    entry = scene.session("df-1")
    scene.die()
    entries = journal_entries(scene.state)
    scene.reap()
    report = reap(scene.farm, scene.state, entries, clock=scene.clock, deadline=0)
    assert report.ended == [entry]
    assert scene.farm.ended() == ["df-1"]


def test_what_became_known_after_the_list_was_taken_is_used(scene: Scene) -> None:
    entries = [scene.intend("df-1", "reservation")]
    scene.journal.opened(entries[0], reservation_id=scene.farm.reserve([a_device()], seconds=9, token="df-other").id)
    scene.die()
    assert reap(scene.farm, scene.state, entries, clock=scene.clock, deadline=0).ended[0].state == "open"
    assert scene.farm.reservations() == set()


def test_entries_are_ended_at_the_same_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path, close_seconds="0.2")
    for number in range(8):
        scene.session(f"df-{number}")
    scene.die()
    start = time.monotonic()
    assert len(scene.reap().ended) == 8
    assert time.monotonic() - start < 1.2


def test_nothing_is_left_in_the_journal_folder(scene: Scene) -> None:
    scene.session("df-1")
    scene.die()
    scene.reap()
    assert files_below(scene.state) == []


CHILD = """
    import sys
    from pathlib import Path
    from pytest_devicefarm.core.clock import SystemClock
    from pytest_devicefarm.core.leases import LeaseBroker, Want
    from support.farms import a_device
    broker = LeaseBroker(Path(sys.argv[1]), account="us", run="run-child", clock=SystemClock())
    lease, = broker.lease([Want([a_device("pixel")])], timeout=0, usable=lambda devices: {})
    print("leased", flush=True)
    sys.stdin.readline()
"""


def test_tidying_removes_what_the_dead_left_and_keeps_what_the_living_have(tmp_path: Path) -> None:
    state = tmp_path / "state"
    owner = OwnerLock(state, run="run-1")
    broker = LeaseBroker(state, account="us", run="run-1", clock=SystemClock(), owner=owner)
    (lease,) = broker.lease([Want([a_device("galaxy")])], timeout=0, usable=lambda devices: {})
    before = files_below(state)
    with Child(CHILD, state) as child:
        assert child.read() == "leased"
        child.kill()
    devices = next(state.glob("pools/*/devices"))
    (devices / "record.json.12345678.tmp").write_text("half")
    tidy(state, clock=SystemClock())
    assert files_below(state) == before
    lease.check()
    owner.release()


def test_tidying_makes_no_folder(tmp_path: Path) -> None:
    tidy(tmp_path / "state", clock=SystemClock())
    assert not (tmp_path / "state").exists()
