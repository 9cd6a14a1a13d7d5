"""The Appium hub, as far as it is needed beside a WebDriver client: ending a session nobody drives any more."""

from __future__ import annotations

from pytest_devicefarm.farms.kobiton.api._resource import Resource


class Hub(Resource):
    """Calls below ``/wd/hub``."""

    def quit(self, webdriver_id: str) -> None:
        """End an Appium session; one that is gone raises `FarmNotFound`.

        W3C WebDriver, Delete Session: ``DELETE /session/{session id}``.
        """
        self._tell("DELETE", "/session/{sessionId}", sessionId=webdriver_id)
