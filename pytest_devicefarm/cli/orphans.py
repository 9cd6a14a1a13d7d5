"""Ends what dead runs left at a farm, as far as the credentials at hand reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_devicefarm.cli.output import note, utc_time
from pytest_devicefarm.core.errors import DeviceFarmError

if TYPE_CHECKING:
    from pytest_devicefarm.cli.target import Target
    from pytest_devicefarm.core.clock import Clock
    from pytest_devicefarm.core.journal import JournalEntry

REAP_SECONDS = 10.0
"""How long to look for what a farm does not show yet."""

ENTRY_SCHEMA = '{"kind": "session|reservation", "farm", "account", "run", "udid", "id", "since", "expires"}'


@dataclass(slots=True)
class Outcome:
    """What became of the entries of dead runs.

    Attributes:
        ended: Known to be over at the farm now.
        dropped: Over by themselves since, or gone with their simulator.
        kept: Entries that could not be ended, each with the reason.
    """

    ended: list[JournalEntry] = field(default_factory=list)
    dropped: list[JournalEntry] = field(default_factory=list)
    kept: list[tuple[JournalEntry, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The lists for programs."""
        return {
            "ended": [entry_facts(entry) for entry in self.ended],
            "dropped": [entry_facts(entry) for entry in self.dropped],
            "kept": [{**entry_facts(entry), "reason": reason} for entry, reason in self.kept],
        }

    def tell(self) -> None:
        """Say on standard error what was ended and what was not."""
        for entry in self.ended:
            note(f"ended: {entry}")
        for entry in self.dropped:
            note(f"over by itself: {entry}")
        for entry, reason in self.kept:
            note(f"not ended: {entry}: {reason}")


def end_orphans(target: Target, entries: Sequence[JournalEntry], *, clock: Clock) -> Outcome:
    """End each of the entries at its farm; one farm that fails does not stop the others."""
    from pytest_devicefarm.core.journal import remove_entry
    from pytest_devicefarm.core.owners import lives
    from pytest_devicefarm.core.reaping import tidy

    outcome = Outcome()
    for farm in sorted({entry.farm for entry in entries}):
        at_farm = []
        for entry in entries:
            if entry.farm != farm:
                continue
            if not entry.simulated:
                at_farm.append(entry)
            elif lives(target.state, entry.run):
                outcome.kept.append((entry, "its run still has the simulator, and ends it itself"))
            else:
                # The simulator was part of the run, and everything there ended with it.
                remove_entry(target.state, entry)
                outcome.dropped.append(entry)
        if at_farm:
            _end_at_farm(target, farm, at_farm, outcome, clock)
    tidy(target.state, clock=clock)
    return outcome


def entry_facts(entry: JournalEntry) -> dict[str, Any]:
    """An entry of the journal for programs, as `ENTRY_SCHEMA` says."""
    return {
        "kind": entry.kind,
        "farm": entry.farm,
        "account": entry.account,
        "run": entry.run,
        "udid": entry.udid,
        "id": entry.session_id or entry.webdriver_id or entry.reservation_id or None,
        "since": utc_time(entry.since),
        "expires": utc_time(entry.expires),
    }


def _end_at_farm(target: Target, name: str, entries: list[JournalEntry], outcome: Outcome, clock: Clock) -> None:
    from pytest_devicefarm.core.reaping import reap
    from pytest_devicefarm.core.registry import find_farm

    try:
        spec = find_farm(name)
        # The user's own settings, never the address in the journal: keys go only where the user sends them.
        with spec.open(target.settings(spec), clock=clock) as farm:
            report = reap(farm, target.state, entries, clock=clock, deadline=REAP_SECONDS)
    except DeviceFarmError as error:
        outcome.kept += [(entry, str(error)) for entry in entries]
        return
    outcome.ended += report.ended
    outcome.dropped += report.dropped
    outcome.kept += report.kept
