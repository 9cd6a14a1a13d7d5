"""Real pytest runs as processes of their own, against a simulator that outlives them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from support.processes import eventually

TRACING = Path(__file__).parent / "tracing"

SLOW_APP = """
<app width="400" height="852" package="com.example.slow" version="1.0">
  <title>Slow</title>
  <MockButton id="quick" text="Quick"/>
  <MockButton id="slow" text="Slow" delay="600"/>
</app>
"""

TWO_PHONES = """
[clock]
speed = 10
[[device]]
name = "Galaxy S22"
udid = "phone-a"
platform = "android"
version = "13"
[[device]]
name = "Pixel 8"
udid = "phone-b"
platform = "android"
version = "14"
"""


class SimulatedFarm:
    """A simulator in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], facts: Mapping[str, Any]) -> None:
        self._process = process
        self.name = str(facts["farm"])
        self.url = str(facts["url"])
        self.environment: dict[str, str] = dict(facts["environment"])

    def record(self) -> dict[str, Any]:
        with urlopen(f"{self.url}/_simulator/record") as answer:
            record: dict[str, Any] = json.load(answer)
        return record

    def fault(self, **fault: Any) -> None:
        data = json.dumps(fault).encode()
        urlopen(Request(f"{self.url}/_simulator/faults", data=data, method="POST")).close()

    def open_things(self) -> int:
        record = self.record()
        return len(record["open_sessions"]) + len(record["open_reservations"])

    def is_clean(self) -> bool:
        """Whether nothing is open, nothing overlapped, and nothing broke the contract."""
        record = self.record()
        return not (
            record["open_sessions"] or record["open_reservations"] or record["overlaps"] or record["violations"]
        )


@contextmanager
def a_farm(folder: Path, world: str = TWO_PHONES, *more: str, name: str = "kobiton") -> Iterator[SimulatedFarm]:
    """A simulator of the farm `name` that serves until the end."""
    file = folder / "world.toml"
    file.write_text(world)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_devicefarm.simulator", name, "--world", str(file), "--until-eof", *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield SimulatedFarm(process, json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


class Run:
    """One pytest run in a process group of its own, as a terminal would start it."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.folder = folder
        self._output = (folder / f"output-{len(list(folder.glob('output-*')))}.txt").open("w+b")
        self._trace = Path(self._output.name).with_suffix(".trace")
        traced = {
            "DEVICEFARM_TEST_TRACE": str(self._trace),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(TRACING), os.environ.get("PYTHONPATH")])),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            env={**os.environ, **traced, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return Path(self._output.name).read_text(errors="replace")

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.pid, number)

    def ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float = 120.0) -> int:
        return self._process.wait(seconds)

    def stacks(self) -> str:
        """Where each process of the run is now."""
        for pid in [] if self.ended() else [self.pid, *children(self.pid)]:
            if pid == self.pid or "sys.stdin.readline" in command_line(pid):
                os.kill(pid, signal.SIGUSR1)
        eventually(lambda: self._trace.exists() and self._trace.stat().st_size > 0, 2)
        return self._trace.read_text() if self._trace.exists() else ""

    def kill(self) -> None:
        if not self.ended():
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()


@contextmanager
def a_run(folder: Path, farm: SimulatedFarm, *arguments: str, **environment: str) -> Iterator[Run]:
    """A run against a farm, its state and output in the folder; killed at the end if it still lives."""
    known = {"DEVICEFARM_FARM": farm.name, "DEVICEFARM_STATE": str(folder / "state"), **farm.environment}
    run = Run(folder, {**known, **environment}, *arguments)
    try:
        yield run
    finally:
        run.kill()


def a_suite(folder: Path, source: str, app: str = SLOW_APP) -> Path:
    """A test file and a build for it; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test_suite.py").write_text(textwrap.dedent(source))
    (folder / "pytest.ini").write_text("[pytest]\nfarm_app = slow.apk\n")
    with zipfile.ZipFile(folder / "slow.apk", "w") as apk:
        apk.writestr("app.xml", app)
    return folder


def leftovers(folder: Path) -> list[str]:
    """What is left in a state folder that somebody would have to clean up: journal, leases, tickets, runs.

    A file that was being written when its process was killed counts for nothing, and goes a minute later.
    """
    state = folder / "state"
    return sorted(
        str(path.relative_to(state))
        for part in ("journal", "pools/*/devices", "pools/*/queue", "runs")
        for path in state.glob(f"{part}/*")
        if path.suffix != ".tmp"
    )


def until(run: Run, text: str, seconds: float = 90.0) -> None:
    """Wait until a run has written a text."""
    assert eventually(lambda: text in run.output or run.ended(), seconds), run.output + run.stacks()
    assert text in run.output, run.output


def children(pid: int) -> list[int]:
    """Processes that a process has started and that still live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def command_line(pid: int) -> str:
    """How a process was started."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def guardian_of(run: Run) -> int:
    """The guardian's process."""
    return next(pid for pid in children(run.pid) if "guardian" in command_line(pid))
