"""`tox run -e lowest` tests the lower bounds that pyproject.toml declares, not others."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]


def declared() -> dict[str, Version]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for name, lines in project["optional-dependencies"].items() if name != "all" for line in lines]
    requirements = [Requirement(line) for line in project["dependencies"] + extras]
    return {
        canonicalize_name(requirement.name): Version(bound.version)
        for requirement in requirements
        for bound in requirement.specifier
        if bound.operator == ">="
    }


def pinned() -> dict[str, Version]:
    lines = (ROOT / "tests/lowest.txt").read_text("utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pins}


def test_each_lower_bound_is_the_version_tested_as_lowest() -> None:
    assert pinned() == declared()
