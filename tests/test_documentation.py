"""What the documents say of names is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_devicefarm import fixtures
from pytest_devicefarm.core import hookspecs
from pytest_devicefarm.core.registry import all_farms
from pytest_devicefarm.options import FLAGS, Flag
from pytest_devicefarm.simulator.faults import EFFECTS

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


def row(flag: Flag) -> str:
    """The row of a flag in the table of flags."""
    if flag.kind == "switch":
        default = "on" if flag.default else "off"
    elif flag.default in (None, ()):
        default = "none"
    else:
        default = f"{flag.default:g}" if isinstance(flag.default, float) else str(flag.default)
    value = (flag.metavar or "|".join(flag.choices)).replace("|", "\\|")
    argument = "" if flag.kind == "switch" else f" {value}"
    return f"| `--{flag.name}{argument}` | {default} | {flag.help} |"


@pytest.mark.parametrize("flag", FLAGS, ids=[flag.name for flag in FLAGS])
def test_every_flag_has_its_row(flag: Flag) -> None:
    assert row(flag) in REFERENCE.splitlines()


def test_no_row_is_left_of_a_flag_that_is_gone() -> None:
    assert re.findall(r"^\| `--([a-z-]+)", REFERENCE, re.MULTILINE) == [flag.name for flag in FLAGS]


def test_every_fixture_and_hook_is_described() -> None:
    names = [name for name, value in vars(fixtures).items() if type(value).__name__ == "FixtureFunctionDefinition"]
    names += [name for name in vars(hookspecs) if name.startswith("pytest_devicefarm_")]
    assert len(names) > 15
    # `leased_device` stands as `leased_device`, hooks with their parameters behind them.
    assert [name for name in names if not re.search(rf"`{name}[`(]", REFERENCE)] == []


def test_every_effect_of_the_simulator_is_named() -> None:
    text = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert [effect for effect in EFFECTS if f"`{effect}`" not in text] == []


def test_every_setting_of_a_farm_is_named_in_its_page() -> None:
    for spec in all_farms().specs.values():
        page = (ROOT / "docs" / f"{spec.name}.md").read_text(encoding="utf-8")
        variables = [variable for setting in spec.settings for variable in setting.variables]
        assert [variable for variable in variables if f"`{variable}`" not in page] == []


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
