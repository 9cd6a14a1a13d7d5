"""What a whole run gave a user to read, and how it ended."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from support.runs import SimulatedFarm, a_run

LONGEST_MESSAGE = 12
"""Lines; more do not fit on a terminal beside what else a run prints."""

USAGE, INFRASTRUCTURE = 4, 75
"""Exit statuses."""


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    Attributes:
        seconds: How long it took.
    """

    status: int
    output: str = field(repr=False)
    seconds: float

    @property
    def usage_error(self) -> str:
        """What pytest printed as the error of the user, without its prefix; ``""`` for none."""
        lines = [line.removeprefix("ERROR: ") for line in self.output.splitlines() if line.startswith("ERROR: ")]
        if not lines:
            return ""
        rest = self.output.partition("ERROR: ")[2]
        return rest.partition("\n\n")[0].strip()

    @property
    def message(self) -> str:
        """The user's error in one line, for comparing."""
        return " ".join(self.usage_error.split())

    @property
    def text(self) -> str:
        """All of the output in one line, without the marks of a traceback's lines, for comparing."""
        return " ".join(re.sub(r"(?m)^E  +", "", self.output).split())

    def is_plain(self) -> bool:
        """Whether it is a message for a user: once, short enough, and without a traceback of ours."""
        message = self.usage_error
        return (
            bool(message)
            and self.output.count(message.splitlines()[0]) == 1
            and len(message.splitlines()) <= LONGEST_MESSAGE
            and self.has_no_frames()
        )

    def has_no_frames(self) -> bool:
        """Whether no line shows the inside of the product or of pytest."""
        return not re.search(r"Traceback|INTERNALERROR|pytest_devicefarm/\S+\.py:\d+", self.output)


def outcome_of(
    folder: Path, farm: SimulatedFarm, *arguments: str, seconds: float = 60.0, **environment: str
) -> Outcome:
    """Run the suite in a folder against a farm to its end."""
    began = time.monotonic()
    with a_run(folder, farm, *arguments, **environment) as run:
        status = run.wait(seconds)
        return Outcome(status, run.output, time.monotonic() - began)


def disarm(farm: SimulatedFarm) -> None:
    """Take back the faults that have not struck."""
    urlopen(Request(f"{farm.url}/_simulator/faults", method="DELETE")).close()
