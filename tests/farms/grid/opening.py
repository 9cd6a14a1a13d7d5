"""How tests open a Grid, and a small one on loopback that answers what a real one answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from support.clocks import ManualClock
from support.web import Answer, Asked, ScriptedServer

from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.farms.grid import SPEC
from pytest_devicefarm.farms.grid.farm import GridFarm

PASSWORD = "pa55-canary-0123456789"
ANSWERS = Path(__file__).parent / "answers"
"""Taken from Selenium Grid 4.48.0: two nodes of four slots, a session on ``pixel-1``, two requests in the queue."""


def open_farm(url: str, clock: ManualClock | None = None, *, password: str = "", **values: str) -> GridFarm:
    secrets = {"password": Secret(password)} if password else {}
    return cast(
        GridFarm, SPEC.open(FarmSettings("grid", {"url": url, **values}, secrets), clock=clock or ManualClock())
    )


class SmallGrid(ScriptedServer):
    """Answers by path; `nodes` and `queue` are what a test makes of the real answers.

    Attributes:
        refuses: Statuses with which the end of a session is answered, by its id.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[dict[str, Any]] = json.loads((ANSWERS / "status.json").read_text())["value"]["nodes"]
        self.queue: dict[str, Any] = json.loads((ANSWERS / "queue.json").read_text())
        self.refuses: dict[str, int] = {}

    def slot(self, udid: str) -> dict[str, Any]:
        """The slot of a phone."""
        slots = (slot for node in self.nodes for slot in node["slots"])
        return next(slot for slot in slots if slot["stereotype"].get("appium:udid") == udid)

    def node_of(self, udid: str) -> dict[str, Any]:
        """The node of a phone."""
        return next(node for node in self.nodes if self.slot(udid) in node["slots"])

    def take(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.target == "/status":
            ready = any(node["availability"] == "UP" for node in self.nodes)
            message = "Selenium Grid ready." if ready else "Selenium Grid not ready."
            return _json({"value": {"ready": ready, "message": message, "nodes": self.nodes}})
        if asked.target == "/graphql":
            return _json(self.queue)
        return self._end(asked.target.removeprefix("/session/"))

    def _end(self, session_id: str) -> Answer:
        if session_id in self.refuses:
            return _json({"value": {"error": "unknown error", "message": "Connection error"}}, self.refuses[session_id])
        for slot in (slot for node in self.nodes for slot in node["slots"]):
            if slot["session"] and slot["session"]["sessionId"] == session_id:
                slot["session"] = None
                return _json({"value": None})
        return _json({"value": {"error": "invalid session id", "message": "Unable to find session"}}, 404)


@contextmanager
def a_grid(change: Callable[[SmallGrid], object] = lambda _: None) -> Iterator[SmallGrid]:
    """A small Grid, changed by the test before it answers."""
    with SmallGrid() as grid:
        change(grid)
        thread = threading.Thread(target=grid.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield grid
        finally:
            grid.shutdown()
            thread.join()


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8"})
