"""What a session left behind at TestGrid, found among the runs on its device and brought to disk."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import FarmAnswerError, FarmAuthenticationError, FarmNotFound, FarmRefused
from pytest_devicefarm.core.har import clean_har
from pytest_devicefarm.core.media import HEAD, media_type_of
from pytest_devicefarm.core.model import ArtifactKind, FarmSession, RemoteArtifact
from pytest_devicefarm.core.redaction import redact, strip_query
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.farms.testgrid.api import TestGridAPI
from pytest_devicefarm.farms.testgrid.api.reservations import moment
from pytest_devicefarm.farms.testgrid.api.runs import Run, RunLog
from pytest_devicefarm.farms.testgrid.har import har_of

LONGEST_NAME = 200

_CLOCK_SKEW = 5.0
_MARK = 8
UNDER_WAY = frozenset({"1", "2"})
"""Words of ``is_completed`` for a run that is not over: running, queued."""

_JSON = frozenset({ArtifactKind.NETWORK_LOG, ArtifactKind.SESSION})


def case_name(name: str, webdriver_id: str) -> str:
    """How a session's case is called at TestGrid: the end of it tells the session, which nothing else there does."""
    mark = f" [{webdriver_id[:_MARK]}]"
    room = LONGEST_NAME - len(mark)
    return (name if len(name) <= room else f"…{name[-room + 1 :]}") + mark


