"""Keeping device and session open after a failed test, for whoever wants to look in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_devicefarm.loan import Loan
    from pytest_devicefarm.run import FarmRun

ALIVE_SECONDS = 10.0
"""Pause between two signs of life while a session is held open."""

LOOK_SECONDS = 0.2


def hold(config: pytest.Config, run: FarmRun, loan: Loan, say: Callable[[str], None]) -> None:
    """Keep device and session open until Enter or the time is over, with signs of life meanwhile."""
    minutes = run.options.farm_hold_minutes
    for opened in loan.sessions.values():
        say(
            f"holding {opened.lease.device} for {minutes:g} min after {loan.item.nodeid} failed; "
            f"look in at {opened.session.url or run.farm.hub.url}, session {opened.session.webdriver_id}"
        )
    if not loan.sessions:
        return
    enter = _Enter(config)
    end = run.clock.monotonic() + minutes * 60
    alive = run.clock.monotonic() + ALIVE_SECONDS
    while run.clock.monotonic() < end and not enter.pressed(LOOK_SECONDS):
        if run.clock.monotonic() >= alive:
            alive += ALIVE_SECONDS
            for opened in loan.sessions.values():
                opened.lease.touch()
                opened.sign_of_life()


class _Enter:
    """Whether somebody pressed Enter; only asked in a run on a terminal, never in a worker."""

    def __init__(self, config: pytest.Config) -> None:
        import sys

        self._input = sys.__stdin__ if not hasattr(config, "workerinput") else None
        if self._input is not None and not self._input.isatty():
            self._input = None

    def pressed(self, seconds: float) -> bool:
        """Wait so long at most."""
        import select

        if self._input is None:
            time.sleep(seconds)
            return False
        ready, _, _ = select.select([self._input], [], [], seconds)
        return bool(ready and self._input.readline() is not None)
