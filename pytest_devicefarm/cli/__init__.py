"""The command line: one file for each command, loaded when it is asked for."""

from __future__ import annotations

import click

from pytest_devicefarm.cli.group import CommandGroup

# The backspace keeps click from filling the lines.
_EXIT_STATUS = """\b
Exit status:
  0   all is well
  1   a problem was found, such as no matching device
  2   something in the options or the configuration has to be mended
  75  the farm did not answer or failed; trying again may help
"""


@click.command(cls=CommandGroup, epilog=_EXIT_STATUS)
@click.version_option(package_name="pytest-devicefarm", prog_name="devicefarm")
def main() -> None:
    """Look at and look after the phones of a device farm."""
