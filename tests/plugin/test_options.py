from __future__ import annotations

import importlib.metadata

import pytest
from plugin.suites import Suite, said
from support.processes import files_below

from pytest_devicefarm.options import FLAGS, Flag, read_options

VALUES = {
    "text": ("one", "two", "three", "four"),
    "number": ("1.5", "2.5", "3.5", "4.5"),
    "count": ("1", "2", "3", "4"),
    "minutes": ("1", "2", "off", "4"),
    "keep": ("on", "off", "on", "retain-on-failure"),
}
WRONG = {"number": "soon", "count": "1.5", "minutes": "long", "keep": "maybe", "choice": "maybe", "switch": "maybe"}
WITH_VALUES = [flag for flag in FLAGS if flag.kind != "switch" and flag.name not in ("farm", "farm-state")]
named = pytest.mark.parametrize("flag", WITH_VALUES, ids=lambda flag: flag.name)


def values_of(flag: Flag) -> tuple[str, ...]:
    """Four values that differ from one to the next."""
    if flag.kind == "choice":
        return tuple(flag.choices[number % len(flag.choices)] for number in range(4))
    return VALUES[flag.kind]


def as_read(flag: Flag, text: str) -> object:
    if flag.many:
        return (text,)
    numbers = {"number": float, "count": int, "minutes": lambda given: 0 if given == "off" else int(given)}
    return numbers.get(flag.kind, str)(text)  # type: ignore[operator]


def option(pytester: pytest.Pytester, flag: Flag, *arguments: str, **environ: str) -> object:
    """The value of one option as the plugin reads it."""
    chosen = read_options(pytester.parseconfig("--farm=kobiton", *arguments), environ)
    assert chosen is not None
    value = getattr(chosen[0], flag.key)
    # Paths in files are read as from the folder of the file; the name is what is compared here.
    if isinstance(value, tuple):
        return tuple(text.removeprefix(f"{pytester.path}/") for text in value)
    return value.removeprefix(f"{pytester.path}/") if isinstance(value, str) else value


@named
def test_the_flag_comes_before_the_variable_the_ini_file_and_the_toml_file(
    pytester: pytest.Pytester, flag: Flag
) -> None:
    first, second, third, fourth = values_of(flag)
    variable = {f"DEVICEFARM_{flag.key.removeprefix('farm_').upper()}": second}
    pytester.path.joinpath("devicefarm.toml").write_text(
        f"{flag.key} = {[fourth] if flag.many else fourth if flag.kind in ('number', 'count') else repr(fourth)}\n"
    )
    assert option(pytester, flag) == as_read(flag, fourth)
    pytester.makeini(f"[pytest]\n{flag.key} = {third}\n")
    assert option(pytester, flag) == as_read(flag, third)
    assert option(pytester, flag, **variable) == as_read(flag, second)
    assert option(pytester, flag, f"--{flag.name}={first}", **variable) == as_read(flag, first)


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.kind == "switch"], ids=lambda flag: flag.name)
def test_a_switch_can_be_set_everywhere(pytester: pytest.Pytester, flag: Flag) -> None:
    variable = f"DEVICEFARM_{flag.key.removeprefix('farm_').upper()}"
    assert option(pytester, flag) is False
    pytester.path.joinpath("devicefarm.toml").write_text(f"{flag.key} = true\n")
    assert option(pytester, flag) is True
    pytester.makeini(f"[pytest]\n{flag.key} = false\n")
    assert option(pytester, flag) is False
    assert option(pytester, flag, **{variable: "yes"}) is True
    assert option(pytester, flag, f"--{flag.name}", **{variable: "no"}) is True


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_without_any_word_the_default_holds(pytester: pytest.Pytester, flag: Flag) -> None:
    if flag.name != "farm":
        assert option(pytester, flag) == flag.default


