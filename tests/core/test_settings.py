from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.farm import FarmSpec, Setting
from pytest_devicefarm.core.settings import (
    FarmSettings,
    Secret,
    SettingsFile,
    farm_settings,
    resolve,
    state_folder,
)

SPEC = FarmSpec(
    name="acme",
    title="Acme",
    factory="acme:Acme",
    simulator="acme.simulator",
    settings=(
        Setting("url", ("ACME_URL",), "address of the API", required=False, default="https://api.acme.test"),
        Setting("hub_url", ("ACME_HUB_URL",), "address of the hub", required=False),
        Setting("username", ("ACME_USERNAME",), "name of the account"),
        Setting("api_key", ("ACME_API_KEY", "ACME_ACCESS_KEY"), "key of the account", secret=True),
    ),
)
ACCOUNT = {"ACME_USERNAME": "ann", "ACME_API_KEY": "key-canary"}


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A credentials file that is not there, so that nobody's own one is read."""
    return tmp_path / "none" / "credentials.toml"


def a_file(folder: Path, text: str) -> SettingsFile:
    path = folder / "devicefarm.toml"
    path.write_text(text, encoding="utf-8")
    return SettingsFile.read(path)


def credentials(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "credentials.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


# secrets


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>9}".format, lambda secret: f"{secret!r}"])
def test_a_secret_shows_only_stars(show: Callable[[Secret], str]) -> None:
    assert show(Secret("key-canary")).strip() == "***"


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, list])
def test_a_secret_cannot_be_carried_off(carry: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as caught:
        carry(Secret("key-canary"))
    assert "canary" not in str(caught.value)


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("ü") == Secret("ü")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_settings_show_no_secret() -> None:
    assert "canary" not in repr(FarmSettings("acme", {}, {"api_key": Secret("key-canary")}))


def test_settings_survive_a_pipe(nowhere: Path) -> None:
    settings = farm_settings(SPEC, environ=ACCOUNT, credentials=nowhere)
    there = FarmSettings.from_pipe(json.loads(json.dumps(settings.to_pipe())))
    assert there == settings
    assert there.secret("api_key").reveal() == "key-canary"


def test_a_secret_that_is_not_set_names_its_variable() -> None:
    settings = FarmSettings("acme", {}, variables={"api_key": "ACME_API_KEY"})
    with pytest.raises(
        ConfigurationError, match=r"set ACME_API_KEY or put api_key under \[acme\] in .*credentials\.toml"
    ):
        settings.secret("api_key")


# where settings come from


def test_the_environment_gives_settings_and_secrets(nowhere: Path) -> None:
    settings = farm_settings(SPEC, environ=ACCOUNT, credentials=nowhere)
    assert settings.get("username") == "ann"
    assert settings.secret("api_key").reveal() == "key-canary"
    assert "api_key" not in settings.values


def test_the_older_name_of_a_variable_counts_where_the_newer_is_empty(nowhere: Path) -> None:
    environ = {"ACME_USERNAME": "ann", "ACME_API_KEY": " ", "ACME_ACCESS_KEY": "older\n"}
    assert farm_settings(SPEC, environ=environ, credentials=nowhere).secret("api_key").reveal() == "older"


def test_the_newer_name_of_a_variable_wins(nowhere: Path) -> None:
    environ = {**ACCOUNT, "ACME_ACCESS_KEY": "older"}
    assert farm_settings(SPEC, environ=environ, credentials=nowhere).secret("api_key").reveal() == "key-canary"


def test_the_default_is_the_last_resort(nowhere: Path) -> None:
    assert farm_settings(SPEC, environ=ACCOUNT, credentials=nowhere).get("url") == "https://api.acme.test"


def test_the_address_is_taken_from_flag_then_environment_then_file(tmp_path: Path, nowhere: Path) -> None:
    file = a_file(tmp_path, '[farms.acme]\nurl = "https://file.test"\n')
    environ = {**ACCOUNT, "ACME_URL": "https://environ.test"}

    assert farm_settings(SPEC, environ=ACCOUNT, file=file, credentials=nowhere).get("url") == "https://file.test"
    assert farm_settings(SPEC, environ=environ, file=file, credentials=nowhere).get("url") == "https://environ.test"
    flagged = farm_settings(SPEC, url="https://flag.test", environ=environ, file=file, credentials=nowhere)
    assert flagged.get("url") == "https://flag.test"


def test_a_flag_for_the_address_drops_the_hub_of_the_environment(nowhere: Path) -> None:
    environ = {**ACCOUNT, "ACME_HUB_URL": "https://hub.test"}
    settings = farm_settings(SPEC, url="https://flag.test", environ=environ, credentials=nowhere)
    assert settings.get("hub_url") == ""


def test_a_flag_for_the_hub_is_kept(nowhere: Path) -> None:
    settings = farm_settings(
        SPEC, url="https://flag.test", hub_url="https://hub.test", environ=ACCOUNT, credentials=nowhere
    )
    assert settings.get("hub_url") == "https://hub.test"


def test_a_hub_of_the_file_does_not_go_with_an_address_of_the_environment(tmp_path: Path, nowhere: Path) -> None:
    file = a_file(tmp_path, '[farms.acme]\nhub_url = "https://hub.test"\n')
    environ = {**ACCOUNT, "ACME_URL": "https://environ.test"}
    assert farm_settings(SPEC, environ=environ, file=file, credentials=nowhere).get("hub_url") == ""


def test_a_hub_goes_with_the_default_address(nowhere: Path) -> None:
    environ = {**ACCOUNT, "ACME_HUB_URL": "https://hub.test"}
    assert farm_settings(SPEC, environ=environ, credentials=nowhere).get("hub_url") == "https://hub.test"


def test_an_address_with_credentials_is_refused_without_being_shown(nowhere: Path) -> None:
    environ = {**ACCOUNT, "ACME_HUB_URL": "https://ann:key-canary@hub.test"}
    with pytest.raises(ConfigurationError, match=r"hub_url .*carries credentials") as caught:
        farm_settings(SPEC, environ=environ, credentials=nowhere)
    assert "canary" not in str(caught.value)


def test_everything_missing_is_listed_at_once(nowhere: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        farm_settings(SPEC, environ={}, credentials=nowhere)
    assert str(caught.value).splitlines() == [
        "farm 'acme' needs 2 more settings:",
        "  username (name of the account): variable ACME_USERNAME, "
        "or key 'username' under [farms.acme] in devicefarm.toml",
        "  api_key (key of the account): variable ACME_API_KEY or ACME_ACCESS_KEY, "
        f"or key 'api_key' under [acme] in {nowhere}",
        "To try it without an account add --farm-simulate.",
    ]


# credentials.toml


def test_credentials_of_the_user_are_read(tmp_path: Path) -> None:
    path = credentials(tmp_path, '[acme]\nusername = "ann"\napi_key = "key-canary"\n[other]\napi_key = "x"\n')
    settings = farm_settings(SPEC, environ={}, credentials=path)
    assert (settings.get("username"), settings.secret("api_key").reveal()) == ("ann", "key-canary")


def test_the_environment_wins_over_credentials_of_the_user(tmp_path: Path) -> None:
    path = credentials(tmp_path, '[acme]\napi_key = "other"\n')
    assert farm_settings(SPEC, environ=ACCOUNT, credentials=path).secret("api_key").reveal() == "key-canary"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_credentials_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = credentials(tmp_path, '[acme]\napi_key = "key-canary"\n', mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}"):
        farm_settings(SPEC, environ={"ACME_USERNAME": "ann"}, credentials=path)


def test_broken_credentials_are_refused_without_being_shown(tmp_path: Path) -> None:
    path = credentials(tmp_path, "[acme]\napi_key = key-canary\n")
    with pytest.raises(ConfigurationError, match=r"credentials\.toml: is no TOML") as caught:
        farm_settings(SPEC, environ={}, credentials=path)
    assert "canary" not in str(caught.value)


def test_a_misspelled_credential_names_the_right_one(tmp_path: Path) -> None:
    path = credentials(tmp_path, '[acme]\napi_kye = "key-canary"\n')
    with pytest.raises(ConfigurationError, match=r"unknown key 'api_kye' in .*did you mean 'api_key'"):
        farm_settings(SPEC, environ={}, credentials=path)


# simulator


def test_a_simulated_farm_reads_no_files(tmp_path: Path) -> None:
    path = credentials(tmp_path, "no toml", 0o644)
    file = a_file(tmp_path, '[farms.acme]\nurl = "https://file.test"\nhub_url = "https://hub.test"\n')
    environ = {**ACCOUNT, "ACME_URL": "http://127.0.0.1:1"}
    settings = farm_settings(SPEC, environ=environ, file=file, credentials=path, simulated=True)
    assert settings.simulated
    assert settings.get("url") == "http://127.0.0.1:1"
    assert settings.get("hub_url") == ""


# options


def test_an_option_is_taken_from_flag_then_environment_then_ini_then_file(tmp_path: Path) -> None:
    file = a_file(tmp_path, 'farm_app = "file"\n')
    environ = {"DEVICEFARM_APP": "environ"}

    def value(flag: str | None, environ: dict[str, str], ini: str, file: SettingsFile | None) -> object:
        return resolve("farm_app", flag=flag, environ=environ, ini=ini, file=file, default="default")

    assert value("flag", environ, "ini", file) == "flag"
    assert value(None, environ, "ini", file) == "environ"
    assert value(None, {"DEVICEFARM_APP": ""}, "ini", file) == "ini"
    assert value(None, {}, "", file) == "file"
    assert value(None, {}, "", None) == "default"


def test_the_variable_of_the_farm_option_is_named_after_it() -> None:
    environ = {"DEVICEFARM_FARM": "acme"}
    assert resolve("farm", flag=None, environ=environ, ini=None, file=None, default=None) == "acme"


@pytest.mark.parametrize("value", [False, 0])
def test_a_value_that_is_false_still_counts(value: object) -> None:
    assert resolve("farm_wait", flag=None, environ={}, ini=value, file=None, default=600) is value


def test_the_state_folder_is_the_one_asked_for(tmp_path: Path) -> None:
    assert state_folder(str(tmp_path / "state")) == tmp_path / "state"
    assert not (tmp_path / "state").exists()
    assert state_folder(None).name == "pytest-devicefarm"
