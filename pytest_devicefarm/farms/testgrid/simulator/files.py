"""Files that answers give the addresses of; some of these hold the account's token, which then is the key to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from werkzeug.wrappers import Response

from pytest_devicefarm.simulator.wire import Call, Route, Unknown

if TYPE_CHECKING:
    from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire

PLACES = ("/device-cloud", "/process", "/app_build")


def get_file(call: Call) -> Response:
    """The file at an address that was handed out before."""
    key = cast("TestGridWire", call.wire).published(call.request.path)
    if key is None:
        raise Unknown("There is no such file.")
    return call.world.storage.deliver(key, head=call.request.method == "HEAD")


ROUTES: tuple[Route, ...] = (Route("files.get", "GET", "/{path:name}", get_file, query=None, body=None),)
