"""Nodes of a Grid, their slots, and the sessions in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_devicefarm.core.replies import Answer, Reply
from pytest_devicefarm.farms.grid.api._resource import Resource

UP = "UP"
"""Availability of a node that takes sessions; others are ``DRAINING`` (takes no more) and ``DOWN``."""


class SlotId(Reply, frozen=True, rename="camel"):
    """Names a slot: new ones each time a node starts."""

    id: str
    host_id: str = ""


class Session(Reply, frozen=True, rename="camel"):
    """A session in a slot.

    Attributes:
        start: RFC 3339, in UTC.
    """

    session_id: str = ""
    start: str = ""
    uri: str = ""
    capabilities: dict[str, Any] = {}  # noqa: RUF012 - structs copy it


class Slot(Reply, frozen=True, rename="camel"):
    """Room for one session.

    Attributes:
        stereotype: What can be asked of it, as capabilities; ``platformName`` in the Grid's own capitals.
        session: ``None`` where it is free.
    """

    id: SlotId
    stereotype: dict[str, Any] = {}  # noqa: RUF012 - structs copy it
    session: Session | None = None


class Node(Reply, frozen=True, rename="camel"):
    """A node, as the distributor saw it last.

    Attributes:
        availability: `UP`, ``DRAINING`` or ``DOWN``.
        max_sessions: How many of its slots may be in use together; 0 where it does not say.
        session_timeout: Milliseconds without a command after which it ends a session; 0 where it does not say.
    """

    id: str = ""
    uri: str = ""
    availability: str = UP
    max_sessions: int = 0
    session_timeout: int = 0
    version: str = ""
    slots: tuple[Slot, ...] = ()

    def sessions(self) -> Iterator[Session]:
        """The sessions that are open on it."""
        return (slot.session for slot in self.slots if slot.session is not None)


class Status(Answer, frozen=True, rename="camel"):
    """The whole Grid.

    Attributes:
        ready: Whether it has a node that is up.
    """

    ready: bool
    message: str = ""
    nodes: tuple[Node, ...] = ()


class StatusCalls(Resource):
    """Calls below ``/status``."""

    def get(self) -> Status:
        """All nodes with their slots. ``GET /status``.

        Raises:
            FarmAnswerError: It is no Grid; an Appium server and a single node have a status, too.
        """
        status = self._ask("GET", "/status", Status, inside="value")
        if status.ready and not status.nodes:
            raise self.no_grid("GET", "/status", "it is ready without having nodes")
        return status
