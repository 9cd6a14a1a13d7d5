"""The shop asks before it uses the camera."""

from __future__ import annotations

import pytest
from pages import Goods


def test_the_scanner_opens_when_the_camera_is_allowed(goods: Goods) -> None:
    scanner = goods.open_scanner()
    assert scanner.question == "Allow Shop to use the camera?"
    scanner.allow()
    assert scanner.is_open


def test_without_the_camera_the_shop_says_why(goods: Goods) -> None:
    goods.open_scanner().deny()
    assert goods.notice == "Scanning needs the camera"


@pytest.mark.appium_capabilities({"appium:autoGrantPermissions": True})
def test_nobody_is_asked_when_permissions_are_granted_beforehand(goods: Goods) -> None:
    assert goods.open_scanner().is_open
