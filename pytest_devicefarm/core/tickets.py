"""Who waits for which devices, in order of arrival, and who may take what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_devicefarm.core.owners import Owner


@dataclass(frozen=True, slots=True)
class Ticket:
    """A waiter's place in the queue of one account.

    Attributes:
        number: Smaller ones came earlier.
        wants: For each device wanted, the UDIDs that would do, best first.
        barred: UDIDs that the farm, or the waiter's own run, does not give now, and when it said so.
        expires: When the waiter gives up; this and the other times are seconds since the epoch.
    """

    number: int
    token: str
    owner: Owner
    wants: tuple[tuple[str, ...], ...]
    since: float
    expires: float
    barred: Mapping[str, float] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        """Name of its file; sorts by number."""
        return f"{self.number:08d}-{self.token}.json"


def allot(
    free: Iterable[str], queue: Sequence[Sequence[Sequence[str]]], usable: Callable[[int, str], bool] | None = None
) -> list[list[str | None]]:
    """Allot free devices to waiters in their order.

    An earlier waiter never gets fewer devices for the sake of a later one, and keeps what it could get while it waits
    for the rest; it may be moved to another device that does as well.

    Args:
        free: UDIDs that nobody holds.
        queue: For each waiter, earliest first, its wants as in `Ticket.wants`.
        usable: Whether the waiter at an index can use a device now; by default it can.

    Returns:
        For each waiter, for each want, the device or ``None``.
    """
    pool = set(free)
    holder: dict[str, tuple[int, int]] = {}

    def candidates(waiter: int, want: int) -> list[str]:
        return [udid for udid in queue[waiter][want] if udid in pool and (usable is None or usable(waiter, udid))]

    def place(node: tuple[int, int], seen: set[str]) -> bool:
        options = [udid for udid in candidates(*node) if udid not in seen]
        for udid in options:
            if udid not in holder:
                holder[udid] = node
                return True
        for udid in options:
            if udid not in seen:
                seen.add(udid)
                if place(holder[udid], seen):
                    holder[udid] = node
                    return True
        return False

    for waiter, wants in enumerate(queue):
        for want in range(len(wants)):
            place((waiter, want), set())
    allotted: list[list[str | None]] = [[None] * len(wants) for wants in queue]
    for udid, (waiter, want) in holder.items():
        allotted[waiter][want] = udid
    return allotted
