"""`devicefarm farms`: which farms there are, and what each can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pytest_devicefarm.cli.group import PROBLEM_FOUND
from pytest_devicefarm.cli.output import json_option, note, print_json, print_markdown, print_table

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import FarmSpec


@click.command("farms")
@json_option(
    '{"farms": [{"name", "title", "simulator": true|false, "reserve": true|false,\n'
    '    "renew": true|false, "resets": [...], "artifacts": {kind: "live|late"},\n'
    '    "cannot": {thing: reason}, "behaviours": {name: "yes|no: reason"}, "worst_case",\n'
    '    "settings": [{"name", "variables": [...], "secret": true|false,\n'
    '                  "required": true|false, "default", "help"}]}],\n'
    '   "problems": {name: reason}}'
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table as Markdown.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, as_markdown: bool) -> None:
    """List the farms, and what each of them can do.

    Where a farm cannot do something the table says why. "Worst case" is how long something that was booked there may
    stay booked when a machine dies together with its journal.
    """
    from pytest_devicefarm.core.registry import all_farms

    farms = all_farms()
    specs = list(farms.specs.values())
    if as_json:
        problems = {name: str(problem) for name, problem in farms.problems.items()}
        print_json({"farms": [_facts(spec) for spec in specs], "problems": problems})
    else:
        columns = ("", *(spec.name for spec in specs))
        if specs and as_markdown:
            print_markdown(columns, _rows(specs))
        elif specs:
            print_table(columns, _rows(specs))
        for problem in farms.problems.values():
            note(str(problem))
    if farms.problems:
        ctx.exit(PROBLEM_FOUND)


def _facts(spec: FarmSpec) -> dict[str, Any]:
    from pytest_devicefarm.core.behaviours import table

    return {
        "name": spec.name,
        "title": spec.title,
        "simulator": bool(spec.simulator),
        "reserve": spec.reserve,
        "renew": spec.renew,
        "resets": list(spec.resets),
        "artifacts": {kind.value: when for kind, when in spec.artifacts.items()},
        "cannot": dict(spec.cannot),
        "behaviours": table(spec),
        "worst_case": spec.worst_case,
        "settings": [
            {
                "name": setting.name,
                "variables": list(setting.variables),
                "secret": setting.secret,
                "required": setting.required,
                "default": setting.default,
                "help": setting.help,
            }
            for setting in spec.settings
        ],
    }


def _rows(specs: Sequence[FarmSpec]) -> list[list[str]]:
    from pytest_devicefarm.core.behaviours import tables

    return [
        ["farm", *(spec.title for spec in specs)],
        *tables(specs),
        ["simulator", *("yes" if spec.simulator else "no" for spec in specs)],
        ["worst case", *(spec.worst_case or "not known" for spec in specs)],
        ["told by", *("\n".join(_variables(spec)) for spec in specs)],
    ]


def _variables(spec: FarmSpec) -> list[str]:
    return [
        f"{' or '.join(setting.variables) or setting.name}{'' if setting.required else ' (optional)'}"
        for setting in spec.settings
    ]
