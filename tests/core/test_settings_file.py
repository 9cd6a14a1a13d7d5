from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.settings import SettingsFile


def a_file(folder: Path, text: str) -> Path:
    path = folder / "devicefarm.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_nearest_file_above_is_found(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    a_file(tmp_path, 'farm = "far"\n')
    a_file(tmp_path / "a", 'farm = "near"\n')
    file = SettingsFile.find(tmp_path / "a" / "b")
    assert file is not None
    assert file.option("farm") == "near"


def test_the_search_ends_at_the_root_of_the_tests(tmp_path: Path) -> None:
    (tmp_path / "root" / "tests").mkdir(parents=True)
    a_file(tmp_path, 'farm = "outside"\n')
    assert SettingsFile.find(tmp_path / "root" / "tests", root=tmp_path / "root") is None


def test_options_farms_and_capabilities_are_told_apart(tmp_path: Path) -> None:
    file = SettingsFile.read(
        a_file(tmp_path, 'farm_wait = 30\n[farms.acme]\nurl = "https://a"\n[capabilities]\n"appium:noReset" = true\n')
    )
    assert file.option("farm_wait") == 30
    assert file.option("farm_app") is None
    assert file.farm("acme") == {"url": "https://a"}
    assert file.farm("other") == {}
    assert file.capabilities == {"appium:noReset": True}


@pytest.mark.parametrize(
    "text",
    [
        '[farms.acme]\napi_key = "canary"\n',
        '[farms.acme]\naccess-key = "canary"\n',
        '[farms.acme]\nuser_token = "canary"\n',
        'password = "canary"\n',
        '[capabilities]\n"tg:userToken" = "canary"\n',
    ],
)
def test_a_secret_in_it_is_an_error_that_does_not_repeat_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="is a secret") as caught:
        SettingsFile.read(a_file(tmp_path, text))
    assert "canary" not in str(caught.value)


def test_passwords_of_the_app_under_test_are_capabilities(tmp_path: Path) -> None:
    file = SettingsFile.read(a_file(tmp_path, '[capabilities]\n"appium:keystorePassword" = "android"\n'))
    assert file.capabilities["appium:keystorePassword"] == "android"


def test_an_unknown_option_names_file_key_and_the_nearest_known(tmp_path: Path) -> None:
    path = a_file(tmp_path, "farm_wiat = 3\n")
    with pytest.raises(ConfigurationError) as caught:
        SettingsFile.read(path).check_options({"farm", "farm_wait"})
    assert str(caught.value) == f"{path}: unknown option 'farm_wiat'; did you mean 'farm_wait'?"


def test_an_unknown_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown table \[farm\].*did you mean 'farms'"):
        SettingsFile.read(a_file(tmp_path, '[farm]\nurl = "https://a"\n'))


@pytest.mark.parametrize("text", ["farms = 1\n", "capabilities = []\n", "[farms]\nacme = 3\n"])
def test_a_table_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="has to be a table"):
        SettingsFile.read(a_file(tmp_path, text))


@pytest.mark.parametrize("data", [b"farm = \n", b"\xff\xfe\x00", b"a = " + b"[" * 5000])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "devicefarm.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"devicefarm\.toml: is no TOML"):
        SettingsFile.read(path)
