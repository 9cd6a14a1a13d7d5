"""Signing in."""

from __future__ import annotations

import pytest
from pages import PASSWORD, SignIn


def test_a_customer_is_greeted_by_name(sign_in: SignIn) -> None:
    goods = sign_in.as_customer("demo")
    assert goods.greeting == "Hello, demo"


@pytest.mark.parametrize(("user", "password"), [("demo", "coffee-time"), ("nobody", PASSWORD), ("", "")])
def test_a_stranger_stays_outside(sign_in: SignIn, user: str, password: str) -> None:
    sign_in.submit(user, password)
    assert sign_in.problem == "Wrong user name or password"
