"""TestGrid's API as one typed client that needs nothing of pytest.

    from pytest_devicefarm.farms.testgrid import TestGridAPI

    with TestGridAPI("https://example.testgrid.io", user_token=token) as testgrid:
        for device in testgrid.devices.list().devices:
            print(device.device_id, device.device_name)

Importing this module costs nothing: HTTP and each resource are loaded when they are first used.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pytest_devicefarm.core.clock import Clock
    from pytest_devicefarm.core.settings import Secret
    from pytest_devicefarm.farms.testgrid.api._connection import Connection
    from pytest_devicefarm.farms.testgrid.api.apps import Apps
    from pytest_devicefarm.farms.testgrid.api.devices import Devices
    from pytest_devicefarm.farms.testgrid.api.executions import Executions
    from pytest_devicefarm.farms.testgrid.api.files import Files
    from pytest_devicefarm.farms.testgrid.api.hub import Hub
    from pytest_devicefarm.farms.testgrid.api.reservations import Reservations
    from pytest_devicefarm.farms.testgrid.api.runs import Runs
    from pytest_devicefarm.farms.testgrid.api.users import Users

__all__ = ["TestGridAPI"]


class TestGridAPI:
    """One account on one TestGrid server; a context manager, safe to use from several threads.

    Every method says its operation and path; all raise `FarmError` where the farm fails.

    Args:
        url: The server, with the path prefix of one of one's own.
        user_token: The account's token; text is wrapped so that it cannot be printed.
        email: With ``password``, what a token is got with where none is given.
        clock: Time for retries; the machine's own by default.
    """

    __test__ = False

    def __init__(
        self,
        url: str,
        *,
        user_token: str | Secret | None = None,
        email: str = "",
        password: str | Secret | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._user_token = user_token
        self._email = email
        self._password = password
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        if "connection" in self.__dict__:
            self.connection.close()

    @cached_property
    def connection(self) -> Connection:
        """The signed-in way to the server, for what this client has no method for."""
        from pytest_devicefarm.core.clock import SystemClock
        from pytest_devicefarm.core.settings import Secret
        from pytest_devicefarm.farms.testgrid.api._connection import Connection, Credentials

        def secret(value: str | Secret | None) -> Secret | None:
            return value if isinstance(value, Secret) else Secret(value) if value else None

        return Connection(
            self._url,
            Credentials(secret(self._user_token), self._email, secret(self._password)),
            clock=self._clock or SystemClock(),
        )

    @cached_property
    def users(self) -> Users:
        """Accounts of the organization."""
        from pytest_devicefarm.farms.testgrid.api.users import Users

        return Users(self.connection)

    @cached_property
    def devices(self) -> Devices:
        """Devices the account may use."""
        from pytest_devicefarm.farms.testgrid.api.devices import Devices

        return Devices(self.connection)

    @cached_property
    def reservations(self) -> Reservations:
        """Slots in which a device belongs to the account."""
        from pytest_devicefarm.farms.testgrid.api.reservations import Reservations

        return Reservations(self.connection)

    @cached_property
    def apps(self) -> Apps:
        """Applications and uploaded builds."""
        from pytest_devicefarm.farms.testgrid.api.apps import Apps

        return Apps(self.connection)

    @cached_property
    def runs(self) -> Runs:
        """What Appium scripts left behind."""
        from pytest_devicefarm.farms.testgrid.api.runs import Runs

        return Runs(self.connection)

    @cached_property
    def executions(self) -> Executions:
        """Results of an application's runs."""
        from pytest_devicefarm.farms.testgrid.api.executions import Executions

        return Executions(self.connection)

    @cached_property
    def files(self) -> Files:
        """Files behind addresses of other answers."""
        from pytest_devicefarm.farms.testgrid.api.files import Files

        return Files(self.connection)

    @cached_property
    def hub(self) -> Hub:
        """The Appium servers, as far as they are needed beside a WebDriver client."""
        from pytest_devicefarm.farms.testgrid.api.hub import Hub

        return Hub(self.connection)
