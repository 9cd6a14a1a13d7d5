"""Files of the server, reached by the addresses other answers hand out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devicefarm.farms.testgrid.api._resource import Resource

if TYPE_CHECKING:
    from pytest_devicefarm.core.transport import Download


class Files(Resource):
    """Logs, videos and the like."""

    def download(self, address: str, target: Path, *, limit: int) -> Download:
        """Write what is behind an address of another answer to ``target``.

        Args:
            address: As the answer gave it; ``***`` in it stands for the token, which is put back.
            limit: Most bytes to take; more is an error.
        """
        return self._connection.download(address, target, limit=limit)
