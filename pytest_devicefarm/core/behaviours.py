"""What every farm is held to, as one list: the contract tests it, `devicefarm farms` and the documents show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_devicefarm.core.model import ArtifactKind

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import FarmSpec

BEHAVIOURS = {
    "find": "each device once; an entry that cannot be read is a note",
    "match": "a device is found by what the farm says of it",
    "lease": "two processes never have the same device",
    "reserve": "a booking that everyone sees, all devices or none, given back once or twice",
    "renew": "a booking is prolonged while it is held",
    "busy after choice": "somebody was quicker: one more try elsewhere, not a failure",
    "upload": "a build is sent once and found again",
    "parse": "a build the farm cannot use is refused with the farm's reason",
    "install": "a build gets on a leased device",
    "session": "opens on the device that was leased, and ends by itself when nobody drives it",
    "link": "a page in the farm's portal for each session",
    "token": "a mark of ours in a field the farm shows, to find a session whose answer was lost",
    "verdict": "told once for each session",
    "artifacts": "each kind that is declared comes, or says why it never will",
    "late artifacts": "not there yet when the session ends, then there; meanwhile the device is free",
    "release": "nothing stays open after any kind of failure",
    "reap": "what a dead process left is ended by its journal",
    "secrets": "in no capability, answer, error or text",
    "garbage": "answers that make no sense are errors that name the call",
    "slow answers": "are waited for, within bounds",
}
"""Name and meaning of each behaviour, in the order of a run. ``FarmSpec.cannot`` names those a farm has not."""

NO_REASON = "it has nothing of the kind"
"""Said where a SPEC gives no reason, which the contract does not allow."""

RESETS = ("none", "app", "device")
OURS = frozenset({ArtifactKind.PAGE_SOURCE, ArtifactKind.COMMANDS, ArtifactKind.SESSION, ArtifactKind.SCREENSHOT})
"""Kinds of artifacts that are made in the process of the test, whatever the farm gives."""


def table(spec: FarmSpec) -> dict[str, str]:
    """What a farm can do, one cell for each behaviour, reset and kind of artifact: ``yes``, or ``no`` and why."""
    cells = {name: _cell(spec, name, _has(spec, name)) for name in BEHAVIOURS}
    cells |= {f"reset {reset}": _cell(spec, reset, reset in spec.resets) for reset in RESETS}
    cells |= {f"artifact {kind}": _of_artifact(spec, kind) for kind in ArtifactKind}
    known = {*BEHAVIOURS, *RESETS, *ArtifactKind}
    return cells | {name: f"no: {reason}" for name, reason in spec.cannot.items() if name not in known}


def tables(specs: Sequence[FarmSpec]) -> list[list[str]]:
    """A row for each behaviour: its name, and the cell of each farm; what only one of them names, the others have."""
    cells = [table(spec) for spec in specs]
    names = dict.fromkeys(name for farm in cells for name in farm)
    return [[name, *(farm.get(name, "yes") for farm in cells)] for name in names]


def _has(spec: FarmSpec, name: str) -> bool:
    match name:
        case "reserve" | "renew":
            return bool(getattr(spec, name))
        case "late artifacts":
            return "late" in spec.artifacts.values()
        case _:
            return name not in spec.cannot


def _of_artifact(spec: FarmSpec, kind: ArtifactKind) -> str:
    when = spec.artifacts.get(kind)
    if when is None and kind in OURS:
        return "yes, from the test's process"
    return f"yes, {when}" if when else _cell(spec, kind.value, False)


def _cell(spec: FarmSpec, name: str, has: bool) -> str:
    return "yes" if has else f"no: {spec.cannot.get(name, NO_REASON)}"
