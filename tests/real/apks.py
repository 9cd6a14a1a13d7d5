"""Real Android builds that npm packages carry."""

from __future__ import annotations

from pathlib import Path

from real.npm import installed

SOURCE = Path(__file__).parents[1] / "apks"


def fetch_apks() -> dict[str, Path]:
    """Gives the APKs of the packages that tests/apks locks, by file name."""
    home, _ = installed(SOURCE)
    return {path.name: path for path in sorted(home.glob("node_modules/*/apks/*.apk"))}
