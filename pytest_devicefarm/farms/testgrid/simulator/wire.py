"""Token, forms, refusals and addresses of TestGrid."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request, Response

from pytest_devicefarm.farms.testgrid.simulator import (
    apps,
    devices,
    executions,
    files,
    hub,
    installs,
    reservations,
    runs,
    upkeep,
    users,
)
from pytest_devicefarm.farms.testgrid.simulator.answers import LOGIN_PAGE, NOT_FOUND_PAGE, envelope
from pytest_devicefarm.farms.testgrid.simulator.capabilities import token_in
from pytest_devicefarm.farms.testgrid.simulator.catalogue import Catalogue
from pytest_devicefarm.farms.testgrid.simulator.forms import FormRequest
from pytest_devicefarm.farms.testgrid.simulator.queue import Queue
from pytest_devicefarm.farms.testgrid.simulator.users import email, password_of
from pytest_devicefarm.simulator.contract import ContractBroken, read_body
from pytest_devicefarm.simulator.engine import webdriver_error
from pytest_devicefarm.simulator.hub import response as hub_response
from pytest_devicefarm.simulator.server import ConnectionDropped
from pytest_devicefarm.simulator.wire import Call, Wire, compact
from pytest_devicefarm.simulator.world import Account, World

DEVICE_HUB, COMMON_HUB = "/appium_<port>/wd/hub", "/quantumgrid/wd/hub"
"""Where each device's Appium server is, and the hub that chooses a device itself."""

_IN_ENVELOPES = frozenset({400, 401, 404, 409})


class TestGridWire(Wire):
    """TestGrid's API, where every call is a form with a token, and its Appium servers."""

    __test__ = False
    farm = "testgrid"
    request_class = FormRequest

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
            *executions.ROUTES,
            *installs.ROUTES,
            *reservations.ROUTES,
            *runs.ROUTES,
            *upkeep.ROUTES,
            *users.ROUTES,
        )
        places = {"": rest, DEVICE_HUB: hub.ROUTES, COMMON_HUB: hub.ROUTES}
        super().__init__(world, places | dict.fromkeys(files.PLACES, files.ROUTES), dialect=dialect)
        world.set_credentials(username, api_key)
        world.cleans_after_use = True
        self.appium = appium
        self.catalogue = Catalogue()
        self.application_token = self._ready_application()
        self.queue = Queue()
        self._published: dict[str, str] = {}

    def _ready_application(self) -> str:
        """The token of an application of the first account, which network logs can be asked for with."""
        world, platform = self.world, "android"
        app = world.apps.new_app("Simulated", platform, world.clock.now(), world.accounts[0].name)
        self.catalogue.add_version(app.id, "1", "", platform)
        return self.catalogue.add_application(app)

    # Credentials

    def authenticate(self, request: Request, operation: str) -> Account | None:
        """The account of the token in the form, or in the capabilities of a new session.

        Files and open sessions are not asked for one: who knows their address may use it.
        """
        if operation == "hub.create":
            return self.account_of(token_in(request.get_data()))
        if operation.startswith("hub.") or operation == "files.get":
            return self.world.accounts[0]
        try:
            given = self.fields(request)
        except ContractBroken:
            return None
        if operation == "getUserToken":
            return self._signed_in(str(given.get("email", "")), str(given.get("password", "")))
        return self.account_of(str(given.get("user_token", "")))

    def account_of(self, token: str) -> Account | None:
        """The account that a token belongs to."""
        return next((a for a in self.world.accounts if hmac.compare_digest(a.key.encode(), token.encode())), None)

    def _signed_in(self, address: str, password: str) -> Account | None:
        matches = (a for a in self.world.accounts if email(a) == address)
        return next((a for a in matches if hmac.compare_digest(password_of(a).encode(), password.encode())), None)

    # Forms and refusals

    def fields(self, request: Request) -> Mapping[str, Any]:
        """The fields of a form in either encoding, files among them; samples in some languages send JSON instead."""
        try:
            given: dict[str, Any] = {**request.form.to_dict(), **request.files.to_dict()}
        except ClientDisconnected:
            raise ConnectionDropped from None
        if given or request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return given
        return {name: str(value) for name, value in read_body(request.get_data()).items()}

    def refusal(self, operation: str, status: int, message: str) -> Response:
        """A false envelope with status 200, and a login page where the token is wrong; WebDriver's form at hubs."""
        if operation.startswith("hub."):
            code = {400: "invalid argument", 401: "session not created", 404: "unknown command"}
            return hub_response(webdriver_error(code.get(status, "unknown error"), message, status))
        route = self._routes.get(operation)
        if route is None or operation == "files.get":
            return Response(NOT_FOUND_PAGE, status, content_type="text/html; charset=utf-8")
        if status == 401 and operation != "getUserToken" and not self.documented:
            return Response(LOGIN_PAGE, 200, content_type="text/html; charset=utf-8")
        said = envelope(route.path, False, message, documented=self.documented)
        return compact(said, 200 if status in _IN_ENVELOPES else status)

    # Files

    def publish(self, call: Call, path: str, key: str) -> str:
        """Makes a stored file available below a path of the server, and gives its whole address."""
        self._published[path] = key
        return call.base + path

    def published(self, path: str) -> str | None:
        """The storage key of what is at a path."""
        return self._published.get(path)

    # Addresses

    def hub_url(self, url: str) -> str:
        """The common hub, which chooses a device itself."""
        return url + COMMON_HUB

    def environment(self, url: str) -> dict[str, str]:
        """The variables that TestGrid's clients read."""
        account = self.world.accounts[0]
        return {
            "TESTGRID_URL": url,
            "TESTGRID_USER_TOKEN": account.key,
            "TESTGRID_EMAIL": email(account),
            "TESTGRID_PASSWORD": password_of(account),
            "TESTGRID_APPLICATION_TOKEN": self.application_token,
        }