class SessionArtifacts:
    """Artifacts of sessions of one account.

    Args:
        project: What the sessions are filed under.
        application_token: Where network logs belong to; without it there are none.
    """

    def __init__(self, api: TestGridAPI, clock: Clock, *, project: str, application_token: Secret | None) -> None:
        self._api = api
        self._clock = clock
        self._project = project
        self._application_token = application_token

    def of(self, session: FarmSession, kinds: Iterable[ArtifactKind]) -> Sequence[RemoteArtifact]:
        """Those of the kinds that are there, or will never be; none while the session's run is not over."""
        run = self._run(session)
        if run is None:
            return ()
        try:
            records = self._api.runs.logs(run.build_number).logs
        except FarmNotFound:
            return ()
        if not records or not all(record.end_date for record in records):
            return ()
        makers: dict[ArtifactKind, Callable[[], Sequence[RemoteArtifact]]] = {
            ArtifactKind.DEVICE_LOG: lambda: self._device_log(session),
            ArtifactKind.APPIUM_LOG: lambda: _appium_log(records),
            ArtifactKind.VIDEO: lambda: _videos(records),
            ArtifactKind.NETWORK_LOG: lambda: self._network_log(session, run),
            ArtifactKind.SESSION: lambda: _summary(run, records),
        }
        return [artifact for kind in kinds if kind in makers for artifact in makers[kind]()]

    def fetch(self, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
        """Write an artifact to ``target`` and give its media type.

        Raises:
            FarmNotFound: It is not there any more.
            FarmAnswerError: It is not what its kind says, or larger than ``limit`` bytes.
        """
        if artifact.data is not None:
            if len(artifact.data) > limit:
                raise FarmAnswerError(f"{artifact.name} is larger than the {limit} bytes that are taken from a farm")
            target.write_bytes(artifact.data)
            return "application/json" if artifact.kind in _JSON else "text/plain"
        try:
            self._api.files.download(artifact.address, target, limit=limit)
        except FarmAuthenticationError as error:
            raise FarmNotFound(
                f"the address of {artifact.name} is not valid any more: ask for it again",
                method="GET",
                status=error.status,
            ) from error
        with target.open("rb") as file:
            found = media_type_of(artifact.kind, file.read(HEAD))
        if found is None:
            raise FarmAnswerError(f"what TestGrid gave as {artifact.name} is no {artifact.kind.value}")
        return found

    def _run(self, session: FarmSession) -> Run | None:
        """The run of a session: the one whose case has its mark, or else the first that began after it was asked for.

        The times of runs have no zone; they are read as UTC. Where that fits none of them, the newest is taken.
        """
        minutes = max(1, math.ceil((self._clock.time() - session.started) / 60))
        runs = self._api.runs.list(device_id=session.device.id, last_minutes=minutes + 1).runs
        mark = f"[{session.webdriver_id[:_MARK]}]"
        for run in runs:
            if mark in run.testcase_name or mark in run.session_name:
                return run
        unmarked = [run for run in runs if not run.testcase_name.endswith("]") and self._may_be_ours(run)]
        unmarked.sort(key=lambda run: run.created)
        begin = session.started - _CLOCK_SKEW
        after = [run for run in unmarked if (moment(run.created) or 0.0) >= begin]
        return next(iter(after), unmarked[-1] if unmarked else None)

    def _may_be_ours(self, run: Run) -> bool:
        return run.project_name in (self._project, "undefined", "")

    def _device_log(self, session: FarmSession) -> Sequence[RemoteArtifact]:
        address = self._api.devices.log(session.device.id).log_file_url
        return (RemoteArtifact(ArtifactKind.DEVICE_LOG, "device.log", address=address),) if address else ()

    def _network_log(self, session: FarmSession, run: Run) -> Sequence[RemoteArtifact]:
        kind, name, token = ArtifactKind.NETWORK_LOG, "network.har", self._application_token
        if token is None:
            why = "TestGrid gives network logs by application: set TESTGRID_APPLICATION_TOKEN"
            return (RemoteArtifact(kind, name, unavailable=why),)
        try:
            execution = self._api.executions.details(application_token=token, build_number=run.build_number)
            runs = [one for one in execution.build_devices if str(one.device_id) == session.device.id]
            exchanges = [
                exchange
                for one in runs
                for exchange in self._api.executions.network_log(
                    application_token=token, build_test_id=one.build_test_id
                ).exchanges
            ]
        except FarmRefused as refusal:
            if not refusal.infrastructure:
                raise
            why = f"TestGrid gives none for this session: {redact(refusal.answer, (token,))}"
            return (RemoteArtifact(kind, name, unavailable=why),)
        if not exchanges and any(str(one.is_completed) in UNDER_WAY for one in runs):
            return ()  # its traffic is not put together yet
        if not exchanges:
            return (RemoteArtifact(kind, name, unavailable="no network traffic was recorded in this session"),)
        return (RemoteArtifact(kind, name, data=clean_har(har_of(exchanges))),)


def _appium_log(records: Sequence[RunLog]) -> Sequence[RemoteArtifact]:
    kind = ArtifactKind.APPIUM_LOG
    texts = [record.logs for record in records if record.logs]
    if not texts:
        return ()
    if texts[0].startswith(("http://", "https://")) and len(texts[0].split()) == 1:
        return (RemoteArtifact(kind, "appium.log", address=texts[0]),)
    return (RemoteArtifact(kind, "appium.log", data="\n".join(texts).encode("utf-8", "replace")),)


def _videos(records: Sequence[RunLog]) -> Sequence[RemoteArtifact]:
    """The videos once all are there; each comes some time after its run."""
    if not all(record.src for record in records):
        return ()
    return tuple(
        RemoteArtifact(ArtifactKind.VIDEO, f"video-{number}.mp4" if number > 1 else "video.mp4", address=address)
        for number, address in enumerate(dict.fromkeys(record.src for record in records), 1)
    )


def _summary(run: Run, records: Sequence[RunLog]) -> Sequence[RemoteArtifact]:
    facts = {
        "build_number": str(run.build_number),
        "project_name": run.project_name,
        "session_name": run.session_name,
        "testcase_name": run.testcase_name,
        "created": run.created,
        "records": [
            {
                "start_date": record.start_date,
                "end_date": record.end_date,
                "duration": record.duration,
                "status": record.status,
                "video": strip_query(record.src) if record.src else "",
            }
            for record in records
        ],
    }
    text = json.dumps(facts, ensure_ascii=False, indent=2)
    return (RemoteArtifact(ArtifactKind.SESSION, "session.json", data=text.encode("utf-8", "replace")),)
