from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli.conftest import Invoke


def test_every_farm_says_what_it_can_and_its_worst_case(invoke: Invoke) -> None:
    result = invoke("farms")
    assert result.exit_code == 0, result.output
    assert "Kobiton" in result.output
    assert "worst case" in result.output
    assert "KOBITON_API_KEY" in result.output


def test_what_a_farm_cannot_comes_with_the_reason(invoke_json: Callable[..., Any], invoke: Invoke) -> None:
    (kobiton,) = [farm for farm in invoke_json("farms")["farms"] if farm["name"] == "kobiton"]
    assert kobiton["renew"] is False
    assert f"no: {kobiton['cannot']['renew']}" in invoke("farms").output


def test_secret_settings_are_marked(invoke_json: Callable[..., Any]) -> None:
    (kobiton,) = [farm for farm in invoke_json("farms")["farms"] if farm["name"] == "kobiton"]
    assert [setting["name"] for setting in kobiton["settings"] if setting["secret"]] == ["api_key"]
