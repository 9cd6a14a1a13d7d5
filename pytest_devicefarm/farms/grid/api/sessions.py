"""Open sessions, as far as they are needed beside a WebDriver client."""

from __future__ import annotations

from urllib.parse import quote

from pytest_devicefarm.farms.grid.api._resource import Resource

_HEADERS = {"Content-Type": "application/json; charset=utf-8"}  # a Grid refuses requests of any other type


class Sessions(Resource):
    """Calls below ``/session``."""

    def quit(self, session_id: str) -> None:
        """End a session. ``DELETE /session/{sessionId}``.

        Raises:
            FarmNotFound: The Grid does not know it (any more).
        """
        self._transport.call("DELETE", f"/session/{quote(session_id, safe='')}", headers=_HEADERS, repeatable=False)
