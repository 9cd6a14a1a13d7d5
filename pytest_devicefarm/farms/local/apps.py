"""What a text means as an app: drivers take more than the builds that are read beforehand."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pytest_devicefarm.core.model import App

READ_BEFOREHAND = frozenset({".apk", ".aab", ".ipa", ".zip"})
"""Endings of builds whose content is checked before a driver gets them."""

_PLATFORMS = {".apk": "android", ".apks": "android", ".aab": "android", ".ipa": "ios", ".app": "ios"}


def app_at(text: str, folder: Path) -> App | None:
    """The app for a web address or for a file that only its driver can judge; ``None`` where it is a build to read.

    Args:
        folder: Where a relative path is looked for, besides the working folder.
    """
    parts = urlsplit(text)
    if parts.scheme in ("http", "https") and parts.hostname:
        name = parts.path.rpartition("/")[2]
        return App(text, text, platform=_PLATFORMS.get(Path(name).suffix.lower(), ""), name=name)
    path = Path(text).expanduser()
    suffix = path.suffix.lower()
    found = next((place / path for place in (Path.cwd(), folder) if (place / path).exists()), None)
    if found is None or suffix in READ_BEFOREHAND:
        return None
    whole = str(found.resolve())
    return App(whole, whole, platform=_PLATFORMS.get(suffix, ""), name=found.name)
