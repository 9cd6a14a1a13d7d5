"""What a Selenium Grid 4 tells of itself, as one typed client that needs nothing of pytest.

    from pytest_devicefarm.farms.grid import GridAPI

    with GridAPI("http://hub.lab:4444") as grid:
        for node in grid.status.get().nodes:
            print(node.uri, node.availability, len(node.slots))

Importing this module costs nothing: HTTP and each resource are loaded when they are first used.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pytest_devicefarm.core.clock import Clock
    from pytest_devicefarm.core.settings import Secret
    from pytest_devicefarm.core.transport import Transport
    from pytest_devicefarm.farms.grid.api.queue import Queue
    from pytest_devicefarm.farms.grid.api.sessions import Sessions
    from pytest_devicefarm.farms.grid.api.status import StatusCalls

__all__ = ["GridAPI"]


class GridAPI:
    """One Grid; a context manager, safe to use from several threads.

    Every method says its operation and path; all raise `FarmError` where the Grid fails.

    Args:
        url: The hub or router, with or without ``/wd/hub``.
        username: What the hub was started with (``--username``), ``""`` for a Grid without.
        password: Likewise; text is wrapped so that it cannot be printed.
        clock: Time for retries; the machine's own by default.
    """

    def __init__(
        self, url: str, *, username: str = "", password: str | Secret = "", clock: Clock | None = None
    ) -> None:
        from pytest_devicefarm.core.settings import Secret

        self._url = url
        self._username = username
        self._password = password if isinstance(password, Secret) else Secret(password)
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        if "transport" in self.__dict__:
            self.transport.close()

    @cached_property
    def transport(self) -> Transport:
        """The way to the Grid, for what this client has no method for."""
        from pytest_devicefarm.core.clock import SystemClock
        from pytest_devicefarm.core.transport import Transport
        from pytest_devicefarm.farms.grid.api.addresses import grid_url

        return Transport(
            grid_url(self._url),
            auth=(self._username, self._password) if self._username else None,
            clock=self._clock or SystemClock(),
            timeout=(5.0, 20.0),
            credentials_hint="check DEVICEFARM_GRID_USERNAME and DEVICEFARM_GRID_PASSWORD, or credentials.toml: "
            "they are what the hub was started with (--username, --password)",
        )

    @cached_property
    def status(self) -> StatusCalls:
        """Nodes and their slots."""
        from pytest_devicefarm.farms.grid.api.status import StatusCalls

        return StatusCalls(self.transport)

    @cached_property
    def queue(self) -> Queue:
        """Sessions that were asked for and wait for a slot."""
        from pytest_devicefarm.farms.grid.api.queue import Queue

        return Queue(self.transport)

    @cached_property
    def sessions(self) -> Sessions:
        """Open sessions."""
        from pytest_devicefarm.farms.grid.api.sessions import Sessions

        return Sessions(self.transport)
