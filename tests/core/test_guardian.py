"""The guardian: ends what a run left when the run was killed or hangs, and does nothing after a good end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from support.clocks import ManualClock
from support.farms import FakeFarm, fake_settings
from support.processes import Child, eventually, files_below

from pytest_devicefarm.core.guardian import Guardian
from pytest_devicefarm.core.journal import journal_entries

# A run with a session, a reservation and a guardian; it does what it is told over its standard input.
RUN = """
    import os, signal, sys, threading, time
    from pathlib import Path
    from pytest_devicefarm.core.clock import SystemClock
    from pytest_devicefarm.core.guardian import Guardian
    from pytest_devicefarm.core.journal import Journal
    from support.farms import FakeFarm, a_device, fake_settings
    state, folder, grace = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    clock, settings = SystemClock(), fake_settings(folder, close_seconds=sys.argv[4])
    farm = FakeFarm(settings, clock=clock)
    journal = Journal(state, run="run-1", farm="fake", account=farm.account, url="", clock=clock)
    def session(token):
        entry = journal.intend("session", a_device(), token, expires=clock.time() + 600)
        return journal.opened(entry, webdriver_id=farm.open_session(token))
    def reservation(token):
        entry = journal.intend("reservation", a_device(), token, expires=clock.time() + 600)
        return journal.opened(entry, reservation_id=farm.reserve([a_device()], seconds=600, token=token).id)
    def close_all():
        for entry in journal.mine():
            farm.end_session(entry.handle) if entry.kind == "session" else farm.cancel(entry.reservation_id)
            journal.closed(entry)
    guardian = Guardian.start(settings, "support.farms:FakeFarm", state, "run-1", grace=grace)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.set_wakeup_fd(guardian.wakeup_fd, warn_on_full_buffer=False)
    session("df-1"), session("df-2"), reservation("df-3")
    print(guardian._process.pid, flush=True)
    for line in sys.stdin:
        exec(line)
        print("done", flush=True)
