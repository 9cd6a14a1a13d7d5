"""The envelope around TestGrid's answers: whether a call worked, and its content in one spelling.

The HTTP status says little: refusals come with 200, and a token that is not accepted may bring the login page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_devicefarm.core.errors import (
    FarmAnswerError,
    FarmAuthenticationError,
    FarmError,
    FarmNotFound,
    FarmRefused,
)
from pytest_devicefarm.core.redaction import HIDDEN, excerpt

if TYPE_CHECKING:
    from pytest_devicefarm.core.transport import Reply

CREDENTIALS_HINT = "check TESTGRID_USER_TOKEN, or TESTGRID_EMAIL and TESTGRID_PASSWORD, or credentials.toml"

JUDGED = frozenset({*range(200, 300), 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 409, 410, 422})
"""Statuses whose answers may hold an envelope; the others are the gateway's."""

_PAGE = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
_ABOUT_TOKEN = re.compile(
    r"(?<!application[ _])(?<!version[ _])(token|credentials?)\b"
    r".*\b(invalid|expired|missing|required|wrong|not match|not valid)"
    r"|\b(invalid|expired|missing|wrong|incorrect)\b (user[ _]?)?(token|credential|password|e-?mail)"
    r"|\b(log ?in|sign ?in|authenticat\w+|unauthori[sz]ed (user|access|request))\b",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"\b(not found|not exist|no such|unknown|does ?n.t exist)\b", re.IGNORECASE)
_SPELLINGS = {
    "UDID": "udid",
    "appiumURL": "appium_url",
    "platformName": "platform_name",
    "deviceName": "device_name",
    "automationName": "automation_name",
    "wdaLocalPort": "wda_local_port",
    "systemPort": "system_port",
    "device_plateform": "device_platform",
    "device_battary_capacity": "device_battery_capacity",
    "ReservationStatus": "reservation_status",
}
_SUCCESS = frozenset({"true", "1"})


def judged(answer: Reply) -> dict[str, Any]:
    """The answer as an object if it says that the call worked.

    Raises:
        FarmAuthenticationError: The credentials are not accepted, which may show as a redirect or a web page.
        FarmNotFound: There is no such thing, or nothing at this path.
        FarmRefused: The farm says no, with its words.
        FarmAnswerError: It is no envelope.
    """
    if answer.status in range(300, 400) or _PAGE.match(answer.body):
        raise _page(answer)
    value = answer.json()
    if not isinstance(value, dict) or ("success" not in value and "status" not in value):
        raise _error(
            FarmAnswerError,
            answer,
            f"answered without saying whether it worked: {excerpt(answer.body, answer.secrets)}",
            "see that TESTGRID_URL is the address of a TestGrid server",
        )
    if worked(value):
        return value
    told = str(value.get("message") or value.get("msg") or "no reason given")
    words = excerpt(told.encode("utf-8", "replace"), answer.secrets)
    kind, step = _kind(words, answer.status)
    raise _error(kind, answer, f"was refused: {words}", step, words=words)


def worked(envelope: Mapping[str, Any]) -> bool:
    """Whether an envelope says success: ``success`` or else ``status`` is true, 1 or ``"1"``."""
    outcome = envelope["success"] if envelope.get("success") is not None else envelope.get("status")
    return str(outcome).strip().lower() in _SUCCESS


def plain(value: Any, hidden: tuple[str, ...]) -> Any:
    """The same JSON with one spelling for each member, ``"null"`` as nothing, and secrets replaced by ``***``.

    Args:
        hidden: Texts that must not stay in it; `TestGridAPI.files` puts the token back into addresses.
    """
    match value:
        case dict():
            found: dict[str, Any] = {}
            for name, one in value.items():
                spelled: str = _SPELLINGS.get(str(name), str(name))
                if found.get(spelled) in (None, ""):
                    found[spelled] = plain(one, hidden)
            return found
        case list():
            return [plain(one, hidden) for one in value]
        case "null":
            return None
        case str():
            for text in hidden:
                value = value.replace(text, HIDDEN)
            return value
    return value


def _page(answer: Reply) -> FarmError:
    if answer.status in (404, 405, 410):
        return _error(
            FarmNotFound,
            answer,
            f"answered {answer.status} with a web page",
            "see that TESTGRID_URL is the address of a TestGrid server",
        )
    shown = excerpt(answer.body, answer.secrets) or f"a redirect ({answer.status})"
    return _error(
        FarmAuthenticationError,
        answer,
        f"was answered with a web page, which is what a server does that wants a login: {shown}",
        f"{CREDENTIALS_HINT}, and see that TESTGRID_URL is the address of a TestGrid server",
    )


def _kind(words: str, status: int) -> tuple[type[FarmRefused], str]:
    if status in (401, 403) or _ABOUT_TOKEN.search(words):
        return FarmAuthenticationError, CREDENTIALS_HINT
    if status in (404, 410) or _ABSENT.search(words):
        return FarmNotFound, "check the id"
    return FarmRefused, "see what the farm says about the request"


def _error(kind: type[FarmError], answer: Reply, what: str, step: str, *, words: str = "") -> FarmError:
    return kind(
        f"{answer.method} {answer.path} {what}. Next step: {step}",
        method=answer.method,
        path=answer.path,
        status=answer.status,
        answer=words or excerpt(answer.body, answer.secrets),
    )
