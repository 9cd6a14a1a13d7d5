"""What a test leaves behind that exists only while its session is open, and the facts for whoever collects the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_devicefarm.core.errors import DeviceFarmError, SessionLost
from pytest_devicefarm.core.model import Artifact, ArtifactKind, TestRecord
from pytest_devicefarm.outcomes import first_line, outcome_of

if TYPE_CHECKING:
    from pytest_devicefarm.core.sessions import OpenSession
    from pytest_devicefarm.loan import Loan
    from pytest_devicefarm.reports.artifacts import SessionJob
    from pytest_devicefarm.run import FarmRun

LIVE_SECONDS = 10.0
"""Longest wait for each answer to the taking of a live artifact."""

OWN = frozenset({ArtifactKind.PAGE_SOURCE, ArtifactKind.COMMANDS})
"""Kinds that come from the driver and the connection alone, on every farm."""


class Evidence:
    """Takes live artifacts of the tests of one process; one that cannot be had is a note, never a failure."""

    def __init__(self, run: FarmRun) -> None:
        self._run = run

    def kinds(self, outcome: str) -> tuple[ArtifactKind, ...]:
        """The kinds to keep of a test that ended so."""
        from pytest_devicefarm.reports.artifacts import wanted

        options = self._run.options
        policies = {
            ArtifactKind.VIDEO: options.farm_video,
            ArtifactKind.DEVICE_LOG: options.farm_device_log,
            ArtifactKind.APPIUM_LOG: options.farm_appium_log,
            ArtifactKind.NETWORK_LOG: options.farm_network_log,
            ArtifactKind.SCREENSHOT: options.farm_screenshot,
        }
        return wanted(policies, failed=outcome in ("failed", "infrastructure"))

    def loss_behind(self, loan: Loan) -> str:
        """Why a test's session is gone, after a command of it failed; ``""`` where it is there.

        A driver that dies answers the command it dies of with an error of its own; only the next one tells.
        """
        for opened in loan.sessions.values():
            try:
                opened.briefly(opened.page_source, LIVE_SECONDS)
            except SessionLost as loss:
                return str(loss)
            except Exception:  # noqa: S112 - whatever else it answers, it is there
                continue
        return ""

    def take_screen(self, loan: Loan, *, failed: bool) -> None:
        """Screenshot and page source of each session, before any teardown changes them."""
        kinds = self.kinds("failed" if failed else "passed")
        for role, opened in loan.sessions.items():
            for kind, take in (
                (ArtifactKind.SCREENSHOT, opened.screenshot),
                (ArtifactKind.PAGE_SOURCE, opened.page_source),
            ):
                if kind in kinds:
                    self._keep(loan, role, kind, partial(opened.briefly, take, LIVE_SECONDS))

    def take_last(self, loan: Loan, outcome: str) -> None:
        """What has to be taken just before quit: the farm's live kinds, and the command timeline."""
        kinds = self.kinds(outcome)
        for role, opened in loan.sessions.items():
            live = [kind for kind in kinds if self._run.spec.artifacts.get(kind) == "live"]
            if live:
                self._take_farms(loan, role, opened, live)
            if ArtifactKind.COMMANDS in kinds:
                self._keep(loan, role, ArtifactKind.COMMANDS, partial(_as_json, opened.commands()))

    def jobs(self, loan: Loan, phases: Mapping[str, tuple[str, str]]) -> list[SessionJob]:
        """The facts of a test that is over, one job for each of its devices."""
        from pytest_devicefarm.reports.artifacts import SessionJob

        outcome = outcome_of(phases)
        kinds = set(self.kinds(outcome))
        jobs = []
        for role, device in loan.devices.items():
            opened = loan.closed.get(role)
            live = tuple(artifact for artifact in loan.live.get(role, []) if artifact.kind in kinds)
            here = {artifact.kind for artifact in live} | OWN
            here |= {kind for kind, when in self._run.spec.artifacts.items() if when == "live"}
            record = TestRecord(
                nodeid=loan.item.nodeid,
                try_number=loan.try_number,
                outcome=outcome,
                device=device,
                role=role,
                started=loan.started,
                ended=time.time(),
                facts={
                    "phases": {when: {"outcome": word, "message": text} for when, (word, text) in phases.items()},
                    "troubles": loan.troubles,
                    "capabilities": self._shown(opened.capabilities if opened else loan.offered.get(role, {})),
                },
            )
            jobs.append(
                SessionJob(
                    test=record,
                    session=opened.session if opened else None,
                    kinds=tuple(kind for kind in ArtifactKind if kind in kinds - here) if opened else (),
                    live=live,
                    infrastructure="; ".join(text for word, text in phases.values() if word == "infrastructure"),
                    waited=loan.waited,
                )
            )
        return jobs

    def _take_farms(self, loan: Loan, role: str, opened: OpenSession, kinds: list[ArtifactKind]) -> None:
        try:
            found = {each.kind: each for each in self._run.farm.take_live(opened.driver, kinds)}
        except Exception as error:  # an artifact may cost a note, never the test its verdict
            for kind in kinds:
                self._note(loan, role, kind, f"could not be taken: {first_line(error)}")
            return
        for kind in kinds:
            remote = found.get(kind)
            if remote is None or remote.data is None:
                self._note(loan, role, kind, (remote.unavailable if remote else "") or "the driver gave none")
            else:
                self._keep(loan, role, kind, partial(bytes, remote.data))

    def _keep(self, loan: Loan, role: str, kind: ArtifactKind, take: Callable[[], bytes]) -> None:
        from selenium.common.exceptions import WebDriverException

        from pytest_devicefarm.core.files import write_whole
        from pytest_devicefarm.reports.artifacts import FILE_NAMES, MEDIA_TYPES

        path = self._run.output.test_folder(loan.item.nodeid, loan.try_number, role) / FILE_NAMES[kind]
        try:
            data = take()
            self._run.output.prepare(path.parent)
            write_whole(path, data)
        except (WebDriverException, DeviceFarmError, OSError) as error:
            self._note(loan, role, kind, f"could not be taken: {first_line(error)}")
        else:
            self._add(loan, role, Artifact(kind, FILE_NAMES[kind], path, MEDIA_TYPES[kind]))

    def _note(self, loan: Loan, role: str, kind: ArtifactKind, note: str) -> None:
        from pytest_devicefarm.reports.artifacts import FILE_NAMES, MEDIA_TYPES

        self._add(loan, role, Artifact(kind, FILE_NAMES[kind], None, MEDIA_TYPES[kind], note))

    def _add(self, loan: Loan, role: str, artifact: Artifact) -> None:
        kept = [other for other in loan.live.get(role, []) if other.kind is not artifact.kind]
        loan.live[role] = [*kept, artifact]

    def _shown(self, capabilities: Mapping[str, Any]) -> dict[str, Any]:
        from pytest_devicefarm.core.redaction import redact

        secrets = list(self._run.settings.secrets.values())
        plain: dict[str, Any] = json.loads(redact(json.dumps(dict(capabilities), default=str), secrets))
        return plain


def _as_json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()
