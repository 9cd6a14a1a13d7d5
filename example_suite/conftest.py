"""What all tests of the shop share: fresh builds, and the shop as a signed-in customer sees it."""

from __future__ import annotations

import pytest
from appium.webdriver.webdriver import WebDriver
from apps.build import build
from pages import Goods, SignIn


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # once, not in every xdist worker
        build()


@pytest.fixture
def sign_in(appium_driver: WebDriver) -> SignIn:
    """The shop as it opens."""
    return SignIn(appium_driver)


@pytest.fixture
def goods(sign_in: SignIn) -> Goods:
    """The shop with a customer signed in."""
    return sign_in.as_customer("demo")
