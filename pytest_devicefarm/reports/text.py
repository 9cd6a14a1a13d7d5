"""Text from farms and devices made harmless for file systems and links."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit, urlunsplit

_CREDENTIAL = re.compile(r"signature|\bsig=|token|key|passw|secret|credential|expires|x-amz", re.IGNORECASE)
_LINK_BREAKERS = re.compile(r"[\s\"'<>\\]")
_LONGEST_SLUG = 80


def slug(text: str) -> str:
    """A readable piece of a file name: ASCII letters, digits, ``_`` and single ``-``, no dots, 80 characters at most.

    Without dots no name can be a device name that Windows reserves with an ending ("con.txt"); what is appended to it
    keeps it from being a bare one.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:_LONGEST_SLUG].strip("-")


def portal_link(url: str) -> str:
    """The address fit to be shown: http or https, no user in it, no query or fragment that looks like a credential.

    Returns:
        ``""`` for what is no such address, also for one that could break out of a quoted attribute.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc or _LINK_BREAKERS.search(url) or not url.isprintable():
        return ""
    query = "" if _CREDENTIAL.search(parts.query) else parts.query
    fragment = "" if _CREDENTIAL.search(parts.fragment) else parts.fragment
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, fragment))
