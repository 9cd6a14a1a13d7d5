"""A farm is its folder: nothing else in the package knows that there is such a farm."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_devicefarm
from pytest_devicefarm.core.registry import all_farms

ROOT = Path(pytest_devicefarm.__file__).parent
FARMS = ROOT / "farms"

# Lines that give a farm as an example, by file; they are words for people and no code depends on them.
EXAMPLES = {
    "core/model.py": {"kobiton": 1},
    "farms/grid/api/_resource.py": {"local": 1},
    "options.py": {"kobiton": 1},
    "protocol.py": {"kobiton": 1},
    "simulator/__main__.py": {"kobiton": 1},
}


def names() -> list[str]:
    """Folders of farms; of names that are words of everyday, too, only those who spell them as a name count."""
    return sorted(path.name for path in FARMS.iterdir() if (path / "__init__.py").is_file())


def tokens(path: Path) -> Iterator[tokenize.TokenInfo]:
    yield from tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)


def mentions(path: Path, farm: str) -> list[str]:
    """Texts, comments and names that speak of a farm.

    ``local`` and ``grid`` are words of English and of other libraries: they are looked for as a text of their own, as
    a folder or class of farms, and as the value of ``--farm``.
    """
    if farm in {"local", "grid"}:
        pattern = rf"""^['"]{farm}['"]$|farms[./]{farm}\b|--farm[ =]{farm}\b|\b{farm.title()}Farm\b"""
    else:
        pattern = farm
    found = (token for token in tokens(path) if re.search(pattern, token.string, re.IGNORECASE))
    return [f"{path.relative_to(ROOT)}:{token.start[0]}: {token.line.strip()}" for token in found]


def allowed(path: Path, farm: str) -> int:
    return EXAMPLES.get(path.relative_to(ROOT).as_posix(), {}).get(farm, 0)


def others() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if FARMS not in path.parents]


@pytest.mark.parametrize("farm", names())
def test_no_file_outside_its_folder_names_a_farm(farm: str) -> None:
    for path in others():
        found = mentions(path, farm)
        assert len(found) <= allowed(path, farm), "\n".join(found)


def test_no_example_is_allowed_that_is_gone() -> None:
    for name, farms in EXAMPLES.items():
        for farm, count in farms.items():
            assert len(mentions(ROOT / name, farm)) == count, f"{name}: {farm}"


def test_no_farm_names_another() -> None:
    for farm in names():
        for path in sorted((FARMS / farm).rglob("*.py")):
            for stranger in set(names()) - {farm}:
                found = mentions(path, stranger)
                assert len(found) <= allowed(path, stranger), "\n".join(found)


def test_every_folder_of_farms_is_a_farm_of_its_name() -> None:
    farms = all_farms()
    assert not farms.problems, farms.problems
    assert sorted(farms.specs) == names()
