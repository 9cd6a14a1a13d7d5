"""Signing in, and who one is."""

from __future__ import annotations

import hashlib
from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.simulator.contract import TEXT
from pytest_devicefarm.simulator.wire import Call, Route
from pytest_devicefarm.simulator.world import Account


def get_user_token(call: Call) -> Response:
    """The token of an account, for its address and password."""
    return answer(
        call,
        "User Token Fetched",
        user_id=call.account.id,
        email=call.body["email"],
        user_token=call.account.key,
        teams="[]",
    )


def list_users(call: Call) -> Response:
    """The caller's own account: one object as documented, a list as the text of the reference has it."""
    user: dict[str, Any] = {
        "user_id": call.account.id,
        "parent_id": 1,
        "email": email(call.account),
        "username": call.account.name,
        "first_name": call.account.name,
        "last_name": "",
        "teams": [],
    }
    return answer(call, "All user list", data=user if call.wire.documented else [user])


def email(account: Account) -> str:
    """The address by which an account signs in."""
    return account.name if "@" in account.name else f"{account.name}@simulated.example"


def password_of(account: Account) -> str:
    """The account's password, which is not its token."""
    return hashlib.sha256(f"password {account.key}".encode()).hexdigest()[:20]


ROUTES: tuple[Route, ...] = (
    Route(
        "getUserToken",
        "POST",
        "/api/get-usertoken",
        get_user_token,
        query=None,
        body={"email": TEXT.must(), "password": TEXT.must()},
    ),
    Route("listUsers", "POST", "/api/user/list", list_users, query=None, body=form()),
)
