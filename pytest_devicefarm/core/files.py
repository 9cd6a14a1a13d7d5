"""Files that several processes share: written whole or not at all, locked by the kernel, private to their user."""

from __future__ import annotations

import hashlib
import math
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from filelock import FileLock, Timeout

from pytest_devicefarm.core.errors import ConfigurationError, LeaseError

T = TypeVar("T")

_TEMPORARY = ".tmp"
_REMOTE_FILE_SYSTEMS = frozenset({"afs", "cifs", "fuse.sshfs", "ncpfs", "nfs", "nfs4", "smb2", "smb3", "smbfs"})


def safe_name(text: str) -> str:
    """A file name for any text: readable, unique, and allowed on every file system, also where case does not count."""
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:32].strip("-")
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{readable}-{digest}" if readable else digest


def private_folder(state: Path, *parts: str) -> Path:
    """The folder ``state/parts``, made where it is missing; only its owner can look into what is made here.

    Below a state folder that somebody opened to others, folders are open to the same people.

    Raises:
        ConfigurationError: It cannot be made.
    """
    try:
        if not state.is_dir():
            state.parent.mkdir(parents=True, exist_ok=True)
            state.mkdir(mode=0o700, exist_ok=True)
        folder = state
        for part in parts:
            folder = folder / part
            if not folder.is_dir():
                _make_like(folder, state)
    except OSError as error:
        raise ConfigurationError(
            f"the state folder {state} cannot be used: {error.strerror or error}; "
            "give a writable one with --farm-state or DEVICEFARM_STATE"
        ) from error
    return folder


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file so that readers see the old bytes or the new, nothing between.

    Args:
        durable: Whether that also holds for a machine that loses its power; such a write takes milliseconds.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def write_value(path: Path, value: object, *, durable: bool = True) -> None:
    """Write a dataclass as JSON, whole or not at all."""
    write_whole(path, msgspec.json.encode(value, enc_hook=str), durable=durable)


def read_value(path: Path, kind: type[T]) -> T | None:
    """The dataclass in a JSON file, or ``None`` where the file is gone.

    Raises:
        ValueError: The file does not hold one.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not readable: {error}") from error


def values_in(folder: Path, kind: type[T], problems: list[str] | None = None) -> list[tuple[Path, T]]:
    """Every readable dataclass of a folder with its file, in order of names; what is not readable is a problem."""
    found: list[tuple[Path, T]] = []
    for path in sorted(_listed(folder, ".json")):
        try:
            value = read_value(path, kind)
        except (OSError, ValueError) as error:
            if problems is not None:
                problems.append(str(error))
            continue
        if value is not None:
            found.append((path, value))
    return found


def remove_leftovers(folder: Path, *, before: float = math.inf) -> None:
    """Remove what writers that were killed left half-written before a time (seconds since the epoch)."""
    for path in _listed(folder, _TEMPORARY):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def kernel_lock(path: Path) -> FileLock:
    """A lock on a file that the kernel gives up when its process ends; any thread may release it."""
    # Whoever may make files in the folder may lock them.
    mode = stat.S_IMODE(path.parent.stat().st_mode) & 0o666
    return FileLock(path, mode=mode, thread_local=False)


def acquired(lock: FileLock, *, patience: float = 0.0) -> bool:
    """Whether a lock could be had; somebody may hold it for ``patience`` seconds."""
    try:
        lock.acquire(timeout=patience, poll_interval=0.002)
    except Timeout:
        return False
    return True


def is_locked(path: Path, *, patience: float = 0.0) -> bool:
    """Whether a process holds the lock on a file; makes no file where there is none."""
    if not path.exists():
        return False
    lock = kernel_lock(path)
    try:
        return not acquired(lock, patience=patience)
    finally:
        lock.release(force=True)


def remove_unlocked(path: Path) -> None:
    """Remove a lock's file unless a process holds it; for names that are not used again, or where nobody else locks."""
    lock = kernel_lock(path)
    try:
        if acquired(lock):
            path.unlink(missing_ok=True)
    except OSError:
        pass  # open elsewhere, on a system that does not let go of open files; the next one removes it
    finally:
        lock.release(force=True)


@contextmanager
def exclusively(path: Path, *, seconds: float = 20.0) -> Iterator[None]:
    """Run a short piece of work alone among all processes.

    Raises:
        LeaseError: Another process has been at it for longer than ``seconds``.
    """
    lock = kernel_lock(path)
    try:
        try:
            lock.acquire(timeout=seconds, poll_interval=0.005)
        except Timeout:
            raise LeaseError(
                f"another process has kept {path} locked for {seconds:.0f} s; "
                "end that process (it may be stopped), or give another folder with --farm-state"
            ) from None
        yield
    finally:
        lock.release(force=True)


def refuse_remote(state: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """Refuse a state folder on a network file system, whose locks do not keep hosts apart.

    Raises:
        ConfigurationError: It lies on one, as far as this system tells.
    """
    kind = _file_system(state.resolve(), mounts)
    if kind in _REMOTE_FILE_SYSTEMS:
        raise ConfigurationError(
            f"the state folder {state} lies on a network file system ({kind}), where locks do not keep hosts apart; "
            "give a folder on a local disk with --farm-state or DEVICEFARM_STATE"
        )


def _make_like(folder: Path, state: Path) -> None:
    mode = stat.S_IMODE(state.stat().st_mode)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        folder.chmod(mode)  # what mkdir is given, the umask narrows


def _listed(folder: Path, ending: str) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.name.endswith(ending)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _file_system(path: Path, mounts: Path) -> str:
    """Kind of the file system a path lies on, ``""`` where the system does not tell."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1]))
        # The last of equal mount points hides the others.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind
