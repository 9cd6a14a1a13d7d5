"""What lets the apps of one world talk to each other: texts sent on one phone arrive on another."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

_KEPT = 1000
"""A world may run for days; nobody reads letters older than its open sessions."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One text on its way.

    Attributes:
        number: Position in the order of arrival, counted from 1.
        sender: The session that sent it.
        to: Address it was sent to; empty for everybody but the sender.
        text: What it says.
    """

    number: int
    sender: str
    to: str
    text: str


class Mailbox:
    """The letters of one world, shared by all its sessions and safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._letters: deque[Letter] = deque(maxlen=_KEPT)
        self._last = 0

    @property
    def last(self) -> int:
        """Number of the newest letter, 0 when none was ever sent."""
        with self._lock:
            return self._last

    def send(self, text: str, *, sender: str, to: str = "") -> Letter:
        """Put a letter in and return it as it is kept."""
        with self._lock:
            self._last += 1
            letter = Letter(self._last, sender, to, text)
            self._letters.append(letter)
            return letter

    def since(self, number: int) -> tuple[Letter, ...]:
        """The letters behind `number`, oldest first."""
        with self._lock:
            return tuple(letter for letter in self._letters if letter.number > number)
