"""The lines of the "device farm" section in pytest's terminal summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_devicefarm.core.model import Artifact
from pytest_devicefarm.core.redaction import visible
from pytest_devicefarm.reports.artifacts import SessionJob
from pytest_devicefarm.reports.text import portal_link

MOST_LINKS = 20
_MOST_NOTES = 20


@dataclass
class _DeviceUse:
    tests: set[tuple[str, int]] = field(default_factory=set)
    seconds: float = 0.0


def summary_lines(
    results: Sequence[tuple[SessionJob, Sequence[Artifact]]],
    *,
    folder: Path | None = None,
    links: int = MOST_LINKS,
) -> list[str]:
    """Plain lines on devices, waiting, sessions, artifacts and trouble; none where no test asked for a device.

    Args:
        results: What `Collector.join` gave.
        folder: The folder of the run, named where something lies in it.
        links: At most so many sessions are listed, those of failed tests first.
    """
    if not results:
        return []
    jobs = [job for job, _ in results]
    artifacts = [artifact for _, each in results for artifact in each]
    lines = [
        *_devices(jobs),
        *_sessions(jobs, links),
        *_artifacts(artifacts, folder),
        *_notes(results),
        *_trouble(jobs),
    ]
    return [visible(line) for line in lines]


def _devices(jobs: Sequence[SessionJob]) -> Iterator[str]:
    used: dict[str, _DeviceUse] = {}
    for job in jobs:
        if job.session is None:
            continue
        use = used.setdefault(str(job.test.device), _DeviceUse())
        use.tests.add((job.test.nodeid, job.test.try_number))
        use.seconds += max(job.test.ended - job.test.started, 0)
    if used:
        yield "devices used:"
    for device, use in used.items():
        yield f"  {device}: {_counted(len(use.tests), 'test')}, {use.seconds:.1f} s"
    waited = sum(job.waited for job in jobs)
    if waited >= 1:
        longest = max(jobs, key=lambda job: job.waited)
        yield f"waited for devices: {waited:.0f} s in all, {longest.waited:.0f} s of it in {longest.test.nodeid}"


def _sessions(jobs: Sequence[SessionJob], most: int) -> Iterator[str]:
    # Sorting keeps the order within equals; a link to what failed is what people come for.
    opened = sorted((job for job in jobs if job.session), key=lambda job: job.test.outcome == "passed")
    shown = [(job, link) for job in opened if job.session and (link := portal_link(job.session.url))]
    if not opened:
        return
    yield f"sessions: {len(opened)}"
    for job, link in shown[:most]:
        role = f" ({job.test.role})" if job.test.role else ""
        yield f"  {job.test.outcome} {job.test.nodeid}{role}: {link}"
    if len(shown) > most:
        yield f"  and {len(shown) - most} more, each in the session.json of its test"


def _artifacts(artifacts: Sequence[Artifact], folder: Path | None) -> Iterator[str]:
    kept = Counter(str(artifact.kind) for artifact in artifacts if artifact.path)
    if folder is not None:
        counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kept.items())) or "none"
        yield f"artifacts: {counts}; in {folder}"


def _notes(results: Sequence[tuple[SessionJob, Sequence[Artifact]]]) -> Iterator[str]:
    missing: dict[tuple[str, str], list[str]] = {}
    for job, artifacts in results:
        for artifact in artifacts:
            if artifact.path is None:
                # The link to the session is another one each time; without it equal reasons become one line.
                reason = artifact.note.partition("; the farm's page:")[0]
                missing.setdefault((str(artifact.kind), reason), []).append(job.test.nodeid)
    if missing:
        yield "artifacts that did not come:"
    yield from _at_most(
        [f"  {kind}: {reason} ({_where(nodeids)})" for (kind, reason), nodeids in missing.items()], "reasons"
    )


def _trouble(jobs: Sequence[SessionJob]) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for job in jobs:
        if job.infrastructure:
            said.setdefault(job.infrastructure.strip(), []).append(job.test.nodeid)
        for trouble in job.test.facts.get("troubles", ()):
            said.setdefault(f"overcome on another device: {trouble}".strip(), []).append(job.test.nodeid)
    if said:
        yield "infrastructure problems:"
    lines = []
    for message, nodeids in said.items():
        first, *rest = message.splitlines() or [""]
        lines.append("\n".join([f"  {_where(nodeids)}: {first}", *(f"    {line}" for line in rest)]))
    for block in _at_most(lines, "problems"):
        yield from block.split("\n")


def _at_most(lines: Sequence[str], what: str) -> Iterator[str]:
    yield from lines[:_MOST_NOTES]
    if len(lines) > _MOST_NOTES:
        yield f"  and {len(lines) - _MOST_NOTES} more {what}"


def _where(nodeids: Sequence[str]) -> str:
    different = list(dict.fromkeys(nodeids))
    return different[0] if len(different) == 1 else f"{different[0]} and {len(different) - 1} more"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
