"""The Appium servers, as far as they are needed beside a WebDriver client: ending a session nobody drives any more."""

from __future__ import annotations

from pytest_devicefarm.farms.testgrid.api._resource import Resource


class Hub(Resource):
    """Calls to the Appium server of a device, or to the common one."""

    def quit(self, webdriver_id: str, *, url: str) -> None:
        """End an Appium session; one that is gone raises `FarmNotFound`.

        W3C WebDriver, Delete Session: ``DELETE /session/{session id}``.

        Args:
            url: Address of the Appium server the session was opened at.
        """
        self._connection.end(url, webdriver_id)
