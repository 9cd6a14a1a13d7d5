"""TestGrid's list of requests as a HAR (version 1.2)."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pytest_devicefarm.farms.testgrid.api.executions import Exchange


def har_of(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """The exchanges in the order in which they began; headers and bodies are not told, only their sizes."""
    entries = [_entry(one) for one in sorted(exchanges, key=lambda one: _number(one.requeststarttime))]
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "pytest-devicefarm", "version": "1", "comment": "made from TestGrid's network log"},
            "entries": entries,
        }
    }


def _entry(one: Exchange) -> dict[str, Any]:
    began, sent = _number(one.requeststarttime), _number(one.requestendtime)
    answered, ended = _number(one.responsestarttime), _number(one.responseendtime)
    timings = {"send": _between(began, sent), "wait": _between(sent, answered), "receive": _between(answered, ended)}
    return {
        "startedDateTime": datetime.datetime.fromtimestamp(began, datetime.UTC).isoformat(timespec="milliseconds"),
        "time": sum(timings.values()),
        "request": {
            "method": one.method,
            "url": one.url,
            "httpVersion": one.protocol,
            "cookies": [],
            "headers": [],
            "queryString": [{"name": name, "value": value} for name, value in _query(one.url)],
            "headersSize": _size(one.requestheadersize),
            "bodySize": _size(one.requestbodysize),
        },
        "response": {
            "status": int(_number(one.responsecode)),
            "statusText": one.status,
            "httpVersion": one.protocol,
            "cookies": [],
            "headers": [],
            "content": {"size": _size(one.responsebodysize), "mimeType": one.contenttype},
            "redirectURL": "",
            "headersSize": _size(one.responseheadersize),
            "bodySize": _size(one.responsebodysize),
        },
        "cache": {},
        "timings": timings,
        "comment": " ".join(filter(None, (one.testcase_name, one.step_name))),
    }


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return []


def _number(text: str) -> float:
    """A number written as text; 0 for what is none or no point in time a calendar knows."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and 0 <= value < 2**35 else 0.0


def _between(start: float, end: float) -> float:
    """Milliseconds from one moment to another; 0 where one of them is not told."""
    return round((end - start) * 1000, 3) if 0 < start < end else 0.0


def _size(text: str) -> int:
    return int(_number(text)) if text.strip() else -1
