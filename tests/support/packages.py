"""Small builds, made byte by byte: enough of each format for what reads it."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

_NONE = 0xFFFFFFFF
_ANDROID = "http://schemas.android.com/apk/res/android"


def a_zip(path: Path, members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> Path:
    """Write an archive of these members."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def a_compiled_manifest(package: str, version: str = "") -> bytes:
    """An ``AndroidManifest.xml`` as in an APK: string pool, resource map, one namespace and the root element."""
    strings = ["versionName", "android", _ANDROID, "manifest", "package", package, version]
    number = {text: index for index, text in reversed(list(enumerate(strings)))}
    attributes = [(number[_ANDROID], 0, 6)] if version else []
    if package:
        attributes.append((_NONE, number["package"], 5))
    body = b"".join(struct.pack("<IIIHBBI", space, name, value, 8, 0, 3, value) for space, name, value in attributes)
    element = struct.pack("<IIII", 1, _NONE, _NONE, number["manifest"]) + struct.pack(
        "<HHHHHH", 20, 20, len(attributes), 0, 0, 0
    )
    namespace = struct.pack("<IIII", 1, _NONE, number["android"], number[_ANDROID])
    end = struct.pack("<IIII", 1, _NONE, _NONE, number["manifest"])
    chunks = [
        _string_pool(strings),
        _chunk(0x0180, 8, struct.pack("<I", 0x0101021C)),
        _chunk(0x0100, 16, namespace),
        _chunk(0x0102, 16, element + body),
        _chunk(0x0103, 16, end),
        _chunk(0x0101, 16, namespace),
    ]
    return _chunk(0x0003, 8, b"".join(chunks))


def a_bundle_manifest(package: str, version: str) -> bytes:
    """An ``AndroidManifest.xml`` as in an app bundle: an aapt2 ``XmlNode``."""

    def member(number: int, data: bytes) -> bytes:
        assert len(data) < 128
        return bytes([number << 3 | 2, len(data)]) + data

    def attribute(name: str, value: str) -> bytes:
        # A resource id (field 5, varint) stands between the members that are read.
        return member(4, member(2, name.encode()) + b"\x28\x9c\x84\x84\x08" + member(3, value.encode()))

    root = member(3, b"manifest") + attribute("versionName", version) + attribute("package", package)
    return member(1, root)


def _chunk(kind: int, header: int, body: bytes) -> bytes:
    return struct.pack("<HHI", kind, header, 8 + len(body)) + body


def _string_pool(strings: list[str]) -> bytes:
    data, offsets = b"", []
    for text in strings:
        offsets.append(len(data))
        data += struct.pack("<H", len(text)) + text.encode("utf-16-le") + b"\0\0"
    data += bytes(-len(data) % 4)
    start = 28 + 4 * len(strings)
    head = struct.pack("<IIIII", len(strings), 0, 0, start, 0)
    return _chunk(0x0001, 28, head + struct.pack(f"<{len(offsets)}I", *offsets) + data)
