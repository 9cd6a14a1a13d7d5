"""The shop app of the example suite on Appium's own fake driver, through the suite's own pages.

That driver types, taps and raises alerts, but knows neither screens nor conditions: all elements are there at once, and
texts stand as they are in the file.
"""

from __future__ import annotations

from pathlib import Path

from real.appium_farm import FEW_ARTIFACTS, a_real_farm, verdicts
from real.appium_server import AppiumServer
from support.runs import a_run, a_suite

EXAMPLE = Path(__file__).parents[2] / "example_suite"

SUITE = """
    import pytest
    from pages import Basket, SignIn

    def test_a_customer_types_name_and_password(appium_driver):
        shop = SignIn(appium_driver)
        goods = shop.as_customer("demo")
        assert (shop.text("user"), shop.text("password")) == ("demo", "tea-time")
        goods.search("coffee")
        assert goods.text("search") == "coffee"

    def test_paying_is_answered(appium_driver):
        goods = SignIn(appium_driver).as_customer("demo")
        goods.add("coffee")
        assert goods.open_basket().pay().startswith("Thank you")

    def test_alerts_are_accepted_and_dismissed(appium_driver):
        basket = Basket(appium_driver)
        basket.tap("pay")
        appium_driver.switch_to.alert.dismiss()
        assert basket.pay()

    def test_what_was_typed_survives_a_turn(appium_driver):
        shop = SignIn(appium_driver)
        shop.type("user", "demo")
        appium_driver.orientation = "LANDSCAPE"
        assert (appium_driver.orientation, shop.text("user")) == ("LANDSCAPE", "demo")
"""


def test_the_shop_is_used_through_its_pages(appium_server: AppiumServer, tmp_path: Path) -> None:
    folder = a_suite(tmp_path / "suite", SUITE, (EXAMPLE / "apps/shop.xml").read_text(encoding="utf-8"))
    (folder / "pages.py").write_text((EXAMPLE / "pages.py").read_text(encoding="utf-8"), encoding="utf-8")
    with a_real_farm(folder, appium_server.url) as farm:
        with a_run(folder, farm, *FEW_ARTIFACTS) as run:
            assert run.wait() == 0, run.output
        assert len(verdicts(farm)) == 4
        assert all(told == ["PASSED"] for told in verdicts(farm).values())
        assert farm.is_clean()
