"""`devicefarm devices`: what the farm has, and what of it fits."""

from __future__ import annotations

import dataclasses

import click

from pytest_devicefarm.cli.group import PROBLEM_FOUND
from pytest_devicefarm.cli.output import json_option, note, print_json, print_table
from pytest_devicefarm.cli.target import Target, farm_options


@click.command("devices")
@click.argument("query", default="")
@farm_options
@json_option(
    '{"devices": [{"id", "udid", "name", "platform", "version", "model", "manufacturer",\n'
    '    "tags": [...], "group", "real": true|false|null, "reservable": true|false,\n'
    '    "state": "free|busy|offline", "note"}], "problems": [...]}'
)
@click.pass_context
def command(ctx: click.Context, /, target: Target, query: str, as_json: bool) -> None:
    """List the devices of the farm.

    QUERY narrows them as --farm-device does: "platform=android version>=12 name=Galaxy*".
    The exit status is 1 if there is no such device.
    """
    from pytest_devicefarm.core.query import DeviceQuery, matching, near_misses

    wanted = DeviceQuery.parse(query) if query else DeviceQuery()
    with target.open() as farm:
        listed = farm.list_devices()
    devices = sorted(matching(listed.devices, wanted), key=lambda device: (device.platform, device.name, device.udid))
    if as_json:
        facts = [dataclasses.asdict(device) for device in devices]
        print_json({"devices": facts, "problems": list(listed.problems)})
    elif devices:
        print_table(
            ("name", "platform", "version", "model", "udid", "kind", "state", "note"),
            (
                (
                    device.name,
                    device.platform,
                    device.version,
                    device.model,
                    device.udid,
                    "reservable" if device.reservable else "shared",
                    device.state.value,
                    device.note,
                )
                for device in devices
            ),
        )
    if not as_json:
        for problem in listed.problems:
            note(f"left out: {problem}")
    if not devices:
        note(f"no device of farm {target.farm!r} matches: {wanted}")
        for name, reasons in near_misses(listed.devices, wanted):
            note(f"  {name}: {'; '.join(reasons)}")
        ctx.exit(PROBLEM_FOUND)
