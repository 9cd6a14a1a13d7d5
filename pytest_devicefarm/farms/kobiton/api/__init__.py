"""Kobiton's API, version 1, as one typed client that needs nothing of pytest.

    from pytest_devicefarm.farms.kobiton import KobitonAPI

    with KobitonAPI(username="jane", api_key=key) as kobiton:
        for session in kobiton.sessions.walk(state="START"):
            print(session.id, session.name)

Importing this module costs nothing: HTTP and each resource are loaded when they are first used.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pytest_devicefarm.core.clock import Clock
    from pytest_devicefarm.core.settings import Secret
    from pytest_devicefarm.core.transport import Transport
    from pytest_devicefarm.farms.kobiton.api.apps import Apps
    from pytest_devicefarm.farms.kobiton.api.devices import Devices
    from pytest_devicefarm.farms.kobiton.api.hub import Hub
    from pytest_devicefarm.farms.kobiton.api.reservations import Reservations
    from pytest_devicefarm.farms.kobiton.api.sessions import Sessions
    from pytest_devicefarm.farms.kobiton.api.storage import Storage
    from pytest_devicefarm.farms.kobiton.api.users import Users
    from pytest_devicefarm.farms.kobiton.api.versions import Versions

__all__ = ["DEFAULT_URL", "KobitonAPI"]

DEFAULT_URL = "https://api.kobiton.com"

PACE = 0.05
"""Shortest time between two calls of one client to a server elsewhere, in seconds; Kobiton documents no limit."""


class KobitonAPI:
    """One account on one Kobiton server; a context manager, safe to use from several threads.

    Every method says its operation and path; all raise `FarmError` where the farm fails.

    Args:
        url: The server, with or without ``/v1``.
        username: Login name or e-mail address.
        api_key: The account's API key; text is wrapped so that it cannot be printed.
        hub_url: The Appium hub, where it is not ``URL/wd/hub``.
        clock: Time for retries; the machine's own by default.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        username: str,
        api_key: str | Secret,
        hub_url: str = "",
        clock: Clock | None = None,
    ) -> None:
        from pytest_devicefarm.core.settings import Secret

        self._url = url
        self._hub_url = hub_url
        self._auth = (username, api_key if isinstance(api_key, Secret) else Secret(api_key))
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        for name in ("transport", "_hub_transport"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @cached_property
    def transport(self) -> Transport:
        """The way to the REST calls, for what this client has no method for."""
        from pytest_devicefarm.farms.kobiton.api.addresses import rest_url

        return self._connect(rest_url(self._url))

    @cached_property
    def apps(self) -> Apps:
        """Apps in the repository."""
        from pytest_devicefarm.farms.kobiton.api.apps import Apps

        return Apps(self.transport)

    @cached_property
    def versions(self) -> Versions:
        """Builds of apps."""
        from pytest_devicefarm.farms.kobiton.api.versions import Versions

        return Versions(self.transport)

    @cached_property
    def storage(self) -> Storage:
        """Files behind signed addresses."""
        from pytest_devicefarm.farms.kobiton.api.storage import Storage

        return Storage(self.transport)

    @cached_property
    def devices(self) -> Devices:
        """Devices the account can see."""
        from pytest_devicefarm.farms.kobiton.api.devices import Devices

        return Devices(self.transport)

    @cached_property
    def reservations(self) -> Reservations:
        """Devices set aside."""
        from pytest_devicefarm.farms.kobiton.api.reservations import Reservations

        return Reservations(self.transport)

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions and what they left behind."""
        from pytest_devicefarm.farms.kobiton.api.sessions import Sessions

        return Sessions(self.transport)

    @cached_property
    def users(self) -> Users:
        """The account itself."""
        from pytest_devicefarm.farms.kobiton.api.users import Users

        return Users(self.transport)

    @cached_property
    def hub(self) -> Hub:
        """The Appium hub, as far as it is needed beside a WebDriver client."""
        from pytest_devicefarm.farms.kobiton.api.hub import Hub

        return Hub(self._hub_transport)

    @cached_property
    def _hub_transport(self) -> Transport:
        from pytest_devicefarm.farms.kobiton.api.addresses import hub_url

        return self._connect(hub_url(self._url, self._hub_url))

    def _connect(self, base_url: str) -> Transport:
        from pytest_devicefarm.core.clock import SystemClock
        from pytest_devicefarm.core.transport import Transport, is_loopback

        return Transport(
            base_url,
            auth=self._auth,
            clock=self._clock or SystemClock(),
            pace=0.0 if is_loopback(base_url) else PACE,
            credentials_hint=f"check KOBITON_USERNAME (now {self._auth[0]!r}) and KOBITON_API_KEY, or credentials.toml",
        )
