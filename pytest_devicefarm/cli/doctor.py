"""`devicefarm doctor`: looks at everything a run needs, and says what to fix."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pytest_devicefarm.cli.group import INFRASTRUCTURE, PROBLEM_FOUND
from pytest_devicefarm.cli.output import json_option, print_json, print_table
from pytest_devicefarm.cli.target import Target, farm_options
from pytest_devicefarm.core.errors import DeviceFarmError, FarmError

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import Farm

LARGEST_SKEW = 60.0
"""Seconds the clocks of this machine and the farm may differ: more than an answer takes, less than bookings notice."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        status: ``problem`` keeps tests from running, ``note`` does not.
        text: What was found.
        fix: What to do about it, ``""`` for nothing.
        infrastructure: Whether a problem is the farm's, so that trying again may help.
    """

    check: str
    status: Literal["ok", "note", "problem"]
    text: str
    fix: str = ""
    infrastructure: bool = False


@click.command("doctor")
@farm_options
@json_option('{"findings": [{"check", "status": "ok|note|problem", "text", "fix", "infrastructure": true|false}]}')
@click.pass_context
def command(ctx: click.Context, /, target: Target, as_json: bool) -> None:
    """Check address, credentials, clock, Appium hub, state folder and extras.

    Nothing is booked or written. The exit status is 1 if there is something to fix, and 75 if the farm alone is at
    fault.
    """
    findings = [*_farm(target), *_state(target.state), *_extras()]
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        print_table(
            ("check", "status", "found"),
            (
                (finding.check, finding.status, finding.text + (f"\n→ {finding.fix}" if finding.fix else ""))
                for finding in findings
            ),
        )
    problems = [finding for finding in findings if finding.status == "problem"]
    if problems:
        ctx.exit(INFRASTRUCTURE if all(problem.infrastructure for problem in problems) else PROBLEM_FOUND)


def _farm(target: Target) -> Iterator[Finding]:
    try:
        with target.open() as farm:
            yield Finding("address", "ok", f"{farm.spec.title} at {farm.settings.get('url')}")
            try:
                yield Finding("credentials", "ok", farm.check())
            except FarmError as error:
                yield _problem("credentials", error)
            yield from _hub(farm)
    except DeviceFarmError as error:
        yield _problem("farm", error)


def _hub(farm: Farm) -> Iterator[Finding]:
    """Whether the hub answers at all; what it says of itself differs from farm to farm and does not count."""
    from pytest_devicefarm.core.transport import Transport

    hub = farm.hub
    auth = None if hub.username is None or hub.password is None else (hub.username, hub.password)
    transport = Transport(hub.url, auth=auth, clock=farm.clock, retries=1)
    try:
        reply = transport.call("GET", "/status", ok=range(200, 500))
    except FarmError as error:
        yield _problem("hub", error)
        return
    finally:
        transport.close()
    if reply.status in (401, 403):
        yield Finding(
            "hub", "problem", f"{hub.url} refuses the credentials ({reply.status})", "check user name and key"
        )
    else:
        yield Finding("hub", "ok", f"{hub.url} answers ({reply.status})")
    if date := reply.headers.get("Date", ""):
        yield from clock_findings(date, farm.clock.time())


def clock_findings(date: str, now: float) -> Iterator[Finding]:
    """How the clock of this machine stands to the ``Date`` of an answer; nothing where that cannot be read."""
    try:
        ahead = now - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return
    if abs(ahead) <= LARGEST_SKEW:
        yield Finding("clock", "ok", "agrees with the farm's")
        return
    direction = "ahead of" if ahead > 0 else "behind"
    yield Finding(
        "clock",
        "problem",
        f"this machine is {abs(ahead):.0f} s {direction} the farm",
        "set this machine's clock by NTP: bookings and signed addresses go by time",
    )


def _state(state: Path) -> Iterator[Finding]:
    from pytest_devicefarm.core.files import refuse_remote

    folder = next((path for path in (state, *state.parents) if path.exists()), state)
    elsewhere = "give a writable folder with --farm-state or DEVICEFARM_STATE"
    if not folder.is_dir():
        yield Finding("state folder", "problem", f"{folder} is not a folder", elsewhere)
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("state folder", "problem", f"{folder} is not writable", elsewhere)
        return
    try:
        refuse_remote(state)
    except DeviceFarmError as error:
        yield _problem("state folder", error)
        return
    if folder != state:
        yield Finding("state folder", "ok", f"{state} will be made by the first run")
    elif os.name == "posix" and stat.S_IMODE(state.stat().st_mode) & stat.S_IWOTH:
        yield Finding("state folder", "problem", f"anybody can write to {state}", f"run: chmod o-w '{state}'")
    else:
        yield Finding("state folder", "ok", str(state))


def _extras() -> Iterator[Finding]:
    """Which optional libraries are there, in the words of our own distribution."""
    from packaging.requirements import Requirement

    distribution = "pytest-devicefarm"
    try:
        texts = requires(distribution) or []
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, texts):
        extra = str(requirement.marker).partition('extra == "')[2].rstrip('"')
        if not extra or requirement.name == distribution:
            continue
        install = f"if you want it: pip install '{distribution}[{extra}]'"
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            yield Finding(f"extra {extra}", "note", f"{requirement.name} is not installed", install)
            continue
        if requirement.specifier.contains(installed, prereleases=True):
            yield Finding(f"extra {extra}", "ok", f"{requirement.name} {installed}")
        else:
            text = f"{requirement.name} {installed} is not {requirement.specifier}"
            yield Finding(f"extra {extra}", "problem", text, f"pip install '{distribution}[{extra}]'")


def _problem(check: str, error: DeviceFarmError) -> Finding:
    return Finding(check, "problem", str(error), infrastructure=error.infrastructure)