@pytest.mark.parametrize("place", ["flag", "variable", "ini", "toml"])
@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.kind in WRONG], ids=lambda flag: flag.name)
def test_a_wrong_value_names_flag_value_and_what_it_has_to_be(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, flag: Flag, place: str
) -> None:
    from pytest_devicefarm.core.errors import ConfigurationError

    wrong, arguments, environ = WRONG[flag.kind], [], {}
    if place == "flag":
        if flag.kind == "switch":
            return
        arguments = [f"--{flag.name}={wrong}"]
    elif place == "variable":
        environ = {f"DEVICEFARM_{flag.key.removeprefix('farm_').upper()}": wrong}
    elif place == "ini":
        pytester.makeini(f"[pytest]\n{flag.key} = {wrong}\n")
    else:
        pytester.path.joinpath("devicefarm.toml").write_text(f"{flag.key} = '{wrong}'\n")
    with pytest.raises(ConfigurationError) as caught:
        option(pytester, flag, *arguments, **environ)
    wanted = " or ".join(flag.choices) or {"switch": "yes or no", "number": "a number"}.get(flag.kind, "a whole number")
    for part in (f"--{flag.name}", repr(wrong), f"has to be {wanted}"):
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "true"])
def test_a_number_has_its_bounds(pytester: pytest.Pytester, text: str) -> None:
    from pytest_devicefarm.core.errors import ConfigurationError

    pytester.path.joinpath("devicefarm.toml").write_text(f"farm_wait = {text}\n")
    with pytest.raises(ConfigurationError, match=r"--farm-wait is .*, but has to be a number"):
        option(pytester, FLAGS[0])


