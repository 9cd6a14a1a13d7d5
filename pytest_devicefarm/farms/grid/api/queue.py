"""Sessions that were asked for and wait for a slot."""

from __future__ import annotations

import json
from typing import Any

from pytest_devicefarm.core.replies import Answer, Reply
from pytest_devicefarm.farms.grid.api._resource import Resource

_QUERY = "{ sessionsInfo { sessionQueueRequests } }"


class SessionsInfo(Reply, frozen=True, rename="camel"):
    """What waits, each request as JSON in a text."""

    session_queue_requests: tuple[str, ...] = ()


class Data(Answer, frozen=True, rename="camel"):
    """Answer of a query."""

    sessions_info: SessionsInfo


class Queue(Resource):
    """Queries to the Grid's GraphQL endpoint."""

    def requests(self) -> tuple[dict[str, Any], ...]:
        """Capabilities of each request that waits, the next one first. ``POST /graphql``, ``sessionQueueRequests``."""
        told = self._ask("POST", "/graphql", Data, inside="data", json={"query": _QUERY})
        return tuple(map(_capabilities, told.sessions_info.session_queue_requests))


def _capabilities(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
