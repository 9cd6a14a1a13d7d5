"""Files behind signed addresses; the signature is the credential, so none of ours is ever sent along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devicefarm.core.redaction import SignedAddress
from pytest_devicefarm.farms.kobiton.api._resource import Resource

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import Progress
    from pytest_devicefarm.core.transport import Download


class Storage(Resource):
    """Object storage, reached by the addresses other answers hand out."""

    def upload(self, url: str, file: Path, *, progress: Progress | None = None) -> None:
        """Send a file's bytes to the address `Apps.upload_url` gave; the address lives about 30 minutes.

        Operation ``uploadFileToS3``, ``PUT /{pre-signed-url}``. Both headers are part of the signature.
        """
        url = SignedAddress(url.strip())
        self._transport.put_file(
            url,
            file,
            headers={"Content-Type": "application/octet-stream", "x-amz-tagging": "unsaved=true"},
            progress=progress,
        )

    def download(self, url: str, target: Path, *, limit: int, progress: Progress | None = None) -> Download:
        """Write what is behind a signed address of a session to ``target``; such an address lives two hours.

        Args:
            limit: Most bytes to take; more is an error.
        """
        url = SignedAddress(url.strip())
        return self._transport.download(url, target, limit=limit, progress=progress)
