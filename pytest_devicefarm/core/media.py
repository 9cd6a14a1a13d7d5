"""What a downloaded artifact really is, by its first bytes: farms answer with a page where a file should be."""

from __future__ import annotations

import re

from pytest_devicefarm.core.model import ArtifactKind

HEAD = 512
"""Bytes of a file that are enough to tell."""

_PAGE = re.compile(rb"\s*<(!doctype|html|\?xml|error)", re.IGNORECASE)


def media_type_of(kind: ArtifactKind, head: bytes) -> str | None:
    """The media type of an artifact of a kind, ``None`` where it is not what its kind says.

    Args:
        head: The first `HEAD` bytes of the file.
    """
    if kind is ArtifactKind.VIDEO:
        return {b"ftyp": "video/mp4"}.get(head[4:8])
    if kind is ArtifactKind.SCREENSHOT:
        return {b"\x89PN": "image/png", b"\xff\xd8\xff": "image/jpeg"}.get(head[:3])
    return None if _PAGE.match(head) else "text/plain"
