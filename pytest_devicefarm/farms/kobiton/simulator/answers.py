"""Answers that many operations share."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pytest_devicefarm.simulator.wire import Call


def done(call: Call) -> Response:
    """Success of an operation without a documented body: the text `OK` as seen, nothing as documented."""
    return Response("" if call.wire.documented else "OK", content_type="text/plain; charset=utf-8")
