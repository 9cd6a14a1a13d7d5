"""Headless Chromium: as a browser that looks at pages, and as what Appium's Chromium driver is told to start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--window-size=1280,900",
    "--autoplay-policy=no-user-gesture-required",
)
_LOGS = {"browser": "ALL"}


@dataclass(frozen=True)
class Chromium:
    """An installed Chromium with the driver of the same version."""

    binary: str
    driver: str

    def capabilities(self, profile: Path) -> dict[str, Any]:
        """What Appium's Chromium driver needs beyond the platform.

        Args:
            profile: Folder of the browser's own; two browsers cannot share one.
        """
        return {
            "appium:automationName": "Chromium",
            "appium:executable": self.driver,
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": self.binary, "args": [*FLAGS, f"--user-data-dir={profile}"]},
            "goog:loggingPrefs": _LOGS,
        }

    @contextmanager
    def opened(self, profile: Path) -> Iterator[Chrome]:
        """A browser without Appium, closed at the end."""
        options = ChromeOptions()
        options.binary_location = self.binary
        options.set_capability("goog:loggingPrefs", _LOGS)
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = Chrome(options=options, service=Service(self.driver))
        try:
            yield driver
        finally:
            driver.quit()
