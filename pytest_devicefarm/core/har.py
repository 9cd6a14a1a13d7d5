"""Network logs: from what a farm gives to a HAR file that holds no credentials."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pytest_devicefarm.core.errors import FarmAnswerError
from pytest_devicefarm.core.redaction import redact

LARGEST = 64 << 20
"""Bytes of a HAR that is taken apart; it is in memory while its credentials are taken out."""

_MOST_ENTRIES = 1000
_HIGHEST_RATIO = 500
_HIDDEN = "***"
_SECRET_NAME = re.compile(
    r"authori[sz]ation|cookie|token|secret|passw|pwd|api[-_]?key|access[-_]?key|signature|credential|^(sig|auth|code|pin"
    r"|otp|jwt|sid)$|session[-_]?id",
    re.IGNORECASE,
)


def har_bytes(archive: Path, *, limit: int) -> bytes:
    """The HAR inside a downloaded file, without credentials.

    Names inside the archive are used for choosing only: the first ``.har``, else the first ``.json``. A file that is
    no archive is taken for the HAR itself.

    Args:
        limit: Most bytes of the unpacked HAR.

    Raises:
        FarmAnswerError: It is no HAR, is broken, or unpacks to more than is allowed.
    """
    limit = min(limit, LARGEST)
    packed = _unpacked(archive, limit) if zipfile.is_zipfile(archive) else _plain(archive, limit)
    try:
        har = json.loads(packed)
        if not isinstance(har["log"]["entries"], list):
            raise TypeError("its entries are no list")
        return clean_har(har)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FarmAnswerError(f"the network log is no HAR file ({type(error).__name__})") from error


def clean_har(har: Mapping[str, Any]) -> bytes:
    """The HAR as a file, with the values of headers, cookies, parameters and members of secret names hidden."""
    return json.dumps(_clean(har), ensure_ascii=False).encode(errors="replace")


def _plain(file: Path, limit: int) -> bytes:
    with file.open("rb") as source:
        return _bounded(source.read(limit + 1), limit)


def _unpacked(archive: Path, limit: int) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            if len(entries) > _MOST_ENTRIES:
                raise FarmAnswerError(
                    f"the network log's archive has {len(entries)} entries, {_MOST_ENTRIES} are allowed"
                )
            chosen = next(
                (entry for ending in (".har", ".json") for entry in entries if entry.filename.lower().endswith(ending)),
                None,
            )
            if chosen is None:
                raise FarmAnswerError("the network log's archive holds no HAR file")
            if chosen.file_size > _HIGHEST_RATIO * max(chosen.compress_size, 1024):
                raise FarmAnswerError("the network log's archive unpacks to far more than its size: not unpacked")
            with opened.open(chosen) as source:
                return _bounded(source.read(limit + 1), limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FarmAnswerError(f"the network log's archive is broken ({type(error).__name__})") from error


def _bounded(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise FarmAnswerError(f"the network log is larger than the {limit} bytes that are taken from a farm")
    return data


def _clean(value: Any) -> Any:
    """The same JSON with the values of headers, cookies, parameters and members of secret names hidden."""
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("name"), str) and "value" in value and _SECRET_NAME.search(value["name"]):
        return {**value, "value": _HIDDEN}
    return {name: _clean_member(name, one) for name, one in value.items()}


def _clean_member(name: str, value: Any) -> Any:
    if name == "cookies" and isinstance(value, list):
        return [{**one, "value": _HIDDEN} if isinstance(one, dict) else _HIDDEN for one in value]
    if _SECRET_NAME.search(name) and not isinstance(value, bool | None):
        return _HIDDEN
    if isinstance(value, str):
        if name == "text":
            return _clean_body(value)
        return _clean_url(value) if "://" in value else value
    return _clean(value)


def _clean_body(text: str) -> str:
    """A body: JSON or a form, with the values of secret names hidden; anything else by what looks like a secret."""
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.dumps(_clean(json.loads(text)), ensure_ascii=False)
        except ValueError:
            return redact(text)
        except RecursionError:
            return _HIDDEN
    return redact(_clean_form(text))


def _clean_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, _clean_form(parts.query), _clean_form(parts.fragment)))


def _clean_form(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True) if "=" in text and len(text.split()) == 1 else []
    if not any(_SECRET_NAME.search(name) for name, _ in pairs):
        return text
    return urlencode([(name, _HIDDEN if _SECRET_NAME.search(name) else value) for name, value in pairs], safe="*")
