"""Accounts of the organization."""

from __future__ import annotations

from pytest_devicefarm.core.replies import Answer, Id, Reply
from pytest_devicefarm.farms.testgrid.api._resource import Resource


class User(Reply, frozen=True):
    """One account."""

    user_id: Id
    email: str = ""
    username: str = ""
    first_name: str = ""
    last_name: str = ""


class UserList(Answer, frozen=True):
    """Accounts that this one may see."""

    users: tuple[User, ...] = ()


class Users(Resource):
    """Calls below ``/api/user`` that are about accounts."""

    def list(self) -> UserList:
        """All accounts. Operation ``listUsers``, ``POST /api/user/list``."""
        return self._ask("POST", "/api/user/list", UserList, many="users")
