"""Benchmarks: what the promises about memory, time and start-up cost are measured with.

Run them with ``tox run -e bench``, or ``pytest benchmarks -s`` where everything is installed. Each file prints a table
of what was measured, the goal, and whether it was met. What has to be compared is measured side by side in one run, and
compared as a ratio: the numbers of two machines, or of two days, say little about each other. Only promises that hold
on any machine are asserted (memory, bytes, imports), never a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.tables import Table


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """The table of a benchmark, titled with its docstring and printed at its end, also where it fails."""
    table = Table((request.function.__doc__ or request.function.__name__).strip())
    yield table
    print(table)
