"""Signals, turned into one orderly end.

Plain pytest runs no teardown on SIGTERM, and a second Ctrl-C cuts the first one's teardown short. Here the first SIGINT
or SIGTERM raises KeyboardInterrupt, unless something is being given back right now: then it waits until that is done.
Later ones are only counted.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """The signal handlers of one process.

    Args:
        on_first: Called with the first signal, in the handler.
    """

    def __init__(self, on_first: Callable[[], None] = lambda: None) -> None:
        self.count = 0
        self._on_first = on_first
        self._shields = 0
        self._pending = False
        self._former: dict[signal.Signals, Any] = {}
        self._former_wakeup: int | None = None

    def install(self) -> None:
        """Take over the signals; does nothing outside the main thread, where Python allows no handlers."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            # Also where it is ignored, as in a tree started by `cmd &`: a worker interrupts itself by SIGINT.
            self._former[number] = signal.signal(number, self._handle)

    def wake(self, descriptor: int) -> None:
        """Have the interpreter write each signal's number there, even while Python code cannot run."""
        if self._former:
            self._former_wakeup = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)

    def uninstall(self) -> None:
        """Put back what was there."""
        if self._former_wakeup is not None:
            signal.set_wakeup_fd(self._former_wakeup)
            self._former_wakeup = None
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()

    @contextlib.contextmanager
    def shield(self) -> Iterator[None]:
        """Let what is inside run to its end before a signal is acted on."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            if self._pending and not self._shields:
                self._pending = False
                raise KeyboardInterrupt

    @contextlib.contextmanager
    def absorb(self) -> Iterator[None]:
        """Let what is inside run to its end; a signal meanwhile is only counted, for the run ends here anyway."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            self._pending = self._pending and self._shields > 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            return
        self._on_first()
        if self._shields:
            self._pending = True
        else:
            raise KeyboardInterrupt
