"""Suites that run in this process against a simulated Kobiton in this process."""

from __future__ import annotations

import importlib
import pkgutil
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.packages import a_zip

import pytest_devicefarm
from pytest_devicefarm.farms.kobiton.simulator import create
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.wire import Wire
from pytest_devicefarm.simulator.worldfile import parse_world

# What a run in this process imports is forgotten with it; imported here, it is imported once for all of them.
for _module in pkgutil.walk_packages(pytest_devicefarm.__path__, "pytest_devicefarm."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)

APP = """
<app width="400" height="852" package="com.example.shop" version="1.0">
  <title>Shop</title>
  <MockButton id="buy" text="Buy"/>
</app>
"""

WORLD = """
delays = { parsing = 0, session_create = 0, device_log = 0, appium_log = 0, video = 0, network_log = 0 }
[clock]
speed = 1000
[[device]]
name = "Galaxy S22"
udid = "phone-a"
platform = "android"
version = "13"
manufacturer = "Samsung"
tags = ["lab"]
[[device]]
name = "Pixel 8"
udid = "phone-b"
platform = "android"
version = "14"
[[device]]
name = "iPhone 15"
udid = "phone-i"
platform = "ios"
version = "17.4"
"""

INI = """
[pytest]
farm_retries = 0
farm_wait = 5
farm_artifact_wait = 5
farm_video = off
farm_device_log = off
farm_appium_log = off
farm_network_log = off
farm_screenshot = off
"""


_WITHOUT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")


@dataclass(frozen=True)
class Kobiton:
    """The simulated farm of a test module; what happened on it is told of the latest suite alone."""

    wire: Wire
    url: str

    def record(self) -> dict[str, Any]:
        """What the farm saw, since the simulator was started."""
        return self.wire.world.facts()

    def sessions(self, nodeid: str = "") -> list[dict[str, Any]]:
        """Sessions whose name contains this."""
        return [session for session in self.record()["sessions"] if nodeid in session["name"]]

    def verdicts(self, nodeid: str) -> list[list[str]]:
        """The verdicts set on each of the sessions of a test."""
        return [session["verdicts"] for session in self.sessions(nodeid)]

    def asked(self, nodeid: str) -> list[dict[str, Any]]:
        """The capabilities asked for in each session of a test."""
        return [dict(session.capabilities) for session in self.wire.world.sessions if nodeid in session.name]

    def fails(self, operation: str, effect: str, **options: Any) -> None:
        """Arms a fault; for the commands of a session the operation is that of the hub."""
        fault = Fault(operation, effect, **options)
        self.wire.check(fault)
        self.wire.world.faults.add(fault)

    def clear(self) -> None:
        """Forget faults, bookings and sessions of the test before."""
        self.wire.world.faults.clear()


@contextmanager
def a_kobiton() -> Iterator[Kobiton]:
    """Serve a world of two Android phones and an iPhone, all private, on a fast clock."""
    world = parse_world(WORLD)
    wire = create(world)
    with serve(wire) as url:
        yield Kobiton(wire, url)
    world.close()


@dataclass(frozen=True)
class Suite:
    """A suite in a folder of its own, and the farm it runs on."""

    pytester: pytest.Pytester
    farm: Kobiton

    @property
    def path(self) -> Path:
        return self.pytester.path

    def tests(self, source: str, name: str = "test_suite") -> None:
        """Write a test file."""
        self.path.joinpath(f"{name}.py").write_text("import pytest\n" + textwrap.dedent(source))

    def conftest(self, source: str) -> None:
        """Write the conftest."""
        self.path.joinpath("conftest.py").write_text("import pytest\n" + textwrap.dedent(source))

    def ini(self, text: str = "") -> None:
        """Write the ini file: quick defaults for tests, and more lines."""
        self.path.joinpath("pytest.ini").write_text(INI + textwrap.dedent(text))

    def toml(self, text: str) -> None:
        """Write ``devicefarm.toml``."""
        self.path.joinpath("devicefarm.toml").write_text(textwrap.dedent(text))

    def build(self, name: str = "shop.apk", xml: str = APP) -> str:
        """Write a build."""
        a_zip(self.path / name, {"app.xml": xml.encode()})
        return name

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run it in this process."""
        return self.pytester.runpytest_inprocess(*_WITHOUT, *arguments)

    def process(self, *arguments: str) -> pytest.RunResult:
        """Run it as a process of its own, where signals, terminals or xdist are about."""
        return self.pytester.runpytest_subprocess(*_WITHOUT, *arguments, timeout=60)

    def leftovers(self) -> list[str]:
        """What is left in the state folder that somebody would have to clean up."""
        state = self.path / "state"
        parts = ("journal/*", "pools/*/devices/*", "pools/*/queue/*", "runs/*")
        return sorted(str(path.relative_to(state)) for part in parts for path in state.glob(part))


def said(result: pytest.RunResult) -> str:
    """Everything that a run printed."""
    return result.stdout.str() + result.stderr.str()
