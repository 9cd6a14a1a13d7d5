"""What every resource of TestGrid's API shares: the form, the place of the content, and errors that say where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from pytest_devicefarm.core.errors import FarmAnswerError
from pytest_devicefarm.core.replies import read
from pytest_devicefarm.farms.testgrid.api._envelope import plain

if TYPE_CHECKING:
    from pytest_devicefarm.farms.testgrid.api._connection import Connection

R = TypeVar("R")

_PARTS = ("data", "devices", "response", "build_list", "insight_data")


class Resource:
    """One group of operations.

    A method names verb, path as documented, reply and arguments; values for the path's placeholders are keyword
    arguments, spelled as in the path. Every call is a POST of form fields; the token is added to them, and arguments
    that are ``None`` are not sent.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _ask(
        self,
        method: str,
        path: str,
        reply: type[R],
        *,
        many: str = "",
        flat: bool = False,
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, Path] | None = None,
        repeatable: bool = True,
        **ids: object,
    ) -> R:
        """The content of the answer as a struct.

        Args:
            many: Name of the struct's list, for answers that hold a list, one object for a list, or lists by kind.
            flat: The content stands beside the envelope, not under ``data`` or the like.
            repeatable: Whether the call may be sent again when it is not known if it arrived.
        """
        envelope = self._send(method, path, form=form, files=files, repeatable=repeatable, **ids)
        content = envelope if flat else _content(envelope)
        try:
            return read({many: elements(content)} if many else content, reply)
        except (msgspec.ValidationError, RecursionError) as error:
            raise FarmAnswerError(
                f"TestGrid answered {method} {path} with something that is no {reply.__name__}: {error}. "
                "See that TESTGRID_URL is the address of a TestGrid server.",
                method=method,
                path=path,
            ) from error

    def _tell(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        **ids: object,
    ) -> None:
        """Send where the answer says nothing but that it worked."""
        self._send(method, path, form=form, files=None, repeatable=repeatable, **ids)

    def _send(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, Any] | None,
        files: Mapping[str, Path] | None,
        repeatable: bool,
        **ids: object,
    ) -> dict[str, Any]:
        filled = path.format(**{name: quote(str(value), safe="") for name, value in ids.items()})
        return self._connection.ask(method, filled, form=form or {}, files=files, repeatable=repeatable)


def elements(content: Any) -> list[Any]:
    """A list, however it came: as a list, as JSON text of one, as lists by kind, as one object, or as nothing."""
    if isinstance(content, str):
        try:
            content = plain(json.loads(content), ())
        except (ValueError, RecursionError):
            return []
    if isinstance(content, dict):
        if content and all(isinstance(one, list) for one in content.values()):
            return [element for one in content.values() for element in one]
        return [content] if content else []
    return content if isinstance(content, list) else []


def _content(envelope: Mapping[str, Any]) -> Any:
    return next((envelope[part] for part in _PARTS if part in envelope), {})
