"""What a build says of itself: package and version out of the manifests of Android, iOS and the simulator."""

from __future__ import annotations

import html
import io
import logging
import plistlib
import struct
import xml.parsers.expat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WIRE_VARINT, _WIRE_FIXED64, _WIRE_BYTES, _WIRE_FIXED32 = 0, 1, 2, 5
_STRING_POOL, _RESOURCE_MAP = 0x0001, 0x0180
_MANIFEST_CHUNKS = 4  # up to three namespaces may be declared in front of the root element


class UnreadableManifest(Exception):
    """A manifest that cannot be read, with the reason as its text."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says; ``""`` where it does not.

    Attributes:
        platform: Only where the manifest itself names it.
    """

    package: str
    version: str = ""
    platform: str = ""


def android_binary(data: bytes) -> Manifest:
    """Read the compiled ``AndroidManifest.xml`` of an APK; one of an instrumentation APK has no version."""
    read = _axml_reader()
    if data[:4] != b"\x03\x00\x08\x00":
        raise UnreadableManifest("AndroidManifest.xml is not compiled")
    _check_chunks(data)
    try:
        attributes = read(io.BytesIO(data), num_of_elements=_MANIFEST_CHUNKS)
    except Exception as error:  # whatever a parser makes of damaged bytes
        raise UnreadableManifest(f"AndroidManifest.xml is damaged ({type(error).__name__})") from None
    package, version = (html.unescape(str(attributes.get(name) or "")) for name in ("package", "versionName"))
    if not package:
        raise UnreadableManifest("AndroidManifest.xml names no package")
    return Manifest(package, "" if version.startswith("@") else version)


def android_protobuf(data: bytes) -> Manifest:
    """Read the ``AndroidManifest.xml`` of an app bundle, as far as it can be read: bundletool decides, not we."""
    # XmlNode.element = 1, XmlElement.attribute = 4, XmlAttribute.name = 2 and .value = 3 (aapt2's Resources.proto).
    attributes = {}
    try:
        for element in _members(data, 1):
            for attribute in _members(element, 4):
                name, value = (b"".join(_members(attribute, number)).decode() for number in (2, 3))
                attributes[name] = value
    except (ValueError, IndexError):
        return Manifest("")
    version = attributes.get("versionName", "")
    return Manifest(attributes.get("package", ""), "" if version.startswith("@") else version)


def ios_plist(data: bytes) -> Manifest:
    """Read an ``Info.plist``, binary or XML."""
    try:
        values = plistlib.loads(data)
    except Exception as error:  # whatever a parser makes of damaged bytes
        raise UnreadableManifest(f"Info.plist is damaged ({type(error).__name__})") from None
    package = values.get("CFBundleIdentifier") if isinstance(values, dict) else None
    if not isinstance(package, str) or not package:
        raise UnreadableManifest("Info.plist names no CFBundleIdentifier")
    version = values.get("CFBundleShortVersionString") or values.get("CFBundleVersion") or ""
    return Manifest(package, str(version))


def simulator_app(data: bytes) -> Manifest:
    """Read the root element of a simulator app's ``app.xml``: ``package``, ``version`` and ``platform``."""
    roots: list[dict[str, str]] = []
    parser = xml.parsers.expat.ParserCreate()

    def start(_name: str, attributes: dict[str, str]) -> None:
        if not roots:
            roots.append(attributes)

    def refuse(*_: object) -> None:
        raise UnreadableManifest("app.xml has a document type declaration")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except xml.parsers.expat.ExpatError as error:
        raise UnreadableManifest(f"app.xml is no XML: {error}") from None
    root = roots[0]
    platform = root.get("platform", "").lower()
    if platform not in ("", "android", "ios"):
        raise UnreadableManifest(f"app.xml wants platform {platform!r}; there are android and ios")
    return Manifest(root.get("package", ""), root.get("version", ""), platform)


def _axml_reader() -> Callable[..., Mapping[str, Any]]:
    # Importing the parser lets the root logger print everything at DEBUG, hub address and headers of the HTTP
    # libraries among it, unless the root logger has a handler already.
    root, guard = logging.getLogger(), logging.NullHandler()
    root.addHandler(guard)
    try:
        from apkInspector.axml import get_manifest_lite
    finally:
        root.removeHandler(guard)
    reader: Callable[..., Mapping[str, Any]] = get_manifest_lite
    return reader


def _check_chunks(data: bytes) -> None:
    """Refuse what the parser would believe and search through for minutes, or for ever: sizes, and a missing chunk."""
    expected = {0: _STRING_POOL, 1: _RESOURCE_MAP}
    position = 8
    for number in range(2 + _MANIFEST_CHUNKS):
        if position == len(data) and number > 2:
            return
        try:
            kind, header, size = struct.unpack_from("<HHI", data, position)
            strings = struct.unpack_from("<I", data, position + 8)[0]
        except struct.error:
            raise UnreadableManifest("AndroidManifest.xml is damaged (cut short)") from None
        fits = 8 <= header <= size <= len(data) - position
        if not fits or kind != expected.get(number, kind) or (kind == _STRING_POOL and 4 * strings > size):
            raise UnreadableManifest("AndroidManifest.xml is damaged (its parts do not fit)")
        position += size


def _members(data: bytes, number: int) -> Iterator[bytes]:
    """The length-delimited members of a protobuf message that have this number."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        if key & 7 == _WIRE_VARINT:
            _, position = _varint(data, position)
        elif key & 7 == _WIRE_BYTES:
            size, position = _varint(data, position)
            if key >> 3 == number:
                yield data[position : position + size]
            position += size
        elif key & 7 in (_WIRE_FIXED64, _WIRE_FIXED32):
            position += 8 if key & 7 == _WIRE_FIXED64 else 4
        else:
            raise ValueError("no protobuf")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number and the position after it (Protocol Buffers encoding, base 128)."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("no protobuf")
