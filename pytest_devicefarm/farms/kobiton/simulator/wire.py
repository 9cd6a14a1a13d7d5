"""Credentials, error form and addresses of Kobiton."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from pytest_devicefarm.farms.kobiton.simulator import apps, devices, hub, reservations, sessions, users, versions
from pytest_devicefarm.farms.kobiton.simulator.capabilities import CREDENTIALS
from pytest_devicefarm.simulator.capabilities import parsed, wanted_capabilities
from pytest_devicefarm.simulator.contract import ContractBroken
from pytest_devicefarm.simulator.engine import webdriver_error
from pytest_devicefarm.simulator.wire import Wire, compact
from pytest_devicefarm.simulator.world import Account, World

API, HUB = "/v1", "/wd/hub"
"""Where the REST API and the Appium hub begin on the server."""


class KobitonWire(Wire):
    """Kobiton's REST API v1 under `/v1`, and its hub under `/wd/hub`, both with Basic authentication."""

    farm = "kobiton"

    def __init__(
        self,
        world: World,
        *,
        dialect: str = "seen",
        appium: str | None = None,
        username: str | None = None,
        api_key: str | None = None,
    ) -> None:
        rest = (
            *apps.ROUTES,
            *devices.ROUTES,
            *reservations.ROUTES,
            *sessions.ROUTES,
            *users.ROUTES,
            *versions.ROUTES,
        )
        super().__init__(world, {API: rest, HUB: hub.ROUTES}, dialect=dialect)
        world.set_credentials(username, api_key)
        self.appium = appium

    def authenticate(self, request: Request, operation: str) -> Account | None:
        """The account of the Basic credentials or, when a session is created without them, of its capabilities."""
        given = request.authorization
        if given is not None and given.type == "basic":
            return self._account(given.username or "", given.password or "")
        if operation == "hub.create" and given is None:
            return self._account(*_credentials_in(request))
        if operation in ("hub.command", "hub.delete", "hub.read") and given is None:
            # Whoever was let in by capabilities goes on without a header: the session's id is the secret.
            session = self.world.sessions.by_webdriver_id(request.path.removeprefix(f"{HUB}/session/").split("/")[0])
            return None if session is None else next(a for a in self.world.accounts if a.name == session.account)
        return None

    def _account(self, name: str, key: str) -> Account | None:
        matches = [a for a in self.world.accounts if hmac.compare_digest(a.name.encode(), name.encode())]
        return next((a for a in matches if hmac.compare_digest(a.key.encode(), key.encode())), None)

    def refusal(self, operation: str, status: int, message: str) -> Response:
        """JSON with `message`; the hub answers in WebDriver's form."""
        if not operation.startswith("hub."):
            response = compact({"message": message}, status)
        else:
            code = {400: "invalid argument", 401: "session not created", 404: "unknown command"}
            response = Response(*_parts(webdriver_error(code.get(status, "unknown error"), message, status)))
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="Kobiton"'
        return response

    def hub_url(self, url: str) -> str:
        """The address for Appium clients, without credentials."""
        return url + HUB

    def environment(self, url: str) -> dict[str, str]:
        """The variables that Kobiton's clients read."""
        return {
            "KOBITON_URL": url,
            "KOBITON_HUB_URL": self.hub_url(url),
            "KOBITON_USERNAME": self.world.accounts[0].name,
            "KOBITON_API_KEY": self.world.accounts[0].key,
        }


def _parts(reply: Any) -> tuple[bytes, int, dict[str, str]]:
    return reply.body, reply.status, {"Content-Type": reply.content_type}


def _credentials_in(request: Request) -> tuple[str, str]:
    try:
        wanted = wanted_capabilities(parsed(request.get_data()), bare=CREDENTIALS)
    except ContractBroken:
        return "", ""
    return _first(wanted, "username"), _first(wanted, "accessKey")


def _first(wanted: Mapping[str, Any], name: str) -> str:
    found = (wanted.get(prefix + name) for prefix in ("", "kobiton:", "appium:"))
    return next((value for value in found if isinstance(value, str)), "")
