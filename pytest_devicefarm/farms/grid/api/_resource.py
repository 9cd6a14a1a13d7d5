"""What every resource of a Grid shares: the call, and an answer that says what it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pytest_devicefarm.core.errors import FarmAnswerError
from pytest_devicefarm.core.replies import read

if TYPE_CHECKING:
    from pytest_devicefarm.core.transport import Transport

R = TypeVar("R")


class Resource:
    """One group of operations."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _ask(self, method: str, path: str, reply: type[R], *, inside: str, json: Any = None) -> R:
        """The member ``inside`` of the answer as a struct.

        Raises:
            FarmAnswerError: It is not there, or not what a Grid would say.
        """
        answer = self._transport.call(method, path, json=json, repeatable=True)
        value = answer.json()
        try:
            return read(value.get(inside) if isinstance(value, dict) else None, reply)
        except msgspec.ValidationError as error:
            raise self.no_grid(method, path, str(error)) from error

    @staticmethod
    def no_grid(method: str, path: str, why: str) -> FarmAnswerError:
        """The error for an answer that no Selenium Grid 4 would give."""
        return FarmAnswerError(
            f"{method} {path} was answered with something no Selenium Grid 4 says: {why}. Check that the address is "
            "that of the hub, and neither that of a node nor of an Appium server (those are for --farm local).",
            method=method,
            path=path,
            status=200,
        )
