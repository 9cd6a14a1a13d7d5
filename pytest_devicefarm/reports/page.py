"""The small web page in the folder of each test: what happened, the video, the ends of the logs, what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from pytest_devicefarm.core.model import Artifact, ArtifactKind
from pytest_devicefarm.reports.artifacts import SessionJob, relative_name, replace_text
from pytest_devicefarm.reports.text import portal_link

PAGE_NAME = "index.html"

_EXCERPT_BYTES = 16 << 10
_EXCERPT_LINES = 60
_LOGS = {ArtifactKind.DEVICE_LOG, ArtifactKind.APPIUM_LOG}
_POLICY = "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.2rem;overflow-wrap:anywhere}h2{font-size:1rem;margin-top:2rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#666}dd{margin:0}"
    "video,img{max-width:100%;max-height:32rem;border:1px solid #ccc}"
    "pre{background:#f6f6f6;padding:.7rem;overflow:auto;font-size:12px}"
    ".note{color:#8a4b00}.failed,.infrastructure{color:#b00020}.passed{color:#1b6e2d}"
)


def write_page(folder: Path, job: SessionJob, artifacts: Sequence[Artifact]) -> Path:
    """Write ``index.html`` into the folder of a test; gives the file.

    It needs nothing but the files beside it, runs no script, and shows whatever farm and device said as mere text.
    """
    path = folder / PAGE_NAME
    replace_text(path, "\n".join(_page(folder, job, artifacts)) + "\n")
    return path


def file_link(path: Path, folder: Path) -> str:
    """The address of a file relative to a folder, quoted for HTML attributes and for JSON alike."""
    return quote(relative_name(path, folder))


def _page(folder: Path, job: SessionJob, artifacts: Sequence[Artifact]) -> Iterator[str]:
    test = job.test
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>{escape(test.nodeid)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(test.nodeid)}</h1>"
    yield "<dl>"
    for name, value in _facts(job):
        yield f"<dt>{escape(name)}</dt><dd>{value}</dd>"
    yield "</dl>"
    for artifact in artifacts:
        yield from _artifact(folder, artifact)
    yield "</body></html>"


def _facts(job: SessionJob) -> Iterator[tuple[str, str]]:
    test, session = job.test, job.session
    yield "outcome", f'<strong class="{escape(test.outcome)}">{escape(test.outcome)}</strong>'
    for when, phase in test.facts.get("phases", {}).items():
        if phase.get("message") and not job.infrastructure:
            yield f"in {when}", escape(str(phase["message"]))
    if job.infrastructure:
        yield "infrastructure", f'<span class="note">{escape(job.infrastructure)}</span>'
    yield "device", escape(str(test.device)) + (f" as {escape(test.role)}" if test.role else "")
    if test.try_number > 1:
        yield "try", str(test.try_number)
    yield "took", f"{max(test.ended - test.started, 0):.1f} s"
    if job.waited >= 1:
        yield "waited for the device", f"{job.waited:.0f} s"
    if session:
        name = escape(session.id or session.webdriver_id)
        link = portal_link(session.url)
        yield "session", f'<a href="{escape(link)}" rel="noreferrer">{name}</a>' if link else name


def _artifact(folder: Path, artifact: Artifact) -> Iterator[str]:
    title = escape(artifact.name if artifact.path else str(artifact.kind))
    if artifact.path is None:
        yield f'<h2>{title}</h2><p class="note">{escape(artifact.note)}</p>'
        return
    link = file_link(artifact.path, folder)
    yield f'<h2><a href="{link}">{title}</a></h2>'
    if artifact.note:
        yield f'<p class="note">{escape(artifact.note)}</p>'
    if artifact.media_type.startswith("video/"):
        yield f'<video controls preload="metadata" src="{link}"></video>'
    elif artifact.media_type.startswith("image/"):
        yield f'<img loading="lazy" alt="{title}" src="{link}">'
    elif artifact.kind in _LOGS:
        yield f"<pre>{escape(_end_of(artifact.path))}</pre>"


def _end_of(path: Path) -> str:
    """The last lines of a text file; a hint where it cannot be read any more."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _EXCERPT_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError as error:
        return f"(cannot be read: {error.strerror})"
    lines = text.splitlines()
    shown = lines[-_EXCERPT_LINES:]
    if size > _EXCERPT_BYTES or len(lines) > len(shown):
        shown.insert(0, "…")
    # NUL and its like are not allowed in a page.
    return "\n".join(
        "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in line) for line in shown
    )
