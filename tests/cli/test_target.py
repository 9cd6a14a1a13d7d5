from __future__ import annotations

from pathlib import Path

import pytest
from cli.conftest import Invoke

from pytest_devicefarm.cli.target import Target

NOBODY = "http://127.0.0.1:1"


def test_a_farm_is_needed(invoke: Invoke) -> None:
    result = invoke("devices")
    assert result.exit_code == 2
    assert "Error: no farm is given: use --farm NAME" in result.output


def test_an_unknown_farm_names_the_nearest(invoke: Invoke) -> None:
    result = invoke("devices", "--farm", "kobitn")
    assert result.exit_code == 2
    assert "did you mean 'kobiton'" in result.output


def test_the_farm_may_come_from_the_environment(invoke: Invoke) -> None:
    assert invoke("devices", environ={"DEVICEFARM_FARM": "kobiton"}).exit_code == 0


def test_the_farm_may_come_from_devicefarm_toml(invoke: Invoke) -> None:
    Path("devicefarm.toml").write_text('farm = "kobiton"\n')
    assert invoke("devices").exit_code == 0


def test_a_flag_wins_over_the_environment(invoke: Invoke) -> None:
    assert invoke("devices", "--farm", "kobiton", environ={"DEVICEFARM_FARM": "nowhere"}).exit_code == 0


def test_missing_credentials_are_named(invoke: Invoke) -> None:
    result = invoke("devices", "--farm", "kobiton", environ={"KOBITON_API_KEY": ""})
    assert result.exit_code == 2
    assert "KOBITON_API_KEY" in result.output


def test_wrong_credentials_are_the_users_to_mend(invoke: Invoke) -> None:
    result = invoke("devices", "--farm", "kobiton", environ={"KOBITON_API_KEY": "wrong-key-canary"})
    assert result.exit_code == 2
    assert "401" in result.output
    assert "wrong-key-canary" not in result.output


def test_a_farm_that_does_not_answer_has_a_status_of_its_own(invoke: Invoke) -> None:
    result = invoke("devices", "--farm", "kobiton", "--farm-url", NOBODY)
    assert result.exit_code == 75
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output


@pytest.mark.parametrize("flag", [None, "http://flag"])
def test_a_hub_address_of_a_weaker_source_is_not_mixed_with_the_farms(tmp_path: Path, flag: str | None) -> None:
    environ = {"DEVICEFARM_URL": "http://variable", "DEVICEFARM_HUB_URL": "http://variable/hub"}
    target = Target.of(environ, tmp_path, url=flag)
    assert (target.url, target.hub_url) == ((flag, None) if flag else ("http://variable", "http://variable/hub"))


def test_a_hub_address_of_its_own_is_kept(tmp_path: Path) -> None:
    target = Target.of({}, tmp_path, url="http://farm", hub_url="http://hub")
    assert (target.url, target.hub_url) == ("http://farm", "http://hub")
