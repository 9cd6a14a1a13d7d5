"""Build the shop: `python apps/build.py` writes shop.apk, shop.ipa and shop-buggy.apk to `build/`.

The simulator takes any zip with an `app.xml` for an app; package and version stand in its root element. Equal sources
give equal bytes, so a farm that has a build already needs no new upload.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

SOURCE = Path(__file__).parent / "shop.xml"
BUILD = Path(__file__).parent.parent / "build"

# The bug of the release candidate: what is taken out of the basket is still to be paid.
RIGHT = "items=-1; green-tea=-1; total=-4.50"
WRONG = "items=-1; green-tea=-1"


def build() -> None:
    """Write the three builds."""
    BUILD.mkdir(exist_ok=True)
    shop = SOURCE.read_text(encoding="utf-8")
    candidate = shop.replace('version="1.4.0"', 'version="1.5.0"').replace(RIGHT, WRONG)
    pack(BUILD / "shop.apk", shop)
    pack(BUILD / "shop.ipa", shop)
    pack(BUILD / "shop-buggy.apk", candidate)


def pack(target: Path, app: str) -> None:
    """Write a build that holds one description, unless it is there already: another run may be reading it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.xml", (2024, 1, 1, 0, 0, 0)), app)
    if not target.exists() or target.read_bytes() != content.getvalue():
        target.write_bytes(content.getvalue())


if __name__ == "__main__":
    build()
