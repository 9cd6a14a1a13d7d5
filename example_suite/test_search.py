"""Finding something to buy."""

from __future__ import annotations

import pytest
from pages import Goods


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tea", ["Green tea", "Black tea", "Teapot"]),
        ("COFFEE", ["Coffee"]),
        ("bread", []),
    ],
)
def test_search_shows_what_fits(goods: Goods, text: str, found: list[str]) -> None:
    goods.search(text)
    assert goods.names == found


def test_the_end_of_the_shelf_is_a_swipe_away(goods: Goods) -> None:
    assert not goods.element("cup").is_displayed()
    goods.scroll_to("cup")
    goods.add("cup")
    assert goods.open_basket().total == "Total 8.00"
