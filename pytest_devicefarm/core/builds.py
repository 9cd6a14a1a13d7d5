"""Reads and digests a build on this machine's disk, so that what no farm can use is refused before a byte is sent."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_devicefarm.core.errors import AppError, ConfigurationError
from pytest_devicefarm.core.manifests import (
    Manifest,
    UnreadableManifest,
    android_binary,
    android_protobuf,
    ios_plist,
    simulator_app,
)
from pytest_devicefarm.core.model import Build
from pytest_devicefarm.core.redaction import visible

SIMULATOR_APP = "app.xml"
"""The member that makes a zip a simulator app."""

LARGEST_MANIFEST = 16 * 1024 * 1024
"""Bytes of an unpacked manifest; real ones have a few hundred thousand at most."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One file ending: where its manifest lies, spelled for the search and for people, and who reads it."""

    platform: str
    member: re.Pattern[str]
    shown: str
    read: Callable[[bytes], Manifest]


_KINDS = {
    ".apk": _Kind("android", re.compile(r"AndroidManifest\.xml"), "AndroidManifest.xml", android_binary),
    ".aab": _Kind(
        "android",
        re.compile(r"base/manifest/AndroidManifest\.xml"),
        "base/manifest/AndroidManifest.xml",
        android_protobuf,
    ),
    ".ipa": _Kind("ios", re.compile(r"Payload/[^/]+\.app/Info\.plist"), "Payload/*.app/Info.plist", ios_plist),
    ".zip": _Kind("ios", re.compile(r"(?:[^/]+/)?[^/]+\.app/Info\.plist"), "*.app/Info.plist", ios_plist),
}


def read_build(path: Path) -> Build:
    """What a build says of itself, and its digest; memory does not grow with the file.

    An APK, AAB or IPA, a zip with a ``*.app`` folder (iOS simulator build), or any of these endings on a zip that holds
    ``app.xml`` (simulator app).

    Raises:
        ConfigurationError: There is no such file, or it may not be read.
        AppError: It is not what its ending says.
    """
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            raise AppError(f"{path} is a folder; for an iOS simulator build make a zip of it and give that")
        size = path.stat().st_size
        if suffix not in _KINDS:
            raise AppError(f"{path}: unknown kind of build; give a file that ends in {', '.join(_KINDS)}")
        manifest = _manifest(path, suffix)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no build {path} (seen from {Path.cwd()}); build it first, or correct --farm-app or the app mark"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"build {path} cannot be read: {error.strerror or error}") from None
    platform = manifest.platform or _KINDS[suffix].platform
    return Build(path, digest, size, platform, visible(manifest.package), visible(manifest.version))


def _manifest(path: Path, suffix: str) -> Manifest:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if SIMULATOR_APP in names:
                manifest = simulator_app(_read(archive, SIMULATOR_APP))
                if suffix == ".zip" and not manifest.platform:
                    raise UnreadableManifest("app.xml in a .zip has to name its platform")
                return manifest
            kind = _KINDS[suffix]
            member = next((name for name in names if kind.member.fullmatch(name)), None)
            if member is None:
                raise UnreadableManifest(f"it holds neither {kind.shown} nor {SIMULATOR_APP}")
            return kind.read(_read(archive, member))
    except zipfile.BadZipFile:
        problem = _not_a_zip(path)
    except UnreadableManifest as error:
        problem = str(error)
    except (zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        problem = f"it is damaged ({type(error).__name__})"
    raise AppError(
        f"{path} is no readable {suffix[1:].upper()}: {problem}. "
        "Nothing was uploaded; build it again or give another file"
    )


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        data = member.read(LARGEST_MANIFEST + 1)
    if len(data) > LARGEST_MANIFEST:
        raise UnreadableManifest(f"{name} unpacks to more than {LARGEST_MANIFEST // 1024**2} MB")
    return data


def _not_a_zip(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(24)
    if not head:
        return "it is empty"
    if head.startswith(b"PK"):
        return "the archive is cut short or damaged"
    start = visible(head.decode("latin-1"))
    return f'it starts with "{start}", so it is no zip archive'
