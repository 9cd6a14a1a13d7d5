"""What became of a test: of each phase a word and a line, and of all of them together one word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_devicefarm.core.errors import DeviceFarmError, DeviceWaitTimeout

if TYPE_CHECKING:
    import pytest


def infrastructure_problem(error: BaseException) -> str:
    """What the farm did wrong, if it is the farm alone that an exception is about; ``""`` otherwise."""
    if isinstance(error, BaseExceptionGroup):
        problems = [infrastructure_problem(each) for each in error.exceptions]
        return "; ".join(problems) if all(problems) else ""
    if isinstance(error, DeviceFarmError):
        return str(error) if error.infrastructure else ""
    return infrastructure_problem(error.__cause__) if error.__cause__ else ""


def worth_repeating(error: BaseException) -> bool:
    """Whether another try can help against this error of the farm.

    A wait that was too long would only be as long again, and a build that does not install will not the next time.
    """
    return bool(getattr(error, "retryable", True)) and not isinstance(error, DeviceWaitTimeout)


def phase_of(report: pytest.TestReport, problem: str) -> tuple[str, str]:
    """Outcome of one phase and the first line of its reason; ``problem`` is what the farm did wrong."""
    if problem:
        return "infrastructure", problem
    if hasattr(report, "wasxfail"):
        return ("xfailed" if report.skipped else "xpassed"), str(report.wasxfail)
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        return "failed", _one_line(crash.message if crash else str(report.longrepr))
    if report.skipped:
        return "skipped", _one_line(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
    return "passed", ""


def outcome_of(phases: Mapping[str, tuple[str, str]]) -> str:
    """The word for the whole test, as in `TestRecord`."""
    words = [word for word, _ in phases.values()]
    for word in ("infrastructure", "failed", "skipped", "xfailed", "xpassed"):
        if word in words:
            return word
    return "passed"


def first_line(error: BaseException) -> str:
    """An exception in one line."""
    return _one_line(f"{type(error).__name__}: {error}")


def _one_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:300]
