"""Who waits for a device at the common hub, in the order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pytest_devicefarm.simulator.devices import Device

Fits = Callable[[Device], bool]


class Queue:
    """Requests that wait; to be used under the world's lock."""

    def __init__(self) -> None:
        self._waiting: list[Fits] = []

    @property
    def length(self) -> int:
        """How many wait, or are about to be served."""
        return len(self._waiting)

    @contextmanager
    def place(self, fits: Fits) -> Iterator[Fits]:
        """Takes a place at the end; gives what fits the request and none that came before."""
        self._waiting.append(fits)

        def left_to_it(device: Device) -> bool:
            earlier = self._waiting[: self._waiting.index(fits)]
            return fits(device) and not any(other(device) for other in earlier)

        try:
            yield left_to_it
        finally:
            self._waiting.remove(fits)
