"""Packages from npm for the real leg: pinned and verified by a lock file, installed once into a folder of a cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import platformdirs
from filelock import FileLock
from real.node import Node, find_node

INSTALL_SECONDS = 600.0


def installed(source: Path) -> tuple[Path, Node]:
    """Gives a folder with what the lock file in `source` names, and the Node it was installed with.

    The folder's name holds the digest of `source`, so a changed lock file makes a new one.
    """
    cache = cache_folder()
    node = find_node(cache)
    home = cache / f"{source.name}-{_digest(source)}"
    with FileLock(cache / f"{source.name}.lock", timeout=INSTALL_SECONDS):
        if not home.exists():
            partial = home.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(source, partial, ignore=shutil.ignore_patterns("node_modules"))
            subprocess.run(
                [*node.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
                cwd=partial,
                env=node.environment,
                stdin=subprocess.DEVNULL,
                check=True,
                timeout=INSTALL_SECONDS,
            )
            partial.rename(home)
    return home, node


def cache_folder() -> Path:
    """Where downloads stay between runs: DEVICEFARM_TEST_CACHE, or a folder of the user's cache."""
    named = os.environ.get("DEVICEFARM_TEST_CACHE")
    folder = Path(named) if named else platformdirs.user_cache_path("pytest-devicefarm-tests")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
