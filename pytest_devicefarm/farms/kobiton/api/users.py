"""The account itself."""

from __future__ import annotations

from pytest_devicefarm.core.replies import Id
from pytest_devicefarm.farms.kobiton.api._reply import Reply
from pytest_devicefarm.farms.kobiton.api._resource import Resource


class User(Reply, frozen=True, rename=None):
    """An account; this answer alone is spelled in snake case."""

    id: Id = ""
    username: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""


class Users(Resource):
    """Calls below ``/users``, which the reference of version 1 leaves out although public clients rely on them."""

    def me(self) -> User:
        """Who the credentials belong to. ``GET /users/me``."""
        return self._ask("GET", "/users/me", User)
