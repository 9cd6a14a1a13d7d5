"""What the farm reads from an uploaded file: package, version and platform, or why it cannot use it."""

from __future__ import annotations

import io
import logging
import plistlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_devicefarm.simulator.source import AppSource, BrokenApp

_LARGEST_MANIFEST = 1024 * 1024
_MANIFEST_CHUNKS = 4  # up to three namespaces may stand before the root element


@dataclass(frozen=True)
class BuildFacts:
    """Facts about a build; `failure` is empty when the farm can use it."""

    label: str
    platform: str
    version: str = "1.0"
    package: str | None = None
    failure: str = ""


def read_build(path: Path, filename: str) -> BuildFacts:
    """Reads a stored file that was uploaded under this name."""
    name = Path(filename)
    label = name.stem or "app"
    platform = "ios" if name.suffix.lower() == ".ipa" else "android"
    if not zipfile.is_zipfile(path):
        return BuildFacts(label, platform, failure="the file is not an app archive")
    try:
        source = AppSource.from_zip(path)
    except BrokenApp as error:
        return BuildFacts(label, platform, failure=str(error))
    if source.package and source != AppSource.default():
        return BuildFacts(source.title or label, source.platform or platform, source.version or "1.0", source.package)
    package, version = _bundle(path) if platform == "ios" else _manifest(path)
    return BuildFacts(label, platform, version or "1.0", package)


def _bundle(path: Path) -> tuple[str | None, str | None]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            parts = entry.filename.split("/")
            if len(parts) == 3 and parts[0] == "Payload" and parts[2] == "Info.plist":
                if entry.file_size > _LARGEST_MANIFEST:
                    break
                try:
                    facts = plistlib.loads(archive.read(entry))
                except (plistlib.InvalidFileException, ValueError):
                    break
                return facts.get("CFBundleIdentifier"), facts.get("CFBundleShortVersionString")
    return None, None


def _manifest(path: Path) -> tuple[str | None, str | None]:
    read = _manifest_reader()
    with zipfile.ZipFile(path) as archive:
        try:
            entry = archive.getinfo("AndroidManifest.xml")
        except KeyError:
            return None, None
        if entry.file_size > _LARGEST_MANIFEST:
            return None, None
        data = archive.read(entry)
    try:
        facts = read(io.BytesIO(data), num_of_elements=_MANIFEST_CHUNKS)
    except Exception:  # the parser raises whatever it stumbles over; a build without a manifest is still a build
        return None, None
    return facts.get("package") or None, facts.get("versionName") or None


def _manifest_reader() -> Callable[..., dict[str, str]]:
    # Importing the parser configures the root logger, unless that has a handler already.
    root, guard = logging.getLogger(), logging.NullHandler()
    root.addHandler(guard)
    try:
        from apkInspector.axml import get_manifest_lite
    finally:
        root.removeHandler(guard)
    reader: Callable[..., dict[str, str]] = get_manifest_lite
    return reader
