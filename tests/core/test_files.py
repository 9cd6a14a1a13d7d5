"""Shared files: safe names, whole writes, kernel locks, and a folder on a disk of this machine."""

from __future__ import annotations

import stat
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import ConfigurationError, LeaseError
from pytest_devicefarm.core.files import (
    acquired,
    exclusively,
    is_locked,
    kernel_lock,
    private_folder,
    read_value,
    refuse_remote,
    safe_name,
    values_in,
    write_value,
)


@dataclass(frozen=True)
class Note:
    text: str


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c", "CON", "", " ", "ü\n\0", "\udcff", "x" * 500, "a:b*c?"])
def test_any_text_becomes_a_harmless_file_name(name: str, tmp_path: Path) -> None:
    safe = safe_name(name)
    (tmp_path / safe).write_text("")
    assert [path.name for path in tmp_path.iterdir()] == [safe]
    assert len(safe) < 64
    assert safe != "con"


def test_names_that_differ_in_case_alone_stay_apart_where_case_does_not_count() -> None:
    assert safe_name("ABC").lower() != safe_name("abc").lower()


def test_folders_are_made_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "home" / "state", "journal")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}


def test_below_a_folder_that_was_opened_to_others_everything_is_open_to_them(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o770)
    folder = private_folder(tmp_path / "state", "pools")
    lock = kernel_lock(folder / "lock")
    assert acquired(lock)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o770
    assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o660
    lock.release()


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot be used: .*--farm-state"):
        private_folder(tmp_path / "file" / "state", "journal")


def test_a_value_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_value(tmp_path / "note.json", Note("héllo"))
    assert read_value(tmp_path / "note.json", Note) == Note("héllo")


def test_a_file_that_is_gone_gives_nothing(tmp_path: Path) -> None:
    assert read_value(tmp_path / "note.json", Note) is None


@pytest.mark.parametrize("content", [b"", b'{"text": "hal', b'{"text": 1}', b"null", b"\xff\xfe", b"<html>"])
def test_what_is_no_value_is_left_out_and_named(content: bytes, tmp_path: Path) -> None:
    write_value(tmp_path / "good.json", Note("good"))
    (tmp_path / "bad.json").write_bytes(content)
    problems: list[str] = []
    assert [note.text for _, note in values_in(tmp_path, Note, problems)] == ["good"]
    assert len(problems) == 1
    assert problems[0].startswith("bad.json is not readable")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_value(tmp_path / "note.json", Note("old"))
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OSError, match=r"folder\.json"):
        write_value(tmp_path / "folder.json", Note("new"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.json", "note.json"]


def test_a_lock_is_seen_and_may_be_released_by_another_thread(tmp_path: Path) -> None:
    lock = kernel_lock(tmp_path / "lock")
    assert acquired(lock)
    assert is_locked(tmp_path / "lock")
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    assert not is_locked(tmp_path / "lock")


def test_looking_at_a_lock_makes_no_file(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []


def test_somebody_who_never_leaves_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with (
        exclusively(tmp_path / "lock"),
        pytest.raises(LeaseError, match=r"locked for 0 s; end that process"),
        exclusively(tmp_path / "lock", seconds=0.01),
    ):
        pass


MOUNTS = """\
/dev/root / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
server:/x /with\\040space cifs rw 0 0
/dev/sdb /home/local ext4 rw 0 0
"""


@pytest.mark.parametrize(("folder", "kind"), [("/home/me/state", "nfs4"), ("/with space/state", "cifs")])
def test_a_network_folder_is_refused_with_a_reason(folder: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    with pytest.raises(ConfigurationError, match=rf"network file system \({kind}\).*--farm-state"):
        refuse_remote(Path(folder), tmp_path / "mounts")


@pytest.mark.parametrize("folder", ["/var/state", "/home/local/state", "/homework"])
def test_a_folder_on_a_disk_of_this_machine_is_taken(folder: str, tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    refuse_remote(Path(folder), tmp_path / "mounts")


def test_a_system_that_lists_no_mounts_is_taken(tmp_path: Path) -> None:
    refuse_remote(Path("/home/me"), tmp_path / "none")
