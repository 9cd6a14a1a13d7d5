"""When a call is sent again, and how long to wait before."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Mapping

LONGEST_WAIT = 60.0
"""Seconds; a farm that asks for more is not waited for."""

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


def worth_repeating(status: int, *, repeatable: bool, asked_to_wait: bool) -> bool:
    """Whether an answer of this status may be followed by the same call again.

    A call that must not happen twice is repeated only where the farm has turned it away unread.
    """
    if repeatable:
        return status in _TRANSIENT
    return status == 429 or (status == 503 and asked_to_wait)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the farm asks to wait (RFC 9110, section 10.2.3), ``None`` where it does not say.

    Args:
        now: Seconds since the epoch, to read a date.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def backoff(attempt: int) -> float:
    """Seconds before the attempt after ``attempt`` (from 0): doubling, jittered so that workers keep apart."""
    return min(LONGEST_WAIT, 0.5 * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret comes of it
