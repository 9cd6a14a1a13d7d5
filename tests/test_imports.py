"""The shape of the house: imports only go down, and farms stand apart.

Read from the source with `ast`, so imports inside functions count as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGE = "pytest_devicefarm"

# From the ground up. A module may import those of its own floor and of the floors below; modules not named here
# are held only by the rule against circles.
CORE_FLOORS = (
    ("clock", "errors", "model"),
    ("settings", "transport"),
    ("farm",),
    ("hookspecs", "journal"),
    ("guardian", "leases", "sessions"),
    ("registry",),
)
# Scripts that run in a process of their own and load nothing but the standard library.
ALONE = {"farms.local.caretaker"}
PYTEST_FLOORS = (("markers", "reports"), ("keeper",), ("fixtures", "scheduler"), ("plugin",))

# What a part of the package may import besides itself.
ALLOWED = {
    "core": {"core"},
    "simulator": {"simulator", "core.errors"},
    "farm": {"core"},
    "farm simulator": {"core", "simulator"},
    "cli": {"core", "cli"},
    "reports": {"core", "reports"},
    "testing": {"core", "simulator", "testing"},
    "pytest": {"core", "reports", "pytest"},
}
PYTEST_FREE = {"core", "simulator", "farm", "farm simulator", "cli"}


@dataclass(frozen=True)
class Import:
    """One import: who, whom, and whether only a type checker follows it."""

    importer: str
    imported: str
    line: int
    for_types: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def source_root() -> Path:
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def modules() -> dict[str, Path]:
    root = source_root()
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = (PACKAGE, *path.relative_to(root).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING"


def statements(node: ast.AST, for_types: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, for_types
        else:
            yield from statements(child, for_types or is_type_checking(child))


def targets(statement: ast.Import | ast.ImportFrom, importer: str) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
        return
    base = statement.module or ""
    if statement.level:
        package = importer if MODULES[importer].name == "__init__.py" else importer.rpartition(".")[0]
        for _ in range(statement.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{base}".rstrip(".")
    for alias in statement.names:
        name = f"{base}.{alias.name}"
        yield name if name in MODULES else base


def imports() -> list[Import]:
    return [
        Import(importer, imported, statement.lineno, for_types)
        for importer, path in MODULES.items()
        for statement, for_types in statements(ast.parse(path.read_text("utf-8")))
        for imported in targets(statement, importer)
    ]


IMPORTS = imports()
INNER = [found for found in IMPORTS if found.imported.split(".")[0] == PACKAGE]
OUTER = [found for found in IMPORTS if found.imported.split(".")[0] != PACKAGE]


def inside(module: str) -> str:
    return module.removeprefix(PACKAGE).removeprefix(".")


def part(module: str) -> str:
    """The part of the package that a module belongs to, as named in ALLOWED."""
    match inside(module).split("."):
        case ["core" | "simulator" | "cli" | "reports" | "testing" as name, *_]:
            return name
        case ["farms"]:
            return "farms"
        case ["farms", _, "simulator", *_]:
            return "farm simulator"
        case ["farms", *_]:
            return "farm"
        case [""]:
            return "face"
        case _:
            return "pytest"


def farm_of(module: str) -> str:
    return ".".join(inside(module).split(".")[:2]) if part(module) in {"farm", "farm simulator"} else ""


def floor(module: str, prefix: str, floors: tuple[tuple[str, ...], ...]) -> int | None:
    name = inside(module).removeprefix(prefix).split(".")[0]
    return next((index for index, names in enumerate(floors) if name in names), None)


def climbs(found: Import, prefix: str, floors: tuple[tuple[str, ...], ...]) -> bool:
    """Whether an import leads to a higher floor; what only a type checker follows makes nobody depend on it."""
    if found.for_types or not (inside(found.importer).startswith(prefix) and inside(found.imported).startswith(prefix)):
        return False
    low, high = floor(found.importer, prefix, floors), floor(found.imported, prefix, floors)
    return low is not None and high is not None and high > low


def listed(offenders: list[Import]) -> str:
    return "\n".join(map(str, offenders))


def test_a_part_imports_only_what_lies_below_it() -> None:
    def allowed(found: Import) -> bool:
        if part(found.importer) == "face" or part(found.importer) not in ALLOWED:
            return part(found.imported) not in {"farm", "farm simulator"}
        if farm_of(found.importer):
            own = farm_of(found.importer) == farm_of(found.imported)
        else:
            own = part(found.importer) == part(found.imported)
        names = ALLOWED[part(found.importer)]
        return own or part(found.imported) in names or inside(found.imported) in names

    offenders = [found for found in INNER if not allowed(found)]
    assert not offenders, listed(offenders)


def test_core_imports_go_down() -> None:
    offenders = [found for found in INNER if climbs(found, "core.", CORE_FLOORS)]
    assert not offenders, listed(offenders)


def test_imports_of_the_pytest_side_go_down() -> None:
    offenders = [found for found in INNER if climbs(found, "", PYTEST_FLOORS)]
    assert not offenders, listed(offenders)


def test_nothing_imports_a_farm_by_name() -> None:
    offenders = [found for found in INNER if farm_of(found.imported) not in {"", farm_of(found.importer)}]
    assert not offenders, listed(offenders)


def test_only_simulators_of_farms_and_test_support_import_the_simulator() -> None:
    users = {"simulator", "farm simulator", "testing"}
    offenders = [found for found in INNER if part(found.imported) == "simulator" and part(found.importer) not in users]
    assert not offenders, listed(offenders)


def test_nothing_imports_test_support() -> None:
    offenders = [found for found in INNER if part(found.imported) == "testing" != part(found.importer)]
    assert not offenders, listed(offenders)


def test_no_module_imports_the_face_of_the_package() -> None:
    offenders = [found for found in INNER if part(found.imported) == "face"]
    assert not offenders, listed(offenders)


def test_only_the_pytest_side_imports_pytest() -> None:
    offenders = [
        found
        for found in OUTER
        if found.imported.split(".")[0] in {"pytest", "_pytest"}
        and part(found.importer) in PYTEST_FREE
        and not found.for_types
    ]
    assert not offenders, listed(offenders)


@pytest.mark.parametrize("library", ["requests", "requests_toolbelt", "http.client", "urllib.request"])
def test_only_the_transport_speaks_http(library: str) -> None:
    """The simulator may, it passes WebDriver on to a real Appium server; and test support, which relays."""
    offenders = [
        found
        for found in OUTER
        if f"{found.imported}.".startswith(f"{library}.")
        and part(found.importer) not in {"simulator", "testing"}
        and not inside(found.importer).startswith("core.transport")
        and inside(found.importer) not in ALONE
    ]
    assert not offenders, listed(offenders)


def test_no_import_runs_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for found in INNER:
        if not found.for_types and found.importer != found.imported:
            graph.setdefault(found.importer, set()).add(found.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"circle of imports: {' -> '.join(error.args[1])}")
