"""What the documents show of farms is what is run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from click.testing import CliRunner

from pytest_devicefarm.cli import main
from pytest_devicefarm.core.behaviours import BEHAVIOURS, tables
from pytest_devicefarm.core.registry import all_farms

ROOT = Path(__file__).parents[2]
CONTRIBUTED = ROOT / "tests" / "contributed"


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_the_table_of_farms_is_the_one_that_is_printed() -> None:
    printed = CliRunner().invoke(main, ["farms", "--markdown"]).stdout
    assert printed in page("farms.md"), "put what `devicefarm farms --markdown` prints into docs/farms.md"


def test_the_table_of_farms_has_no_empty_field() -> None:
    rows = tables(list(all_farms().specs.values()))
    assert {row[0] for row in rows} >= BEHAVIOURS.keys()
    assert [row[0] for row in rows if not all(cell.startswith(("yes", "no: ")) for cell in row[1:])] == []


def test_every_behaviour_is_explained() -> None:
    assert [name for name, meaning in BEHAVIOURS.items() if f"- **{name}**: {meaning}." not in page("farms.md")] == []


def test_the_farm_on_one_page_is_the_one_that_keeps_the_contract() -> None:
    blocks = re.findall(r"```python\n(.*?)```", page("writing-a-farm.md"), re.DOTALL)
    assert blocks[0] == (CONTRIBUTED / "devicefarm_shelf.py").read_text(encoding="utf-8")


def test_the_entry_point_is_shown_as_it_is() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", page("writing-a-farm.md"), re.DOTALL)
    project = tomllib.loads((CONTRIBUTED / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert tomllib.loads(block)["project"]["entry-points"] == project["entry-points"]
