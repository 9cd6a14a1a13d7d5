"""The envelopes around TestGrid's answers: three families, each with two spellings of yes and no."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.simulator.contract import TEXT, Field
from pytest_devicefarm.simulator.wire import Call, compact

TOKEN = {"user_token": TEXT}
"""What every form may hold; whether it is right is found out before the form is looked at."""

_WITH_STATUS = ("/api/app-upload", "/api/app-install", "/api/cap-builder", "/api/user/builds", "/api/user/logs/")
_WITH_CODE = ("/ci/", "/devicecloud/")

LOGIN_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>TestGrid | Login</title></head>"
    '<body><form action="/login" method="post"><input name="email"/><input name="password"/></form></body></html>'
)
NOT_FOUND_PAGE = "<!DOCTYPE html>\n<html><head><title>404 Page Not Found</title></head><body></body></html>"


def form(**fields: Field) -> dict[str, Field]:
    """The fields of an operation, with the token."""
    return {**TOKEN, **fields}


def answer(call: Call, message: str | None = None, **content: Any) -> Response:
    """Success in the envelope of the path called, with content beside or below it."""
    return compact({**envelope(call.request.path, True, message, documented=call.wire.documented), **content})


def envelope(path: str, worked: bool, message: str | None, *, documented: bool) -> dict[str, Any]:
    """The members that say whether a call worked, and why not.

    Args:
        path: What was called.
        worked: Whether it did.
        message: The text; left out when None.
        documented: Whether yes is spelled as in the reference's samples, or in the other of the two ways.
    """
    if path.startswith(_WITH_CODE):
        shown: dict[str, Any] = {"status": int(worked)}
        return shown if message is None else {**shown, "msg": message}
    name = "status" if path.startswith(_WITH_STATUS) else "success"
    shown = {name: worked if documented else int(worked)}
    return shown if message is None else {**shown, "message": message}
