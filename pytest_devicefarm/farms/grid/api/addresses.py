"""The addresses of a Grid, from the one that people know."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from pytest_devicefarm.core.settings import check_address


def grid_url(url: str) -> str:
    """The hub without ``/wd/hub`` and trailing slashes; a path in front of it (``--sub-path``) stays.

    Raises:
        ConfigurationError: It is no http address, or carries credentials.
    """
    check_address(url.strip(), "the address of the Grid (--farm-url, DEVICEFARM_GRID_URL)")
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/").removesuffix("/wd/hub").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
