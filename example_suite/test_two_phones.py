"""Two customers, each with a phone."""

from __future__ import annotations

import pytest
from appium.webdriver.webdriver import WebDriver
from pages import SignIn


@pytest.mark.device(role="alice")
@pytest.mark.device(role="bob")
def test_a_recommendation_reaches_a_friend(appium_drivers: dict[str, WebDriver]) -> None:
    alice = SignIn(appium_drivers["alice"]).as_customer("alice").open_friends()
    bob = SignIn(appium_drivers["bob"]).as_customer("bob").open_friends()

    alice.send("bob", "try the green tea")

    assert bob.wait_for_letter() == "alice: try the green tea"
