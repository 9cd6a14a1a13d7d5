"""Tables of what was measured, printed for people."""

from __future__ import annotations


class Table:
    """What was measured, for people."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._rows = [("what", "measured", "goal", "")]

    def add(self, what: str, measured: str, goal: str = "", met: bool | None = None) -> None:
        """A line; ``met`` tells whether the goal was reached, where there is one."""
        self._rows.append((what, measured, goal, {None: "", True: "met", False: "NOT MET"}[met]))

    def __str__(self) -> str:
        widths = [max(len(row[column]) for row in self._rows) for column in range(4)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in self._rows]
        return "\n".join(["", self._title, *(f"  {line.rstrip()}" for line in lines)])
