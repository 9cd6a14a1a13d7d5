"""`devicefarm reap`: ends what dead runs left at their farms."""

from __future__ import annotations

import click

from pytest_devicefarm.cli.group import PROBLEM_FOUND
from pytest_devicefarm.cli.orphans import ENTRY_SCHEMA, end_orphans
from pytest_devicefarm.cli.output import json_option, note, print_json
from pytest_devicefarm.cli.target import Target, farm_options


@click.command("reap")
@farm_options
@json_option(
    f'{{"ended": [{ENTRY_SCHEMA}],\n'
    '   "dropped": [like ended], "kept": [like ended and "reason"], "problems": [...]};\n'
    "  times in ISO 8601 with UTC"
)
@click.pass_context
def command(ctx: click.Context, /, target: Target, as_json: bool) -> None:
    """End the sessions and reservations that dead runs left.

    Only what the journal in the state folder lists is ended, and nothing of a run that is alive. Farms are found by
    the journal; their credentials are read as for a test run. The exit status is 1 if something could not be ended.
    """
    from pytest_devicefarm.core.clock import SystemClock
    from pytest_devicefarm.core.journal import journal_entries, orphans

    problems: list[str] = []
    journal_entries(target.state, problems)
    outcome = end_orphans(target, orphans(target.state), clock=SystemClock())
    if as_json:
        print_json({**outcome.as_json(), "problems": problems})
    else:
        outcome.tell()
        for problem in problems:
            note(f"unreadable in the journal: {problem}")
        if not (outcome.ended or outcome.dropped or outcome.kept):
            note("no dead run left anything")
    if outcome.kept:
        ctx.exit(PROBLEM_FOUND)
