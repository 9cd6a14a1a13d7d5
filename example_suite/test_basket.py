"""Filling, emptying and paying the basket."""

from __future__ import annotations

from pages import Goods


def test_the_total_is_the_sum_of_the_prices(goods: Goods) -> None:
    goods.add("green-tea", "coffee", "green-tea")
    assert goods.open_basket().total == "Total 15.20"


def test_what_is_taken_out_is_not_paid(goods: Goods) -> None:
    goods.add("green-tea", "coffee")
    basket = goods.open_basket()
    basket.take_out("green-tea")
    assert basket.total == "Total 6.20"


def test_paying_empties_the_basket(goods: Goods) -> None:
    goods.add("coffee")
    basket = goods.open_basket()
    assert basket.pay() == "Thank you, demo! You paid 6.20."
    assert not goods.open_basket().can_be_paid