def test_less_than_one_device_is_refused(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--farm=kobiton", "--farm-max-devices=0")
    assert result.ret == 4
    assert "--farm-max-devices is '0', but has to be a number of at least 1" in said(result)


def test_a_list_in_the_toml_file_holds_texts(pytester: pytest.Pytester) -> None:
    from pytest_devicefarm.core.errors import ConfigurationError

    pytester.path.joinpath("devicefarm.toml").write_text("farm_app = [1]\n")
    with pytest.raises(ConfigurationError, match=r"--farm-app is \[1\], but has to be a text or a list of texts"):
        option(pytester, FLAGS[0])


@pytest.mark.parametrize("file", ["ini", "toml"])
def test_a_path_in_a_file_is_meant_from_where_the_file_lies(pytester: pytest.Pytester, file: str) -> None:
    folder = pytester.path
    if file == "ini":
        pytester.makeini("[pytest]\nfarm_app =\n  build/shop.apk\n  kobiton-store:v12\nfarm_output = results\n")
    else:
        pytester.makeini("[pytest]\n")
        folder.joinpath("devicefarm.toml").write_text(
            "farm_app = ['build/shop.apk', 'kobiton-store:v12']\nfarm_output = 'results'\n"
        )
    pytester.mkdir("below")
    config = pytester.parseconfig("--farm=kobiton", "--rootdir", str(folder), "-c", str(folder / "tox.ini"))
    chosen = read_options(config, {})
    assert chosen is not None
    assert chosen[0].farm_app == (str(folder / "build/shop.apk"), "kobiton-store:v12")
    assert chosen[0].farm_output == str(folder / "results")


def test_every_flag_stands_in_the_help_with_its_default(pytester: pytest.Pytester) -> None:
    text = " ".join(said(pytester.runpytest_inprocess("--help")).split())
    group = text[text.index("device farm:") :]
    for flag in FLAGS:
        assert f"--{flag.name}" in group
        assert f"{flag.key} " in text
    for shown in ("(default: 600)", "(default: retain-on-failure)", "(default: farm-results)", "(default: 30)"):
        assert shown in group


def test_an_unknown_key_of_the_toml_file_names_the_nearest(suite: Suite) -> None:
    suite.toml("farm_wiat = 5\n")
    suite.tests("def test_nothing(): pass")
    result = suite.run()
    assert result.ret == 4
    assert "unknown option 'farm_wiat'; did you mean 'farm_wait'?" in said(result)


def test_an_unknown_farm_names_the_nearest(suite: Suite) -> None:
    suite.tests("def test_nothing(): pass")
    result = suite.run("--farm", "kobitn")
    assert result.ret == 4
    assert "there is no farm 'kobitn': did you mean 'kobiton'?" in said(result)


def test_missing_credentials_are_all_named_at_once(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOBITON_API_KEY")
    monkeypatch.delenv("KOBITON_USERNAME")
    suite.tests("def test_device(leased_device): pass")
    result = suite.run()
    assert result.ret == 4
    assert "KOBITON_USERNAME" in said(result)
    assert "KOBITON_API_KEY" in said(result)


def test_a_wrong_key_ends_the_run_with_a_word_on_credentials(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOBITON_API_KEY", "wrong-key")
    suite.tests("def test_device(leased_device): pass")
    result = suite.run()
    assert result.ret == 4
    assert "401" in said(result)
    assert "wrong-key" not in said(result)


def test_without_a_farm_only_tests_of_devices_fail(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_device(appium_driver): pass
        def test_factory(lease_device): pass
        def test_plain(): pass
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=2)
    assert "give --farm NAME" in said(result)


def test_a_run_without_devices_asks_and_writes_nothing(suite: Suite) -> None:
    suite.tests("def test_plain(): pass")
    before, asked = files_below(suite.path), suite.farm.record()["requests"]
    result = suite.run()
    result.assert_outcomes(passed=1)
    after = [file for file in files_below(suite.path) if "__pycache__" not in file]
    assert after == [file for file in before if "__pycache__" not in file]
    assert suite.farm.record()["requests"] == asked


def test_collecting_alone_does_not_ask_the_farm(suite: Suite) -> None:
    suite.tests("@pytest.mark.device(name='nobody')\ndef test_device(appium_driver): pass\n")
    asked = suite.farm.record()["requests"]
    result = suite.run("--collect-only")
    assert result.ret == 0
    assert suite.farm.record()["requests"] == asked


def test_the_plugin_can_be_left_out(suite: Suite) -> None:
    suite.path.joinpath("pytest.ini").unlink()
    suite.tests("def test_plain(): pass")
    assert importlib.metadata.entry_points(group="pytest11", name="devicefarm")
    result = suite.run("-p", "no:devicefarm")
    result.assert_outcomes(passed=1)
    assert "device farm" not in said(result)


def test_a_scheduler_that_uses_the_same_mark_is_refused(suite: Suite) -> None:
    suite.path.joinpath("appium_scheduler.py").write_text("")
    suite.pytester.syspathinsert()
    suite.tests("def test_plain(): pass")
    result = suite.run("-p", "appium_scheduler")
    assert result.ret == 4
    assert "pytest-appium-scheduler is loaded too" in said(result)
    assert "-p no:appium_scheduler" in said(result)


def test_a_reset_the_farm_has_not_is_refused(suite: Suite) -> None:
    suite.conftest(
        """
        from pytest_devicefarm.core.farm import FarmSpec

        def pytest_devicefarm_farm():
            return FarmSpec("plain", "Plain", "nowhere:Farm", settings=())
        """
    )
    suite.tests("def test_plain(): pass")
    result = suite.run("--farm=plain", "--farm-reset=device")
    assert result.ret == 4
    assert "cannot reset 'device' between tests; --farm-reset can be app" in said(result)


def test_the_header_names_farm_and_state_folder(suite: Suite) -> None:
    suite.tests("def test_device(leased_device): pass")
    result = suite.run()
    result.stdout.fnmatch_lines([f"device farm: kobiton, state folder {suite.path}/state"])
    result.stdout.fnmatch_lines(["device farm: 3 devices for 1 test"])


def test_an_output_folder_that_cannot_be_written_ends_the_run_at_once(suite: Suite) -> None:
    suite.path.joinpath("taken").write_text("a file")
    suite.tests("def test_device(leased_device): pass")
    result = suite.run("--farm-output", "taken/results")
    assert result.ret == 4
    assert "give another one with --farm-output" in said(result)


def test_a_query_narrows_every_test(suite: Suite) -> None:
    suite.tests("def test_device(leased_device):\n    assert leased_device.udid == 'phone-i'\n")
    suite.run("--farm-device", "platform=ios", "--farm-device", "name=Nokia*").assert_outcomes(passed=1)


def test_a_query_that_leaves_no_device_ends_the_run(suite: Suite) -> None:
    suite.tests("def test_device(leased_device): pass")
    result = suite.run("--farm-device", "name=Nokia*")
    assert result.ret == 4
    assert "lists 3 devices, and --farm-device leaves none of them: name=Nokia*" in said(result)


def test_a_query_that_cannot_be_read_ends_the_run(suite: Suite) -> None:
    suite.tests("def test_device(leased_device): pass")
    result = suite.run("--farm-device", "nmae=Nokia*")
    assert result.ret == 4
    assert "did you mean 'name'?" in said(result)


def test_without_reservations_none_is_made(suite: Suite) -> None:
    suite.tests("def test_device(leased_device): pass")
    before = len(suite.farm.record()["reservations"])
    suite.run("--farm-reserve=off").assert_outcomes(passed=1)
    assert len(suite.farm.record()["reservations"]) == before
    suite.run("--farm-reserve=7").assert_outcomes(passed=1)
    assert len(suite.farm.record()["reservations"]) == before + 1
    assert not suite.farm.record()["open_reservations"]


@pytest.mark.parametrize("app", ["missing.apk", "text.apk"])
def test_a_build_that_is_none_ends_the_run_before_anything_is_sent(suite: Suite, app: str) -> None:
    suite.path.joinpath("text.apk").write_text("I am a text")
    suite.tests("def test_device(appium_driver): pass")
    result = suite.run("--farm-app", app)
    assert result.ret == 4
    assert app in said(result)
