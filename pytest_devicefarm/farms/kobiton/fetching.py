"""Brings one artifact to disk and makes sure that it is what its kind says."""

from __future__ import annotations

from pathlib import Path

from pytest_devicefarm.core.errors import FarmAnswerError, FarmAuthenticationError, FarmNotFound
from pytest_devicefarm.core.har import har_bytes
from pytest_devicefarm.core.media import HEAD, media_type_of
from pytest_devicefarm.core.model import ArtifactKind, RemoteArtifact
from pytest_devicefarm.farms.kobiton.api.storage import Storage


def fetch(storage: Storage, artifact: RemoteArtifact, target: Path, *, limit: int) -> str:
    """Write an artifact to ``target`` and give its media type.

    Raises:
        FarmNotFound: The signed address has expired.
        FarmAnswerError: It is not what its kind says, or larger than ``limit`` bytes.
    """
    if artifact.data is not None:
        return _write(target, artifact.data, limit)
    try:
        storage.download(artifact.address, target, limit=limit)
    except FarmAuthenticationError as error:
        # Storage says 403 where a signature is too old; credentials have no part in it.
        raise FarmNotFound(
            f"the address of {artifact.name} is not valid any more (Kobiton's live two hours): ask for it again",
            method="GET",
            status=error.status,
        ) from error
    if artifact.kind is ArtifactKind.NETWORK_LOG:
        return _write(target, har_bytes(target, limit=limit), limit)
    with target.open("rb") as file:
        return _media_type(artifact, file.read(HEAD))


def _write(target: Path, data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise FarmAnswerError(f"{target.name} is larger than the {limit} bytes that are taken from a farm")
    target.write_bytes(data)
    return "application/json"


def _media_type(artifact: RemoteArtifact, head: bytes) -> str:
    found = media_type_of(artifact.kind, head)
    if found is None:
        raise FarmAnswerError(f"what Kobiton gave as {artifact.name} is no {artifact.kind.value}")
    return found
