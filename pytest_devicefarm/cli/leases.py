"""`devicefarm leases`: who holds which device on this host, and what dead runs left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pytest_devicefarm.cli.group import PROBLEM_FOUND
from pytest_devicefarm.cli.orphans import ENTRY_SCHEMA, Outcome, end_orphans, entry_facts
from pytest_devicefarm.cli.output import json_option, local_time, note, print_json, print_table, utc_time
from pytest_devicefarm.cli.target import Target, farm_options

if TYPE_CHECKING:
    from pytest_devicefarm.core.pools import LeaseRecord


@click.command("leases")
@farm_options
@click.option("--no-reap", is_flag=True, help="Only list what dead runs left, do not end it.")
@json_option(
    '{"leases": [{"device", "udid", "account", "run", "pid", "host", "since",\n'
    '    "expires", "alive": true|false}],\n'
    f'   "orphans": [{ENTRY_SCHEMA}],\n'
    '   "ended": [like orphans], "dropped": [like orphans],\n'
    '   "kept": [like orphans and "reason"]};\n'
    "  times in ISO 8601 with UTC"
)
@click.pass_context
def command(ctx: click.Context, /, target: Target, no_reap: bool, as_json: bool) -> None:
    """List the devices that test runs on this host hold.

    What a run that was killed left at its farm (sessions, reservations) is ended, as `devicefarm reap` does it, where
    the credentials of the farm are at hand. The exit status is 1 if something could not be ended.
    """
    from pytest_devicefarm.core.clock import SystemClock
    from pytest_devicefarm.core.journal import orphans
    from pytest_devicefarm.core.leases import leases_on

    clock = SystemClock()
    leases = leases_on(target.state, clock=clock)
    left = orphans(target.state, clock=clock)
    outcome = Outcome() if no_reap else end_orphans(target, left, clock=clock)
    if as_json:
        facts = [_facts(lease) for lease in leases]
        print_json({"leases": facts, "orphans": [entry_facts(entry) for entry in left], **outcome.as_json()})
    else:
        if leases:
            print_table(
                ("device", "farm account", "run", "pid", "host", "since", "expires", "alive"),
                (
                    (
                        lease.device,
                        lease.account,
                        lease.run,
                        str(lease.pid),
                        lease.host,
                        local_time(lease.since),
                        local_time(lease.expires),
                        "yes" if lease.alive else "no",
                    )
                    for lease in leases
                ),
            )
        else:
            note(f"no device is held in {target.state}")
        if no_reap:
            for entry in left:
                note(f"left by a dead run: {entry}, since {local_time(entry.since)}; `devicefarm reap` ends it")
        outcome.tell()
    if outcome.kept:
        ctx.exit(PROBLEM_FOUND)


def _facts(lease: LeaseRecord) -> dict[str, Any]:
    return {
        "device": lease.device,
        "udid": lease.udid,
        "account": lease.account,
        "run": lease.run,
        "pid": lease.pid,
        "host": lease.host,
        "since": utc_time(lease.since),
        "expires": utc_time(lease.expires),
        "alive": lease.alive,
    }
