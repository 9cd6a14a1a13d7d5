"""Makes text fit to be shown: secrets and signatures out, control characters visible, length bounded."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from pytest_devicefarm.core.settings import Secret

HIDDEN = "***"
EXCERPT = 200
"""Longest piece of an answer in a message, in characters."""

# Each pattern begins with a character that text is searched for quickly, and looks back from there: logs have many
# megabytes, and a pattern that begins with the name is tried at each of their characters.
_PARAMETERS = (
    r"(?<=token=)|(?<=api[_-]key=)|(?<=apikey=)|(?<=access[_-]key=)|(?<=accesskey=)|(?<=password=)|(?<=AWSAccessKeyId=)"
    r"|(?<=GoogleAccessId=)|(?<=Key-Pair-Id=)|(?<=X-Amz-Credential=)|(?<=X-Goog-Credential=)"
    r"|(?<=Signature=)(?<![a-z]Signature=)|(?<=Policy=)(?<![a-z]Policy=)|(?<=sig=)(?<![a-z]sig=)"
)


def _after_name(before: str, after: str) -> str:
    """Looks back at the name of a secret member, quoted so."""
    whole = ("api_key", "apikey", "access_key", "accesskey", "password", "authorization")
    names = [f"token{after}", f"secret{after}", *(f"{before}{name}{after}" for name in whole)]
    return "|".join(f"(?<={name})" for name in names)


_SIGNED_PARAMETER = re.compile(rf"(=(?:{_PARAMETERS}))[^&\s\"'<>\\]+", re.IGNORECASE)
_SECRET_MEMBER = re.compile(r"(\"(?:" + _after_name('"', '"') + r")\s*:\s*\")[^\"\\]*(?:\\.[^\"\\]*)*", re.IGNORECASE)
_SECRET_ITEM = re.compile(  # of a dict as Python prints it
    r"('(?:" + _after_name("'", "'") + r")\s*:\s*')[^'\\]*(?:\\.[^'\\]*)*", re.IGNORECASE
)
_ESCAPED_MEMBER = re.compile(  # of JSON that is text in other JSON, at any depth
    r"(\\(?:" + _after_name('"', r"\\") + r")\\*\"\s*:\s*\\+\")[^\"\\]*", re.IGNORECASE
)
_AUTHORIZATION = re.compile(r"([Bb](?<!\w[Bb])(?i:asic|earer)\s+)[A-Za-z0-9+/=._~-]{16,}")


class SignedAddress(str):
    """An address whose query is a credential: used like any text, but its ``repr`` does not show the query."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(strip_query(self))


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The text with secrets, signatures of addresses, tokens and authorization headers replaced by ``***``."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    for pattern in (_SIGNED_PARAMETER, _SECRET_MEMBER, _SECRET_ITEM, _ESCAPED_MEMBER, _AUTHORIZATION):
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
    return {
        text,
        quote(text),
        quote(text, safe=""),
        quote_plus(text),
        html.escape(text),
        json.dumps(text)[1:-1],
        base64.b64encode(text.encode()).decode(),
    }
