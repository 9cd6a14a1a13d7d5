"""Tables for people and JSON for programs.

What farms and devices say is text and never markup: it is stripped of all a terminal or rich would act on.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

WIDE = 10_000
"""Columns of a table that goes to a file or a pipe, where nobody wants lines broken."""


def json_option(schema: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option ``--json`` and, in the help of the command, what it prints."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        # The backspace keeps click from filling the lines of the schema.
        command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n\b\nWith --json:\n  {schema}\n"
        return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)

    return decorate


def print_json(value: Any) -> None:
    """Print a value as JSON, in ASCII, so that no terminal and no encoding can trip over it."""
    click.echo(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; cells are plain text, and a newline in a cell is kept."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible_lines(cell)) for cell in row))
    # The stream is looked up now, since it may have been exchanged after import.
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False).print(table)


def print_markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as documents have it; a newline in a cell becomes a break."""
    for cells in (columns, ["---"] * len(columns), *rows):
        texts = (visible_lines(cell).replace("|", "\\|").replace("\n", "<br>") for cell in cells)
        click.echo(f"| {' | '.join(texts)} |")


def note(text: str) -> None:
    """Print a line for people beside the output proper, on standard error."""
    click.echo(visible_lines(text), err=True)


def visible_lines(text: str) -> str:
    """The text with everything but newlines that a terminal would act on written as an escape."""
    from pytest_devicefarm.core.redaction import visible

    return "\n".join(visible(line) for line in text.split("\n"))


def local_time(seconds: float) -> str:
    """Seconds since the epoch as people here write a time."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def utc_time(seconds: float) -> str:
    """Seconds since the epoch in ISO 8601, for programs."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
