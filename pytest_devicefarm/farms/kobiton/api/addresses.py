"""The addresses of a Kobiton installation, from the one that people know."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from pytest_devicefarm.core.settings import check_address


def server_url(url: str) -> str:
    """The server without ``/v1`` and trailing slashes.

    Raises:
        ConfigurationError: It is no http address, or carries credentials.
    """
    check_address(url.strip(), "the address of Kobiton (--farm-url, KOBITON_URL)")
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def rest_url(url: str) -> str:
    """Base of the REST calls; ``url`` may end in ``/v1`` or not."""
    return f"{server_url(url)}/v1"


def hub_url(url: str, hub: str = "") -> str:
    """Where Appium sessions are opened: ``hub`` where it is set, else below the server.

    Raises:
        ConfigurationError: It is no http address, or carries credentials.
    """
    if not hub:
        return f"{server_url(url)}/wd/hub"
    check_address(hub.strip(), "the address of Kobiton's hub (--farm-hub-url, KOBITON_HUB_URL)")
    return hub.strip().rstrip("/")


def portal_url(url: str) -> str:
    """Where people look: the ``api`` at the start of the host is ``portal`` there; other hosts serve both."""
    parts = urlsplit(server_url(url))
    host = parts.netloc
    if host.startswith(("api.", "api-")):
        host = "portal" + host.removeprefix("api")
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
