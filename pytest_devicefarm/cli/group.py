"""Finds the file of a command, and turns our errors into one clear line and an exit status."""

from __future__ import annotations

import importlib
from typing import Any

import click

from pytest_devicefarm.core.errors import DeviceFarmError

COMMANDS = ("apps", "devices", "doctor", "farms", "leases", "reap", "simulate")

PROBLEM_FOUND = 1
MISCONFIGURED = 2
INFRASTRUCTURE = 75


class CommandGroup(click.Group):
    """A group whose commands live in files of the same name, each as ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, ``None`` where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"pytest_devicefarm.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except DeviceFarmError as error:
            raise Failure(str(error), INFRASTRUCTURE if error.infrastructure else MISCONFIGURED) from error


class Failure(click.ClickException):
    """An error for people: a message without traceback, and the exit status."""

    def __init__(self, message: str, exit_code: int) -> None:
        from pytest_devicefarm.cli.output import visible_lines

        super().__init__(visible_lines(message))
        self.exit_code = exit_code  # type: ignore[misc]
