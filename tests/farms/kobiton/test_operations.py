"""The client's methods against the vendor's contract: verbs and paths are spelled as documented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pytest_devicefarm.farms.kobiton import api

CONTRACT = Path(__file__).parents[2] / "contracts" / "kobiton-v1.openapi.yaml"

# Not in the reference, but known from release notes and public clients.
BESIDE_THE_REFERENCE = {
    ("GET", "/app/versions/{versionId}/downloadUrl"),
    ("GET", "/sessions/{sessionId}/commands"),
    ("DELETE", "/sessions/{sessionId}/terminate"),
    ("GET", "/users/me"),
    ("DELETE", "/session/{sessionId}"),
}


def documented() -> set[tuple[str, str]]:
    found, path = set(), ""
    for line in CONTRACT.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"  (/\S*):", line):
            path = match[1]
        elif match := re.fullmatch(r"    (get|put|post|delete):", line):
            found.add((match[1].upper(), path))
    return found


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
    assert ("GET", "/devices") in documented()


@pytest.mark.parametrize("resource", resources(), ids=lambda path: path.stem)
def test_every_call_is_documented_or_known_from_elsewhere(resource: Path) -> None:
    assert called(resource) <= documented() | BESIDE_THE_REFERENCE


@pytest.mark.parametrize("folder", ["/apps", "/app/versions", "/reservations", "/sessions"])
def test_every_documented_operation_of_a_finished_resource_has_a_method(folder: str) -> None:
    wanted = {(verb, path) for verb, path in documented() if path == folder or path.startswith(f"{folder}/")}
    assert wanted <= set().union(*map(called, resources()))
