"""What one session still owes: its late artifacts, asked for step by step until each is a file or a note."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

from pytest_devicefarm.core.errors import ConfigurationError, DeviceFarmError, FarmAuthenticationError, FarmError
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.model import Artifact, ArtifactKind, FarmSession, RemoteArtifact
from pytest_devicefarm.core.redaction import visible
from pytest_devicefarm.reports.artifacts import FILE_NAMES, OutputFolder, SessionJob, write_session_json
from pytest_devicefarm.reports.content import LIMITS, OTHER_LIMIT, settle_content
from pytest_devicefarm.reports.page import write_page
from pytest_devicefarm.reports.text import portal_link

# The farm may give a bad file while it is still writing it, so each is tried more than once.
_TRIES = 3
_SUFFIXES = {"video/webm": ".webm", "image/jpeg": ".jpg"}
# Taken in the process of the test; never asked of the farm afterwards.
_OURS = frozenset({ArtifactKind.SESSION, ArtifactKind.COMMANDS, ArtifactKind.PAGE_SOURCE})


class Pending:
    """A job with what has come of it so far.

    Args:
        due: When to ask next, on the clock's monotonic scale; kept by the collector, like ``pause``.
        pause: Seconds between the last two looks.
    """

    def __init__(self, job: SessionJob, folder: OutputFolder, *, due: float, pause: float) -> None:
        self.job = job
        self.due = due
        self.pause = pause
        self._output = folder
        self._folder = folder.of(job.test)
        self._open: set[ArtifactKind] | None = None
        self._artifacts = list(job.live)
        self._had: set[tuple[ArtifactKind, int]] = set()
        self._failures: Counter[tuple[ArtifactKind, int]] = Counter()
        self._reason = ""
        self._over = False
        # Held while a file is moved into place, so that giving up and a late arrival do not cross.
        self._lock = threading.Lock()

    @property
    def settled(self) -> bool:
        """Whether each artifact is a file or a note."""
        return self._open == set() or self._over

    @property
    def artifacts(self) -> list[Artifact]:
        """What is there by now, live artifacts first."""
        with self._lock:
            return list(self._artifacts)

    def step(self, farm: Farm, clean: Callable[[str], str]) -> None:
        """Ask the farm once and fetch what it has; errors become notes, none is raised."""
        try:
            self._step(farm, clean)
        except (FarmAuthenticationError, ConfigurationError) as error:
            self.give_up(_words(error, clean))
        except FarmError as error:
            self._reason = _words(error, clean)
        except Exception as error:  # a flaw in one farm's code must not cost the artifacts of all other tests
            self.give_up(_words(error, clean))

    def give_up(self, why: str) -> None:
        """Note for each artifact that has not come why it never will, and close the books."""
        with self._lock:
            if self._over:
                return
            self._over = True
            reason = f" (last answer: {self._reason})" if self._reason else ""
            session = self.job.session
            link = portal_link(session.url) if session else ""
            page = f"; the farm's page: {link}" if link else ""
            taken = {artifact.kind for artifact in self.job.live}
            missing = set(self.job.kinds) - _OURS - taken if self._open is None else self._open
            for kind in sorted(missing if session else ()):
                self._note(kind, f"{why}{reason}{page}")
        # A download that nobody waits for any more cannot clean up behind itself when the process ends.
        for left in self._folder.glob(".*.part*"):
            with contextlib.suppress(OSError):
                left.unlink()
        self.close()

    def close(self) -> None:
        """Write ``session.json`` and the page of the test; a full disk costs these two and no more."""
        self._over = True
        with contextlib.suppress(OSError):
            self._output.prepare(self._folder)
            write_session_json(self._folder, self.job, self._artifacts)
            write_page(self._folder, self.job, self._artifacts)

    def _step(self, farm: Farm, clean: Callable[[str], str]) -> None:
        session = self.job.session
        if self._open is None:
            self._open = self._kinds_to_ask(farm) if session else set()
        if session and self._open:
            self._fetch_what_is_there(farm, session, self._open, clean)
        if not self._open and not self._over:
            self.close()

    def _kinds_to_ask(self, farm: Farm) -> set[ArtifactKind]:
        late = set()
        for kind in set(self.job.kinds) - _OURS:
            when = farm.spec.artifacts.get(kind)
            if when == "late":
                late.add(kind)
            elif when is None and all(artifact.kind is not kind for artifact in self.job.live):
                self._note(kind, farm.spec.cannot.get(kind, f"farm {farm.spec.name} does not make it"))
        return late

    def _fetch_what_is_there(
        self, farm: Farm, session: FarmSession, still_open: set[ArtifactKind], clean: Callable[[str], str]
    ) -> None:
        offers = farm.artifacts(session, sorted(still_open))
        self._reason = ""
        numbers: Counter[ArtifactKind] = Counter()
        whole = {offer.kind for offer in offers} & still_open
        for offer in offers:
            key = (offer.kind, numbers[offer.kind])
            numbers[offer.kind] += 1
            if offer.kind not in still_open or key in self._had:
                continue
            if self._over:
                return
            if self._settle(farm, offer, key, clean):
                self._had.add(key)
            else:
                whole.discard(offer.kind)
        still_open -= whole

    def _settle(
        self, farm: Farm, offer: RemoteArtifact, key: tuple[ArtifactKind, int], clean: Callable[[str], str]
    ) -> bool:
        """Make a file or a note of one offer; false where it should be offered again."""
        if offer.unavailable:
            self._note(offer.kind, visible(clean(offer.unavailable)), offer.name)
            return True
        try:
            self._fetch(farm, offer, key, clean)
        except Exception as error:
            # An expired link is among these: the next round asks for a fresh one. So is a flaw in one farm's code,
            # which must not cost the other artifacts.
            self._reason = _words(error, clean)
            self._failures[key] += 1
            if self._failures[key] < _TRIES:
                return False
            self._note(offer.kind, self._reason, offer.name)
            self._reason = ""
        return True

    def _fetch(
        self, farm: Farm, offer: RemoteArtifact, key: tuple[ArtifactKind, int], clean: Callable[[str], str]
    ) -> None:
        self._output.prepare(self._folder)
        limit = LIMITS.get(offer.kind, OTHER_LIMIT)
        temporary = self._folder / f".{offer.kind}-{key[1]}.part"
        try:
            media_type = farm.fetch(offer, temporary, limit=limit)
            media_type = settle_content(offer.kind, temporary, media_type, clean)
            with self._lock:
                if self._over:
                    return
                path = self._free_path(offer.kind, media_type)
                path.parent.mkdir(exist_ok=True)
                temporary.replace(path)
                self._artifacts.append(Artifact(offer.kind, visible(offer.name) or path.name, path, media_type))
        finally:
            for left in (temporary, temporary.with_name(f"{temporary.name}-clean")):
                left.unlink(missing_ok=True)

    def _free_path(self, kind: ArtifactKind, media_type: str) -> Path:
        """The file name of the kind; numbered on where the farm has several, or a live one is there."""
        first = self._folder / FILE_NAMES[kind]
        suffix = _SUFFIXES.get(media_type, first.suffix)
        if kind is ArtifactKind.SCREENSHOT:
            names = (f"{number:04}{suffix}" for number in count(1))
        else:
            names = (f"{first.stem}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
        return next(path for path in (first.with_name(name) for name in names) if not path.exists())

    def _note(self, kind: ArtifactKind, note: str, name: str = "") -> None:
        self._artifacts.append(Artifact(kind, visible(name) or Path(FILE_NAMES[kind]).name, None, "", note))


def _words(error: Exception, clean: Callable[[str], str]) -> str:
    """The first line of an error, short, without secrets and without the query of any address."""
    text = str(error).strip()
    kind = "" if isinstance(error, (DeviceFarmError, OSError)) and text else f"{type(error).__name__}: "
    line = kind + (text.splitlines() or [""])[0]
    return visible(re.sub(r"(https?://[^\s?]+)\?\S*", r"\1", clean(line)))[:300]
