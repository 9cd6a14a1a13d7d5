"""`devicefarm apps`: which builds the farm has."""

from __future__ import annotations

import click

from pytest_devicefarm.cli.output import json_option, note, print_json, print_table
from pytest_devicefarm.cli.target import Target, farm_options


@click.command("apps")
@farm_options
@json_option('{"apps": [{"id", "reference", "name", "platform", "package", "version"}]}')
def command(target: Target, as_json: bool) -> None:
    """List the builds that were uploaded to the farm.

    What stands under "reference" is what --farm-app and the app mark take.
    """
    columns = ("id", "reference", "name", "platform", "package", "version")
    with target.open() as farm:
        apps = farm.list_apps()
    rows = [tuple(getattr(app, column) for column in columns) for app in apps]
    if as_json:
        print_json({"apps": [dict(zip(columns, row, strict=True)) for row in rows]})
    elif rows:
        print_table(columns, rows)
    else:
        note(f"no build was uploaded to farm {target.farm!r} yet; --farm-app PATH uploads one")
