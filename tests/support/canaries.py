"""Finds a secret in bytes, also where it was encoded or packed on the way there."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_to_bytes

_DEEPEST = 4
_HEXADECIMAL = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class Searcher:
    """Looks for secrets by name.

    Args:
        secrets: Name and text of each.
        users: Login names; ``user:secret`` in base64 is what basic authentication sends.
        signatures: 64 hexadecimal digits each; as many as there are.
    """

    def __init__(self, secrets: Mapping[str, str], users: Iterable[str] = (), signatures: Collection[str] = ()) -> None:
        users = tuple(users)
        self._forms = {name: tuple(set(_forms(text, users))) for name, text in secrets.items()}
        self._signatures = {text.encode() for text in signatures}
        self._forms["signed address"] = tuple(set(_base64_anywhere(b"X-Amz-Signature=")))

    def in_bytes(self, data: bytes, depth: int = 0) -> set[str]:
        """The names of all secrets in a piece of data, looking into archives."""
        views = set(_views(data))
        found = {name for name, forms in self._forms.items() if any(form in view for form in forms for view in views)}
        if any(not self._signatures.isdisjoint(_HEXADECIMAL.findall(view)) for view in views):
            found.add("signature")
        if depth < _DEEPEST:
            for inner in _unpacked(data):
                found |= self.in_bytes(inner, depth + 1)
        return found

    def below(self, folder: Path, *, besides: Iterable[Path] = ()) -> list[str]:
        """``file: secret`` for each file below a folder that holds one, or has one in its name."""
        skipped = set(besides)
        hits = []
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            found = self.in_bytes(name.encode(errors="surrogateescape"))
            if path.is_symlink():
                found |= self.in_bytes(str(path.readlink()).encode())
            elif path.is_file() and path not in skipped:
                found |= self.in_bytes(path.read_bytes())
            hits += [f"{name}: {secret}" for secret in sorted(found)]
        return hits


def _forms(text: str, users: Iterable[str]) -> Iterator[bytes]:
    plain = [text, *(f"{user}:{text}" for user in users)]
    for one in plain:
        yield from _base64_anywhere(one.encode())
    yield from (
        text.encode(),
        quote(text).encode(),
        quote(text, safe="").encode(),
        quote_plus(text).encode(),
        json.dumps(text)[1:-1].encode(),
        html.escape(text).encode(),
        text.encode().hex().encode(),
    )


def _base64_anywhere(data: bytes) -> Iterator[bytes]:
    """What base64 makes of data for each of the three places where it may begin in a longer text."""
    yield base64.b64encode(data)
    for before in range(3):
        # The first and last digits hold bits of the neighbours, whatever those are.
        whole = base64.b64encode(bytes(before) + data)
        start, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        yield whole[start:end]
        yield whole[start:end].translate(bytes.maketrans(b"+/", b"-_"))


def _views(data: bytes) -> Iterator[bytes]:
    """The data, and what it says where its text is HTML, JSON (also JSON in JSON) or an address."""
    yield data
    text = html.unescape(data.decode("utf-8", "replace"))
    yield text.encode()
    for _ in range(2):
        if "\\" not in text:
            break
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
        text = re.sub(r"\\([\"'/\\&])", r"\1", text)
        yield text.encode(errors="replace")
    yield unquote_to_bytes(data)
    yield unquote_to_bytes(text.encode(errors="replace"))


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data[:2] == b"\x1f\x8b":
        try:
            yield gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return
    if data[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for entry in archive.infolist():
                    yield entry.filename.encode()
                    yield archive.read(entry)
        except zipfile.BadZipFile:
            return
