from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.farm import FarmSpec
from pytest_devicefarm.core.registry import all_farms, find_farm

GOOD = "from pytest_devicefarm.core.farm import FarmSpec\nSPEC = FarmSpec({name!r}, 'A farm', '{name}_farm:Farm', ())\n"


def a_spec(name: str, title: str = "A farm") -> FarmSpec:
    return FarmSpec(name, title, "nowhere:Farm", ())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes an importable package with a subpackage for each keyword."""

    def make(**farms: str) -> str:
        name = f"farms_of_{tmp_path.name}"
        for farm, text in {"": "", **farms}.items():
            folder = tmp_path / name / farm
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return make


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Makes an installed distribution with one entry point and the module behind it."""

    def make(entry: str, module_text: str) -> None:
        name = f"dist_{tmp_path.name}_{entry}"
        (tmp_path / f"{name}.py").write_text(module_text)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[devicefarm]\n{entry} = {name}:SPEC\n")
        monkeypatch.syspath_prepend(tmp_path)

    return make


def test_every_folder_with_a_spec_is_a_farm(package: Callable[..., str]) -> None:
    farms = all_farms(package=package(b=GOOD.format(name="b"), a=GOOD.format(name="a")))
    assert list(farms.specs) == ["a", "b"]
    assert not farms.problems


def test_the_farms_of_this_package_can_all_be_used() -> None:
    assert not all_farms().problems


def test_a_farm_that_breaks_on_import_does_not_stop_the_others(package: Callable[..., str]) -> None:
    farms = all_farms(package=package(good=GOOD.format(name="good"), broken="import no_such_module_at_all"))
    assert farms.find("good").name == "good"
    with pytest.raises(
        ConfigurationError, match=r"farm 'broken' cannot be used: package .*\.broken fails .*no_such_module"
    ):
        farms.find("broken")


@pytest.mark.parametrize(("text", "message"), [("", "SPEC"), ("SPEC = 7", "gives a int, not a FarmSpec")])
def test_a_folder_without_a_usable_spec_says_so(package: Callable[..., str], text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        all_farms(package=package(odd=text)).find("odd")


def test_an_entry_point_gives_a_farm(distribution: Callable[[str, str], None]) -> None:
    distribution("acme", GOOD.format(name="acme"))
    assert find_farm("acme").name == "acme"


def test_a_broken_entry_point_is_named(distribution: Callable[[str, str], None]) -> None:
    distribution("acme", "raise RuntimeError('no licence')")
    with pytest.raises(ConfigurationError, match=r"farm 'acme' cannot be used: entry point acme = .* no licence"):
        find_farm("acme")


def test_a_plugin_gives_one_farm_or_several() -> None:
    extra: list[FarmSpec | list[FarmSpec]] = [a_spec("one"), [a_spec("two"), a_spec("three")]]
    assert {find_farm(name, extra).name for name in ("one", "two", "three")} == {"one", "two", "three"}


def test_the_same_farm_given_twice_is_one_farm() -> None:
    assert find_farm("one", [a_spec("one"), a_spec("one")]) == a_spec("one")


def test_two_farms_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two farms are called 'one'"):
        find_farm("one", [a_spec("one"), a_spec("one", "Another")])


def test_an_unknown_farm_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="there is no farm 'acmee': did you mean 'acme'"):
        find_farm("acmee", [a_spec("acme")])


def test_a_farm_like_no_other_lists_what_there_is(package: Callable[..., str]) -> None:
    farms = all_farms([a_spec("acme")], package=package(broken="1/0"))
    with pytest.raises(ConfigurationError, match=r"there is no farm 'qqq': known are acme \(not usable: broken\)"):
        farms.find("qqq")


def test_looking_at_farms_loads_nothing_heavy() -> None:
    heavy = (
        "requests",
        "selenium",
        "appium",
        "msgspec",
        "rich",
        "click",
        "filelock",
        "packaging",
        "werkzeug",
        "pytest",
    )
    code = (
        "import sys; from pytest_devicefarm.core.registry import all_farms; all_farms();"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
