"""Whether a fetched file is what its kind says, and text files freed of secrets; both in constant memory."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from pytest_devicefarm.core.errors import FarmAnswerError
from pytest_devicefarm.core.model import ArtifactKind
from pytest_devicefarm.reports.artifacts import MEDIA_TYPES

LIMITS = {
    ArtifactKind.VIDEO: 1 << 30,
    ArtifactKind.DEVICE_LOG: 256 << 20,
    ArtifactKind.APPIUM_LOG: 256 << 20,
    ArtifactKind.NETWORK_LOG: 256 << 20,
    ArtifactKind.SCREENSHOT: 32 << 20,
}
"""Most bytes one artifact of a kind may have."""
OTHER_LIMIT = 32 << 20

_TEXTS = {ArtifactKind.DEVICE_LOG, ArtifactKind.APPIUM_LOG, ArtifactKind.NETWORK_LOG}
_HTML = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)
_CHUNK = 64 << 10
# Text without a place to cut at is cut anywhere at last, or a hostile file would decide about our memory.
_LONGEST_UNCUT = 4 << 20


class _Entry(msgspec.Struct):
    """One exchange of a HAR; walked over, not kept."""


class _Log(msgspec.Struct):
    entries: list[_Entry]


class _Har(msgspec.Struct):
    log: _Log


def settle_content(kind: ArtifactKind, path: Path, media_type: str, clean: Callable[[str], str]) -> str:
    """Check a fetched file, rewrite it when it is text, and give its media type.

    Args:
        media_type: What the farm said; counts for kinds whose content does not tell.
        clean: Takes secrets out of a text.

    Raises:
        FarmAnswerError: The file is empty, a web page, or something else than its kind.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise FarmAnswerError("the farm gave an empty file")
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise FarmAnswerError("the farm gave a web page in its place")
    if kind is ArtifactKind.VIDEO:
        return _video_type(head)
    if kind is ArtifactKind.SCREENSHOT:
        return _image_type(head)
    if kind in _TEXTS:
        _clean_text(path, clean)
        if kind is ArtifactKind.NETWORK_LOG:
            _check_har(path)
        return MEDIA_TYPES[kind]
    return media_type


def _video_type(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm"
    raise FarmAnswerError("the file is neither an MP4 nor a WebM video")


def _image_type(head: bytes) -> str:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    raise FarmAnswerError("the file is neither a PNG nor a JPEG image")


def _check_har(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            msgspec.json.decode(content, type=_Har)
        except msgspec.MsgspecError as error:
            raise FarmAnswerError(f"the file is no HAR: {error}") from error


def _clean_text(path: Path, clean: Callable[[str], str]) -> None:
    cleaned = path.with_name(f"{path.name}-clean")
    with (
        path.open(encoding="utf-8-sig", errors="replace", newline="") as source,
        cleaned.open("w", encoding="utf-8", newline="") as target,
    ):
        held = ""
        while piece := source.read(_CHUNK):
            held += piece
            # Nothing that has to be hidden goes across the start of a line, or of an object in JSON without lines.
            cut = max(held.rfind("\n"), held.rfind('{"'))
            if cut <= 0 and len(held) > _LONGEST_UNCUT:
                cut = len(held)
            if cut > 0:
                target.write(clean(held[:cut]))
                held = held[cut:]
        target.write(clean(held))
    cleaned.replace(path)
