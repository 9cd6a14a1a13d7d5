"""Makes text fit to be shown: secrets and signatures out, control characters visible, length bounded."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit, urlunsplit

from pytest_devicefarm.core.settings import Secret

HIDDEN = "***"
EXCERPT = 200
"""Longest piece of an answer in a message, in characters."""

_SIGNED_PARAMETER = re.compile(
    r"(?:\b|(?<=\\u0026))((?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|Signature|AWSAccessKeyId|GoogleAccessId|Policy"
    r"|Key-Pair-Id|sig|[\w-]*token|api[_-]?key|access[_-]?key|password)=)[^&\s\"'<>\\]+",
    re.IGNORECASE,
)
_SECRET_MEMBER = re.compile(
    r"(\"(?:[\w-]*token|[\w-]*secret|api_?key|access_?key|password|authorization)\"\s*:\s*\")(?:[^\"\\]|\\.)*",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(r"\b((?:Basic|Bearer)\s+)[A-Za-z0-9+/=._~-]{16,}", re.IGNORECASE)


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The text with secrets, signatures of addresses, tokens and authorization headers replaced by ``***``."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    for pattern in (_SIGNED_PARAMETER, _SECRET_MEMBER, _AUTHORIZATION):
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def strip_query(url: str) -> str:
    """An address without query, fragment and user, which is all of a signed address that may be kept."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable address)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def excerpt(body: bytes, secrets: Iterable[Secret] = ()) -> str:
    """The first characters of an answer in one line, redacted, with control characters made visible."""
    # Redact before cutting: half a secret is still half a secret.
    text = redact(body[: 64 * EXCERPT].decode("utf-8", "replace"), secrets)
    text = visible(" ".join(text.split()))
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"


def visible(text: str) -> str:
    """The text with everything a terminal would act on written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _forms(secret: Secret) -> set[str]:
    """A secret as it may appear on the wire."""
    text = secret.reveal()
    if not text:
        return set()
    return {text, quote(text, safe=""), base64.b64encode(text.encode()).decode()}
