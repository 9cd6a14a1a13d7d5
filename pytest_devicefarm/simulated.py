"""The built-in simulator as a child of the run: one for all of its processes, gone with it however it ends."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.errors import ConfigurationError, DeviceFarmError
from pytest_devicefarm.core.farm import FarmSpec

STOP_SECONDS = 5.0


def check_simulator(spec: FarmSpec) -> None:
    """Refuse early what could not be simulated.

    Raises:
        ConfigurationError: The farm has no simulator, or the extra is not installed.
    """
    if not spec.simulator:
        raise ConfigurationError(f"farm {spec.name!r} has no built-in simulator; leave out --farm-simulate")
    if importlib.util.find_spec("werkzeug") is None:
        raise ConfigurationError("--farm-simulate needs the simulator: pip install 'pytest-devicefarm[simulator]'")


class SimulatedFarm:
    """A simulator process; it ends when its standard input closes, so also when we are killed."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, errors: Any) -> None:
        self._process = process
        self._errors = errors
        self.url = url

    @classmethod
    def start(cls, spec: FarmSpec, facts: Path, *, world: str | None) -> SimulatedFarm:
        """Start one and write where it is to ``facts``, a file only its owner may read.

        Raises:
            ConfigurationError: It did not start, with its own words; a world file that cannot be read among them.
        """
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pytest_devicefarm.simulator",
                spec.name,
                "--until-eof",
                *(("--world", world) if world else ()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            with process, errors:
                process.wait()
                errors.seek(0)
                words = errors.read().decode(errors="replace").strip()
            raise ConfigurationError(f"the simulator of farm {spec.name!r} did not start: {words}")
        facts.touch(mode=0o600)
        facts.write_bytes(line)
        return cls(process, json.loads(line)["url"], errors)

    def record(self) -> Mapping[str, Any]:
        """The simulator's own record of the run; empty where it does not answer."""
        from pytest_devicefarm.core.transport import Transport

        transport = Transport(self.url, clock=SystemClock(), retries=0)
        try:
            answer = transport.call("GET", "/_simulator/record").json()
        except DeviceFarmError:
            return {}
        finally:
            transport.close()
        return answer if isinstance(answer, dict) else {}

    def stop(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


def read_environment(facts: Path) -> dict[str, str]:
    """The variables that lead a client to a started simulator.

    Raises:
        ConfigurationError: There is no simulator to be found.
    """
    try:
        return {str(name): str(value) for name, value in json.loads(facts.read_bytes())["environment"].items()}
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            "this process of the run does not find the simulator; workers on other hosts cannot use --farm-simulate"
        ) from error
