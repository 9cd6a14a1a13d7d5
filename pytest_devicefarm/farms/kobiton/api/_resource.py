"""What every resource of Kobiton's API shares: the call, the wrapping of lists, paging, and errors that say where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from pytest_devicefarm.core.errors import FarmAnswerError
from pytest_devicefarm.core.replies import read

if TYPE_CHECKING:
    from pytest_devicefarm.core.transport import Reply as HttpReply
    from pytest_devicefarm.core.transport import Transport

R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)

MAX_PAGES = 500
"""Where paging stops even if the farm always promises another page."""


class Page(Protocol[T_co]):
    """One page of a listing."""

    @property
    def total_pages(self) -> int:
        """How many pages there are, 0 where the farm does not say."""

    @property
    def data(self) -> tuple[T_co, ...]:
        """What is on this page."""


class Resource:
    """One group of operations.

    A method names verb, path as documented, reply and arguments; values for the path's placeholders are keyword
    arguments, spelled as in the path. Arguments that are ``None`` are not sent.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _ask(
        self,
        method: str,
        path: str,
        reply: type[R],
        *,
        wrap: str = "",
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        **ids: object,
    ) -> R:
        """The answer as a struct.

        Args:
            wrap: Name of the list in the struct, for answers that are a bare list or a lone element in one place and
                an object around the list in another.
        """
        answer = self._send(method, path, query=query, json=json, **ids)
        value = answer.json()
        if wrap and not (isinstance(value, Mapping) and wrap in value):
            value = {wrap: value if isinstance(value, list) else [value] if value else []}
        try:
            return read(value, reply)
        except msgspec.ValidationError as error:
            raise FarmAnswerError(
                f"Kobiton answered {method} {answer.path} with something that is no {reply.__name__}: {error}. "
                "Check that the farm's address is that of a Kobiton server.",
                method=method,
                path=answer.path,
                status=answer.status,
            ) from error

    def _tell(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, json: Any = None, **ids: object
    ) -> None:
        """Send where the answer says nothing but that it worked; it is ``OK`` as text, JSON or empty."""
        self._send(method, path, query=query, json=json, **ids)

    def _send(self, method: str, path: str, *, query: Mapping[str, Any] | None, json: Any, **ids: object) -> HttpReply:
        filled = path.format(**{name: quote(str(value), safe="") for name, value in ids.items()})
        return self._transport.call(method, filled, query=query, json=json)


def pages(fetch: Callable[[int], Page[R]]) -> Iterator[R]:
    """All elements of a paged listing, page by page from 1; ends at the last page, an empty one, or `MAX_PAGES`."""
    for number in range(1, MAX_PAGES + 1):
        page = fetch(number)
        yield from page.data
        if not page.data or number >= page.total_pages:
            return