"""


class Run:
    """A run in a process of its own."""

    def __init__(self, folder: Path, *, grace: float = 0.2, close_seconds: float = 0.0) -> None:
        self.state = folder / "state"
        self.farm = FakeFarm(fake_settings(folder / "farm"), clock=ManualClock())
        self.child = Child(RUN, self.state, folder / "farm", grace, close_seconds)
        self.guardian = int(self.child.read())

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        assert eventually(self.guardian_ended), "the guardian outlives its run"

    def do(self, source: str) -> None:
        self.child.tell(source)
        assert self.child.read() == "done"

    def guardian_ended(self) -> bool:
        try:
            os.kill(self.guardian, 0)
        except ProcessLookupError:
            return True
        # Its parent, dead or alive, may not have waited for it.
        return Path(f"/proc/{self.guardian}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    def guardian_ignores(self, number: int) -> bool:
        status = Path(f"/proc/{self.guardian}/status").read_text()
        return bool(int(status.partition("SigIgn:")[2].split()[0], 16) >> (number - 1) & 1)

    def nothing_is_left(self) -> bool:
        return not (self.farm.sessions() or self.farm.reservations() or journal_entries(self.state))


def test_a_killed_run_is_ended_within_five_seconds(tmp_path: Path) -> None:
    with Run(tmp_path, grace=1.5) as run:
        killed = time.monotonic()
        run.child.kill()
        assert eventually(run.nothing_is_left, 5.0)
        assert time.monotonic() - killed > 1.4
        assert sorted(run.farm.ended()) == ["df-1", "df-2", "r-df-3"]


def test_a_killed_run_leaves_a_clean_state_folder(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.child.kill()
        assert eventually(run.guardian_ended)
        assert files_below(run.state) == []


def test_a_run_that_hangs_after_a_signal_is_ended_while_it_lives(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.child.signal(signal.SIGTERM)
        assert eventually(run.nothing_is_left)
        assert not run.child.ended()


def test_what_is_opened_after_the_signal_is_ended_too(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.child.signal(signal.SIGTERM)
        assert eventually(run.nothing_is_left)
        run.do("session('df-late')")
        assert eventually(lambda: "df-late" in run.farm.ended() and run.nothing_is_left())


def test_sessions_are_ended_at_the_same_time(tmp_path: Path) -> None:
    with Run(tmp_path, grace=0.1, close_seconds=1.0) as run:
        killed = time.monotonic()
        run.child.kill()
        assert eventually(run.nothing_is_left)
        assert time.monotonic() - killed < 2.5


def test_a_session_whose_answer_was_lost_is_ended_when_it_comes_up(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.do("journal.intend('session', a_device(), 'df-lost', expires=clock.time() + 600)")
        run.child.kill()
        assert eventually(lambda: not run.farm.sessions())
        run.farm.open_session("df-lost")
        assert eventually(run.nothing_is_left)


def test_a_good_end_within_the_grace_is_left_alone(tmp_path: Path) -> None:
    with Run(tmp_path, grace=5.0) as run:
        run.child.signal(signal.SIGTERM)
        run.do("signal.set_wakeup_fd(-1); close_all(); guardian.stop()")
        assert run.guardian_ended()
        assert len(run.farm.ended()) == 3
        assert [name for name in files_below(run.state) if not name.startswith("owners/")] == []


def test_a_good_end_ends_nothing(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.do("signal.set_wakeup_fd(-1); guardian.stop(); guardian.stop()")
        assert run.guardian_ended()
        assert run.farm.sessions() == {"df-1", "df-2"}


def test_what_a_run_cannot_end_itself_is_left_to_the_guardian(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.do("signal.set_wakeup_fd(-1); guardian.leave(); guardian.leave()")
        assert eventually(run.nothing_is_left)


def test_a_signal_that_ends_no_run_means_nothing(tmp_path: Path) -> None:
    with Run(tmp_path, grace=0.0) as run:
        run.child.signal(signal.SIGALRM)
        run.do("signal.set_wakeup_fd(-1); guardian.stop()")
        assert run.farm.ended() == []


def test_a_run_that_goes_on_after_a_signal_keeps_its_sessions(tmp_path: Path) -> None:
    with Run(tmp_path, grace=0.6) as run:
        run.child.signal(signal.SIGTERM)
        run.do("guardian.goes_on(); time.sleep(0.8)")
        assert run.farm.ended() == []
        run.child.kill()
        assert eventually(run.nothing_is_left)


def test_other_runs_are_not_touched(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.do(
            "Journal(state, run='run-2', farm='fake', account=farm.account, url='', clock=clock)"
            ".intend('session', a_device(), 'df-other', expires=2e9); farm.open_session('df-other')"
        )
        run.child.signal(signal.SIGTERM)
        assert eventually(lambda: len(run.farm.ended()) == 3)
        assert run.farm.sessions() == {"df-other"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_guardian_outlives_signals_to_everybody(number: int, tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        assert eventually(lambda: run.guardian_ignores(number))
        os.kill(run.guardian, number)
        run.child.kill()
        assert eventually(run.nothing_is_left)


def test_the_guardian_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        assert os.getsid(run.guardian) == run.guardian


def test_a_forked_child_that_lives_on_does_not_hide_the_death_of_the_run(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.do("forked = os.fork(); forked or (time.sleep(5), os._exit(0))")
        run.child.kill()
        assert eventually(run.nothing_is_left, 3.0)


def test_the_pipe_never_blocks_a_signal_and_reaches_no_other_child(tmp_path: Path) -> None:
    guardian = Guardian.start(fake_settings(tmp_path / "farm"), "support.farms:FakeFarm", tmp_path / "state", "run-1")
    try:
        assert not os.get_blocking(guardian.wakeup_fd)
        assert not os.get_inheritable(guardian.wakeup_fd)
    finally:
        guardian.stop()


def test_nothing_is_written_by_a_guardian_that_had_nothing_to_do(tmp_path: Path) -> None:
    Guardian.start(fake_settings(tmp_path / "farm"), "support.farms:FakeFarm", tmp_path / "state", "run-1").stop()
    assert not (tmp_path / "state").exists()


def test_a_guardian_that_was_killed_does_not_disturb_the_run(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        os.kill(run.guardian, signal.SIGKILL)
        assert eventually(run.guardian_ended)
        run.do("signal.set_wakeup_fd(-1); guardian.goes_on(); guardian.stop()")


def test_what_it_has_to_say_is_in_the_state_folder_without_secrets(tmp_path: Path) -> None:
    guardian = Guardian.start(
        fake_settings(tmp_path / "farm", account="canary-key"), "support.nowhere:Farm", tmp_path, "../run", grace=0.0
    )
    os.write(guardian.wakeup_fd, bytes([signal.SIGTERM]))
    assert eventually(lambda: bool(list(tmp_path.glob("guardian/*.log"))))
    guardian.stop()
    (log,) = tmp_path.glob("guardian/*.log")
    assert "No module named 'support.nowhere'" in log.read_text()
    assert "canary-key" not in log.read_text()
