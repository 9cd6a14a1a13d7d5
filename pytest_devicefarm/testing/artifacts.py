"""What a farm owes its users about what a session leaves behind: late, live, or never and why."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import SessionLost
from pytest_devicefarm.core.farm import Farm, FarmSpec
from pytest_devicefarm.core.model import ArtifactKind, Device, FarmSession, RemoteArtifact
from pytest_devicefarm.core.sessions import OpenSession
from pytest_devicefarm.testing.bench import FarmBench
from pytest_devicefarm.testing.process import Process
from pytest_devicefarm.testing.relay import COMMAND, Relay
from pytest_devicefarm.testing.setting import Setting

PATIENCE = 600.0
LIMIT = 64 * 1024**2


class ArtifactContract(Setting):
    """Logs, video, network log, pictures."""

    @pytest.fixture
    def used(self, here: Process, device: Device) -> OpenSession:
        """A session that has done something and is open."""
        opened = here.open(here.lease([device]))
        opened.screenshot()
        return opened

    def test_late_artifacts_come_after_a_while(
        self, used: OpenSession, farm: Farm, spec: FarmSpec, bench: FarmBench, tmp_path: Path
    ) -> None:
        """Not all of them at once; each is then fetched as what its kind says."""
        used.close()
        kinds = _kinds(spec, "late")
        if not kinds:
            assert not _there(farm.artifacts(used.session, ArtifactKind))
            return
        assert _there(farm.artifacts(used.session, kinds)) < kinds
        offers = _awaited(farm, used.session, kinds, bench)
        assert {offer.kind for offer in offers} == kinds
        for number, offer in enumerate(offers):
            assert not offer.unavailable
            path = tmp_path / f"artifact-{number}"
            media_type = farm.fetch(offer, path, limit=LIMIT)
            assert "/" in media_type
            _check(offer.kind, path.read_bytes())

    def test_late_artifacts_that_never_come_break_nothing(
        self, used: OpenSession, farm: Farm, spec: FarmSpec, bench: FarmBench
    ) -> None:
        """They are left out, or say why they never will."""
        kinds = _kinds(spec, "late")
        if kinds:
            bench.withhold_artifacts(used.session)
        used.close()
        offers = _awaited(farm, used.session, kinds, bench)
        assert _there(offers) < kinds or not kinds

    def test_only_what_is_asked_for_is_given(
        self, used: OpenSession, farm: Farm, spec: FarmSpec, bench: FarmBench
    ) -> None:
        """Nothing where nothing is asked for."""
        used.close()
        for kind in _kinds(spec, "late"):
            assert {offer.kind for offer in _awaited(farm, used.session, {kind}, bench)} == {kind}
        assert not farm.artifacts(used.session, [])

    def test_live_artifacts_are_taken_before_the_end(self, here: Process, spec: FarmSpec, device: Device) -> None:
        """Each with its data, or with the reason why not."""
        kinds = _kinds(spec, "live")
        opened = here.open(here.lease([device]))
        here.farm.start_live(opened.driver, kinds)
        taken = here.farm.take_live(opened.driver, kinds)
        opened.close()
        assert {artifact.kind for artifact in taken} == kinds
        assert all(bool(artifact.data) != bool(artifact.unavailable) for artifact in taken)

    def test_live_artifacts_of_a_hub_that_fails_are_none(
        self, used: OpenSession, farm: Farm, spec: FarmSpec, relay: Relay
    ) -> None:
        """They say so, or the session is said to be lost; it is closed as ever."""
        kinds = _kinds(spec, "live")
        taken: Sequence[RemoteArtifact] = ()
        with relay.troubled("error", calls=COMMAND), contextlib.suppress(SessionLost):
            farm.start_live(used.driver, kinds)
            taken = farm.take_live(used.driver, kinds)
        used.close()
        assert all(artifact.unavailable for artifact in taken)


def _kinds(spec: FarmSpec, when: str) -> set[ArtifactKind]:
    return {kind for kind, each in spec.artifacts.items() if each == when}


def _there(offers: Iterable[RemoteArtifact]) -> set[ArtifactKind]:
    return {offer.kind for offer in offers if not offer.unavailable}


def _awaited(farm: Farm, session: FarmSession, kinds: set[ArtifactKind], bench: FarmBench) -> Sequence[RemoteArtifact]:
    """What the farm offers when it has been asked often enough."""
    deadline = bench.clock.monotonic() + PATIENCE
    while True:
        offers = farm.artifacts(session, sorted(kinds))
        if {offer.kind for offer in offers} == kinds or bench.clock.monotonic() >= deadline:
            return offers
        bench.clock.sleep(farm.spec.poll_seconds)


def _check(kind: ArtifactKind, content: bytes) -> None:
    match kind:
        case ArtifactKind.SCREENSHOT:
            assert content.startswith((b"\x89PNG", b"\xff\xd8"))
        case ArtifactKind.VIDEO:
            assert content[4:8] == b"ftyp" or content.startswith(b"\x1a\x45\xdf\xa3")
        case ArtifactKind.NETWORK_LOG:
            assert isinstance(json.loads(content)["log"]["entries"], list)
        case ArtifactKind.COMMANDS | ArtifactKind.SESSION:
            assert json.loads(content)
        case _:
            assert content.decode().strip()
            assert not content.lstrip().startswith(b"<!doctype html")
