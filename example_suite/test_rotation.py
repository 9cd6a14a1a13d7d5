"""Turning the phone."""

from __future__ import annotations

from pages import SignIn


def test_what_was_typed_survives_a_turn(sign_in: SignIn) -> None:
    upright = sign_in.driver.get_window_size()
    sign_in.type("user", "demo")

    sign_in.driver.orientation = "LANDSCAPE"

    lying = sign_in.driver.get_window_size()
    assert (lying["width"], lying["height"]) == (upright["height"], upright["width"])
    assert sign_in.text("user") == "demo"
