"""The journal: on disk before the farm knows, gone when it is over, true whatever happens in between."""

from __future__ import annotations

import dataclasses
import stat
import threading
from pathlib import Path

import pytest
from support.clocks import ManualClock
from support.farms import a_device
from support.processes import Child, files_below

from pytest_devicefarm.core.files import write_value
from pytest_devicefarm.core.journal import Journal, JournalEntry, journal_entries, orphans
from pytest_devicefarm.core.owners import forget_the_dead, lives

CHILD = """
    import sys
    from pathlib import Path
    from pytest_devicefarm.core.clock import SystemClock
    from pytest_devicefarm.core.journal import Journal
    from support.farms import a_device
    journal = Journal(Path(sys.argv[1]), run="run-2", farm="fake", account="us", url="", clock=SystemClock())
    entry = journal.intend("session", a_device(), "df-child", expires=2e9)
    print(entry.id, flush=True)
    sys.stdin.readline()
    journal.close()
    print("closed", flush=True)
    sys.stdin.readline()
"""


def a_journal(state: Path, *, run: str = "run-1", account: str = "us", clock: ManualClock | None = None) -> Journal:
    return Journal(state, run=run, farm="fake", account=account, url="http://farm", clock=clock or ManualClock())


def an_entry(journal: Journal, token: str = "df-1") -> JournalEntry:
    return journal.intend("session", a_device(), token, expires=2e9)


def test_an_intent_is_on_disk_with_all_that_is_known(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = an_entry(journal)
    assert journal_entries(tmp_path) == [entry]
    assert (entry.kind, entry.state, entry.token, entry.udid, entry.run) == (
        "session",
        "intended",
        "df-1",
        "pixel-7",
        "run-1",
    )


def test_ids_are_added_one_after_another(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = journal.opened(an_entry(journal), webdriver_id="wd-1")
    entry = journal.opened(entry, session_id="77")
    assert journal_entries(tmp_path) == [entry]
    assert (entry.state, entry.webdriver_id, entry.session_id) == ("open", "wd-1", "77")
    assert entry.handle.webdriver_id == "wd-1"


def test_a_closed_entry_is_gone(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    journal.closed(an_entry(journal))
    assert journal_entries(tmp_path) == []
    assert journal.mine() == ()


def test_closing_an_entry_that_a_reaper_removed_is_harmless(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = an_entry(journal)
    (tmp_path / "journal" / f"{entry.id}.json").unlink()
    journal.closed(entry)
    assert journal.mine() == ()


def test_mine_are_those_of_this_process_alone(tmp_path: Path) -> None:
    journal, other = a_journal(tmp_path), a_journal(tmp_path, run="run-2")
    entry = an_entry(journal)
    an_entry(other)
    assert journal.mine() == (entry,)


def test_nothing_is_written_before_the_first_entry_nor_by_reading(tmp_path: Path) -> None:
    state = tmp_path / "state"
    a_journal(state).close()
    assert journal_entries(state) == orphans(state) == []
    assert not lives(state, "run-1")
    assert not state.exists()


def test_half_a_file_is_never_read_as_truth(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = an_entry(journal)
    whole = (tmp_path / "journal" / f"{entry.id}.json").read_bytes()
    (tmp_path / "journal" / "half.json").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "journal" / f"{entry.id}.json.1234.tmp").write_bytes(whole)
    problems: list[str] = []
    assert journal_entries(tmp_path, problems) == [entry]
    assert [problem.split(" ")[0] for problem in problems] == ["half.json"]


def test_an_entry_under_another_name_is_not_believed(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = an_entry(journal)
    write_value(tmp_path / "journal" / "innocent.json", dataclasses.replace(entry, id="../../precious"))
    assert journal_entries(tmp_path) == [entry]


def test_only_the_user_can_look_into_the_state_folder(tmp_path: Path) -> None:
    an_entry(a_journal(tmp_path / "state"))
    folders = [tmp_path / "state", *(path for path in (tmp_path / "state").rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


@pytest.mark.parametrize("text", ["../../../outside", "/etc/x", "a\0b", "x" * 300, "CON", ""])
def test_any_run_and_device_name_stays_inside_the_state_folder(text: str, tmp_path: Path) -> None:
    state = tmp_path / "a" / "b" / "state"
    journal = a_journal(state, run=text)
    journal.intend("session", a_device(text), "df-1", expires=2e9)
    assert all(name.startswith("a/b/state/") for name in files_below(tmp_path))
    assert journal_entries(state)[0].udid == text


def test_threads_share_a_journal(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    threads = [threading.Thread(target=an_entry, args=(journal, f"df-{number}")) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry.token for entry in journal_entries(tmp_path)} == {f"df-{number}" for number in range(8)}
    assert len(journal.mine()) == 8
    assert len({entry.owner for entry in journal.mine()}) == 1


def test_entries_of_a_living_process_are_no_orphans(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    an_entry(journal)
    assert orphans(tmp_path) == []
    assert lives(tmp_path, "run-1")


def test_entries_of_a_killed_process_are_orphans(tmp_path: Path) -> None:
    with Child(CHILD, tmp_path) as child:
        name = child.read()
        assert orphans(tmp_path) == []
        child.kill()
    assert [entry.id for entry in orphans(tmp_path)] == [name]
    assert not lives(tmp_path, "run-2")


def test_entries_of_a_process_that_owns_nothing_any_more_are_orphans(tmp_path: Path) -> None:
    with Child(CHILD, tmp_path) as child:
        name = child.read()
        child.tell("close")
        assert child.read() == "closed"
        assert [entry.id for entry in orphans(tmp_path)] == [name]


def test_orphans_are_asked_for_by_account_and_device(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = an_entry(journal)
    journal.close()
    assert orphans(tmp_path, "us", udid="pixel-7") == [entry]
    assert orphans(tmp_path, "eu") == orphans(tmp_path, "us", udid="pixel-8") == []


def test_only_expiry_tells_of_owners_on_another_machine(tmp_path: Path) -> None:
    clock = ManualClock()
    journal = a_journal(tmp_path, clock=clock)
    entry = journal.intend("session", a_device(), "df-1", expires=clock.time() + 60)
    elsewhere = dataclasses.replace(entry, owner=dataclasses.replace(entry.owner, host="elsewhere", boot="other"))
    write_value(tmp_path / "journal" / f"{entry.id}.json", elsewhere)
    journal.close()
    assert orphans(tmp_path, clock=clock) == []
    clock.advance(61)
    assert orphans(tmp_path, clock=clock) == [elsewhere]


def test_a_lock_from_before_a_restart_of_the_machine_is_a_dead_one(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    entry = an_entry(journal)
    rebooted = dataclasses.replace(entry, owner=dataclasses.replace(entry.owner, boot="an earlier one"))
    write_value(tmp_path / "journal" / f"{entry.id}.json", rebooted)
    assert orphans(tmp_path) == []
    journal.close()
    assert orphans(tmp_path) == [rebooted]


def test_the_locks_of_the_dead_are_removed_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    an_entry(journal)
    with Child(CHILD, tmp_path) as child:
        child.read()
        child.kill()
    assert len(list((tmp_path / "owners").iterdir())) == 2
    forget_the_dead(tmp_path)
    assert len(list((tmp_path / "owners").iterdir())) == 1
    assert lives(tmp_path, "run-1")
    journal.close()
    assert list((tmp_path / "owners").iterdir()) == []
