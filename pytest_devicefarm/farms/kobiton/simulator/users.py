"""The caller's own account."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pytest_devicefarm.simulator.wire import Call, Route, compact


def get_current_user(call: Call) -> Response:
    """Who the credentials belong to; clients use it to check them."""
    name = call.account.name
    return compact(
        {"id": call.account.id, "username": name, "email": f"{name}@example.com", "first_name": name, "last_name": ""}
    )


ROUTES = (Route("getCurrentUser", "GET", "/users/me", get_current_user),)
