from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Invoke

from pytest_devicefarm import cli
from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.journal import Journal, journal_entries
from pytest_devicefarm.core.leases import LeaseBroker, Want
from pytest_devicefarm.core.model import Device, DeviceState
from pytest_devicefarm.core.registry import find_farm
from pytest_devicefarm.core.settings import farm_settings

# Reserves a device as a run does, and dies without a word.
DYING_RUN = """
import os, sys
from pathlib import Path
from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.journal import Journal
from pytest_devicefarm.core.registry import find_farm
from pytest_devicefarm.core.settings import farm_settings

state, simulated = Path(sys.argv[1]), sys.argv[2] == "simulated"
spec = find_farm("kobiton")
with spec.open(farm_settings(spec, environ=os.environ)) as farm:
    url = farm.settings.get("url")
    journal = Journal(
        state, run="dead", farm="kobiton", account=farm.account, url=url, clock=SystemClock(), simulated=simulated
    )
    device = next(device for device in farm.list_devices().devices if device.reservable)
    entry = journal.intend("reservation", device, "token-1", expires=SystemClock().time() + 1800)
    if not simulated:
        journal.opened(entry, reservation_id=farm.reserve([device], seconds=1800, token="token-1").id)
    os._exit(9)
"""


@pytest.fixture
def dead_run(kobiton: Mapping[str, str], state: Path) -> Callable[..., None]:
    """Lets a run reserve a device and die; only its journal remains."""

    def die(kind: str = "real") -> None:
        done = subprocess.run(
            [sys.executable, "-c", DYING_RUN, str(state), kind],
            env={**os.environ, **kobiton},
            cwd=Path(cli.__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 9, done.stderr
        assert journal_entries(state)

    return die


def reserved(kobiton: Mapping[str, str]) -> list[str]:
    """Ids of the reservations that the farm has open."""
    spec = find_farm("kobiton")
    with spec.open(farm_settings(spec, environ=kobiton)) as farm:
        now = SystemClock().time()
        listed = farm.api.reservations.list(start=now - 3600, end=now + 3600).reservations
    return [str(reservation.id) for reservation in listed if reservation.status.upper() == "RESERVED"]


def test_nothing_is_held_and_nothing_is_written(invoke: Invoke, state: Path) -> None:
    result = invoke("leases")
    assert result.exit_code == 0, result.output
    assert "no device is held" in result.output
    assert not state.exists()


def test_a_held_device_is_listed_with_its_holder(invoke: Invoke, invoke_json: Callable[..., Any], state: Path) -> None:
    device = Device(id="1", udid="u-1", name="[b]Pixel", platform="android", version="14")
    broker = LeaseBroker(state, account="an account", run="run-1", clock=SystemClock())

    def free(devices: Any) -> dict[str, tuple[DeviceState, str]]:
        return {device.udid: (DeviceState.FREE, "") for device in devices}

    (lease,) = broker.lease([Want([device])], timeout=5, usable=free, on_wait=lambda _: None)
    try:
        (facts,) = invoke_json("leases")["leases"]
        assert (facts["udid"], facts["account"], facts["run"]) == ("u-1", "an account", "run-1")
        assert (facts["pid"], facts["alive"]) == (os.getpid(), True)
        assert "[b]Pixel (android 14, u-1)" in invoke("leases").output
    finally:
        lease.release()
    assert invoke_json("leases")["leases"] == []


@pytest.mark.parametrize("command", ["leases", "reap"])
def test_what_a_dead_run_left_is_ended(
    dead_run: Callable[..., None],
    invoke_json: Callable[..., Any],
    kobiton: Mapping[str, str],
    state: Path,
    command: str,
) -> None:
    dead_run()
    left = reserved(kobiton)
    report = invoke_json(command)
    (ended,) = report["ended"]
    assert (ended["kind"], ended["run"]) == ("reservation", "dead")
    assert [ended["id"]] == left
    assert reserved(kobiton) == []
    assert report["kept"] == []
    assert journal_entries(state) == []


def test_reap_says_what_it_ended(dead_run: Callable[..., None], invoke: Invoke) -> None:
    dead_run()
    result = invoke("reap")
    assert result.exit_code == 0
    assert "ended: reservation" in result.output
    assert "no dead run left anything" in invoke("reap").output


def test_without_reaping_leftovers_are_only_listed(dead_run: Callable[..., None], invoke: Invoke, state: Path) -> None:
    dead_run()
    result = invoke("leases", "--no-reap")
    assert result.exit_code == 0
    assert "left by a dead run: reservation" in result.output
    assert journal_entries(state)
    invoke("reap")


def test_without_credentials_leftovers_are_kept_with_the_reason(
    dead_run: Callable[..., None], invoke: Invoke, state: Path
) -> None:
    dead_run()
    result = invoke("leases", environ={"KOBITON_API_KEY": ""})
    assert result.exit_code == 1
    assert "not ended: reservation" in result.output
    assert "KOBITON_API_KEY" in result.output
    assert journal_entries(state)
    invoke("reap")


def test_another_account_is_left_alone(dead_run: Callable[..., None], invoke: Invoke, state: Path) -> None:
    dead_run()
    result = invoke("reap", environ={"KOBITON_USERNAME": "somebody-else"})
    assert result.exit_code == 1
    assert "another account" in result.output
    assert journal_entries(state)
    invoke("reap")


def test_a_simulated_farm_ended_with_its_run(
    dead_run: Callable[..., None], invoke_json: Callable[..., Any], state: Path
) -> None:
    dead_run("simulated")
    report = invoke_json("reap")
    assert [entry["run"] for entry in report["dropped"]] == ["dead"]
    assert journal_entries(state) == []


def test_what_a_living_run_has_is_left_alone(invoke_json: Callable[..., Any], state: Path) -> None:
    journal = Journal(state, run="alive", farm="kobiton", account="a", url="http://127.0.0.1:1", clock=SystemClock())
    device = Device(id="1", udid="u-1", name="Pixel", platform="android")
    entry = journal.intend("session", device, "t", expires=SystemClock().time() + 600)
    try:
        report = invoke_json("reap")
        assert report["ended"] == report["dropped"] == report["kept"] == []
        assert journal_entries(state) == [entry]
    finally:
        journal.closed(entry)
        journal.close()


def test_an_unreadable_entry_is_reported(invoke: Invoke, state: Path) -> None:
    (state / "journal").mkdir(parents=True)
    (state / "journal" / "half.json").write_text('{"id": "ha')
    assert "unreadable in the journal: half.json" in invoke("reap").output
