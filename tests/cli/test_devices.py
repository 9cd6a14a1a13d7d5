from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cli.conftest import Invoke

KOBITON = ("--farm", "kobiton")


def test_devices_are_listed(invoke: Invoke) -> None:
    result = invoke("devices", *KOBITON)
    assert result.exit_code == 0, result.output
    assert "Galaxy S22" in result.output
    assert "iphone-1" in result.output


def test_names_from_the_farm_are_text_and_nothing_else(invoke: Invoke) -> None:
    output = invoke("devices", *KOBITON).output
    assert r"[red]Pixel[/red]\x1b[31m 8" in output
    assert "\x1b" not in output


def test_a_query_narrows_the_devices(invoke: Invoke) -> None:
    output = invoke("devices", *KOBITON, "platform=android version<14").output
    assert "galaxy-1" in output
    assert "pixel-1" not in output


def test_json_has_every_fact(invoke_json: Callable[..., Any]) -> None:
    (device,) = invoke_json("devices", *KOBITON, "name=iPhone*")["devices"]
    assert device["udid"] == "iphone-1"
    assert device["platform"] == "ios"
    assert device["state"] == "free"
    assert device["reservable"] in (True, False)


def test_no_match_shows_the_near_misses_and_is_a_problem(invoke: Invoke) -> None:
    result = invoke("devices", *KOBITON, 'name="Galaxy S 22"')
    assert result.exit_code == 1
    assert 'did you mean "Galaxy S22"?' in result.output


@pytest.mark.parametrize(
    ("query", "message"), [("version>>3", "Error: version '>>3'"), ("platfrom=ios", "did you mean 'platform'")]
)
def test_an_unreadable_query_is_a_clear_error(invoke: Invoke, query: str, message: str) -> None:
    result = invoke("devices", *KOBITON, query)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_apps_of_a_new_account_are_none(invoke: Invoke) -> None:
    result = invoke("apps", *KOBITON)
    assert result.exit_code == 0, result.output


def test_apps_as_json_are_a_list(invoke_json: Callable[..., Any]) -> None:
    assert isinstance(invoke_json("apps", *KOBITON)["apps"], list)
