"""The simulator's own endpoints below `/_simulator/`, for tests: no credentials, and none are shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from pytest_devicefarm.simulator.faults import Fault, FaultError

if TYPE_CHECKING:
    from pytest_devicefarm.simulator.wire import Wire

PREFIX = "/_simulator/"


def answer(wire: Wire, request: Request) -> Response:
    """Answers one control request.

    - `GET record`: what happened so far;
    - `GET log`: the latest requests, oldest first;
    - `POST faults` with a fault or a list of them; `DELETE faults` disarms all;
    - `POST clock` with `{"advance": seconds}`; answers the new time.
    """
    world = wire.world
    match request.method, request.path.removeprefix(PREFIX).rstrip("/"):
        case "GET", "record":
            return _json(world.facts())
        case "GET", "log":
            return _json(world.record.latest())
        case "POST", "faults":
            return _arm(wire, request)
        case "DELETE", "faults":
            world.faults.clear()
            return _json({})
        case "POST", "clock":
            given = request.get_json(force=True, silent=True)
            seconds = given.get("advance") if isinstance(given, dict) else None
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
                return _json({"message": '"advance" has to be a number of seconds, 0 or more'}, 400)
            world.clock.advance(seconds)
            world.settle()
            return _json({"time": world.clock.now()})
        case _:
            return _json({"message": "there is no such control"}, 404)


def _arm(wire: Wire, request: Request) -> Response:
    given = request.get_json(force=True, silent=True)
    faults = []
    try:
        for each in given if isinstance(given, list) else [given]:
            if not isinstance(each, dict):
                raise FaultError("a fault is a JSON object")
            fault = Fault.from_mapping(each)
            wire.check(fault)
            faults.append(fault)
    except FaultError as error:
        return _json({"message": str(error)}, 400)
    for fault in faults:
        wire.world.faults.add(fault)
    return _json({"armed": len(faults)})


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")
