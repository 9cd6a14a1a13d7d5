"""Turns what went wrong on the way to a farm into errors that name the next step and give nothing secret away."""

from __future__ import annotations

import http
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from pytest_devicefarm.core import retry
from pytest_devicefarm.core.errors import (
    FarmAnswerError,
    FarmAuthenticationError,
    FarmNotFound,
    FarmRefused,
    FarmUnreachable,
)
from pytest_devicefarm.core.redaction import EXCERPT, redact, strip_query, visible
from pytest_devicefarm.core.settings import Secret

_QUERY = re.compile(r"\?\S+")


class NoAnswer(Exception):
    """One try that brought no answer.

    Attributes:
        error: What is raised when it was the last try.
        nothing_sent: The farm cannot have seen the call, so even one that must not happen twice may be repeated.
        passing: Another try may do better.
        silent: The farm took the call and said nothing until time was up.
    """

    def __init__(self, error: FarmUnreachable, *, nothing_sent: bool, passing: bool, silent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.nothing_sent = nothing_sent
        self.passing = passing
        self.silent = silent


def no_answer(
    method: str, path: str, url: str, error: Exception, secrets: Iterable[Secret], *, what: str = "got no answer from"
) -> NoAnswer:
    """The failed try for an error of the HTTP library, whose own text would show the address with its query."""
    step = "check the address (--farm-url), the network and the proxy variables"
    if isinstance(error, requests.exceptions.SSLError):
        step = "check the certificate; REQUESTS_CA_BUNDLE names a file with those of your own authority"
    return NoAnswer(
        FarmUnreachable(
            f"{method} {path} {what} {host_of(url)}: {reason_of(error, secrets)}. Next step: {step}",
            method=method,
            path=path,
        ),
        nothing_sent=_nothing_sent(error),
        passing=not isinstance(error, (requests.exceptions.SSLError, ValueError)),
        silent=isinstance(error, (requests.exceptions.ReadTimeout, ReadTimeoutError)),
    )


def redirected(method: str, path: str, status: int, location: str) -> FarmAnswerError:
    """The error for an answer that sends us elsewhere."""
    return FarmAnswerError(
        f"{method} {path} was redirected ({status}) to {visible(strip_query(location))}, which is not followed. "
        "Next step: give the final address with --farm-url",
        method=method,
        path=path,
        status=status,
    )


def refused(method: str, path: str, status: int, answer: str, *, hint: str, wait: float | None) -> FarmRefused:
    """The error for an answer with an error status.

    Args:
        answer: Its first characters, fit to be shown.
        hint: Next step where the credentials are at fault.
        wait: Seconds the farm asks to wait, ``None`` where it does not.
    """
    kind, step = _kind(status, hint)
    if wait is not None and wait > retry.LONGEST_WAIT:
        step = f"the farm asks to come back in {wait:.0f} s"
    try:
        phrase = f" {http.HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return kind(
        f"{method} {path} answered {status}{phrase}{f': {answer}' if answer else ''}. Next step: {step}",
        method=method,
        path=path,
        status=status,
        answer=answer,
    )


def _kind(status: int, hint: str) -> tuple[type[FarmRefused], str]:
    """The error for a status, and what to do about it."""
    if status == 401:
        return FarmAuthenticationError, hint
    if status == 403:
        return FarmAuthenticationError, f"see whether the account may do this, and {hint}"
    if status in (404, 410):
        return FarmNotFound, "check the id, or the address when every call ends so"
    if status == 429:
        return FarmRefused, "run fewer workers at a time, or try again later"
    if status >= 500:
        return FarmRefused, "try again later; the farm itself failed"
    return FarmRefused, "see what the farm says about the request"


def host_of(url: str) -> str:
    """Host and port of an address, for people."""
    return urlsplit(url).netloc.rpartition("@")[2]


def reason_of(error: Exception, secrets: Iterable[Secret]) -> str:
    """Why there was no answer, in a few words out of an error of one of the HTTP libraries."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError)):
        return "no answer in time"
    if isinstance(error, ValueError):
        return type(error).__name__  # its text may hold the address or a header
    causes = list(_causes(error))
    inner = next((cause for cause in reversed(causes) if isinstance(cause, OSError) and cause.strerror), causes[-1])
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return visible(redact(_QUERY.sub("", text), secrets))[:EXCERPT]


def _nothing_sent(error: Exception) -> bool:
    return isinstance(error, requests.exceptions.ConnectTimeout) or any(
        isinstance(cause, NewConnectionError) for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what is inside it, outermost first; the HTTP libraries keep the inner one in three places."""
    seen: set[int] = set()
    current: object = error
    while isinstance(current, BaseException) and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = getattr(current, "reason", None) or next(
            (a for a in current.args if isinstance(a, BaseException)), None
        )
        current = inner if isinstance(inner, BaseException) else current.__cause__ or current.__context__
