"""Keeps the inside of the package out of what a failed test shows: our errors say in their text what happened."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from types import FrameType, TracebackType

import pytest
from _pytest._code.code import ReprFileLocation

from pytest_devicefarm.core.errors import DeviceFarmError

_NOT_THE_USERS = frozenset({"pytest_devicefarm", "selenium", "appium", "pytest", "_pytest", "pluggy"})


def shorten(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave of the traceback of one of our errors the user's own part; other exceptions are left as they are.

    ``--full-trace`` is for whoever wants all of it; the caller looks at that.
    """
    if not isinstance(excinfo.value, DeviceFarmError):
        return
    kept = [entry for entry in _entries(excinfo.tb) if _is_the_users(entry.tb_frame)]
    for entry, following in itertools.pairwise([*kept, None]):
        if entry is not None:
            entry.tb_next = following
    excinfo.traceback = type(excinfo.traceback)(kept[0] if kept else [])
    seen = {id(excinfo.value)}
    cause = excinfo.value.__cause__
    while cause is not None and id(cause) not in seen:
        # Without a traceback it is one line, which says how it came to the error above.
        seen.add(id(cause))
        cause.__traceback__ = None
        cause = cause.__cause__


def place(report: pytest.TestReport, error: BaseException) -> None:
    """Give a report of which no traceback was left a place, so that summaries have a message for it."""
    if getattr(report.longrepr, "reprcrash", False) is None:
        path, line, _ = report.location
        text = f"{type(error).__module__}.{type(error).__name__}: {error}"
        report.longrepr.reprcrash = ReprFileLocation(path, (line or 0) + 1, text)  # type: ignore[union-attr]


def _entries(entry: TracebackType | None) -> Iterator[TracebackType]:
    while entry is not None:
        yield entry
        entry = entry.tb_next


def _is_the_users(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package not in _NOT_THE_USERS and package not in sys.stdlib_module_names
