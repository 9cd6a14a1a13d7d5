"""The client's methods against the vendor's contract: every path is spelled as documented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pytest_devicefarm.farms.testgrid import api

CONTRACT = Path(__file__).parents[2] / "contracts" / "testgrid.openapi.yaml"


def documented() -> set[tuple[str, str]]:
    return {("POST", path) for path in re.findall(r"(?m)^  (/\S*):$", CONTRACT.read_text("utf-8"))}


def resources() -> list[Path]:
    return sorted(path for path in Path(api.__file__).parent.glob("*.py") if not path.name.startswith("_"))


def called(resource: Path) -> set[tuple[str, str]]:
    calls = [node for node in ast.walk(ast.parse(resource.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return {
        (str(ast.literal_eval(call.args[0])), str(ast.literal_eval(call.args[1])))
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("_ask", "_tell")
    }


def test_the_contract_was_read() -> None:
    assert ("POST", "/api/get-user-devices") in documented()


@pytest.mark.parametrize("resource", resources(), ids=lambda path: path.stem)
def test_every_call_is_documented(resource: Path) -> None:
    assert called(resource) <= documented()
