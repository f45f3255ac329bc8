"""Who may import what: nothing private of another package, and no circles of modules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    ROOT / "crystalvision",
    *sorted((ROOT / "simulate").glob("crystalvision_*")),
    *sorted((ROOT / "plugins").glob("crystalvision_*")),
    *sorted((ROOT / "benchmarks").glob("crystalvision_*")),
)


def module_name(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    module_name(path, package): path for package in PACKAGES for path in package.rglob("*.py")
}


def imported(name: str) -> Iterator[tuple[str, bool]]:
    """Modules that a module imports, and whether that happens as it is itself imported.

    Imports that only a type checker follows count as such: they tell who knows whom. Those within
    a function do not.
    """
    tree = ast.parse(SOURCES[name].read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        at_once = id(node) not in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{name}: relative imports are not followed here"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in SOURCES else node.module), at_once


def private_folder(module: str) -> str | None:
    """The package within which a private module may be imported; `None` for a public one."""
    parts = module.split(".")
    for place, part in enumerate(parts):
        if part.startswith("_") and not part.startswith("__"):
            return ".".join(parts[:place])
    return None


def package_of(module: str) -> str:
    path = SOURCES[module]
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def private_imports() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in SOURCES:
        for target, _ in imported(name):
            owner = private_folder(target) if target in SOURCES else None
            if owner is not None and not f"{package_of(name)}.".startswith(f"{owner}."):
                found.setdefault(package_of(name), set()).add(target)
    return found


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules that import one another (Tarjan 1972, SIAM J. Comput. 1, 146)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            place = stack.index(node)
            ring = set(stack[place:])
            del stack[place:]
            if len(ring) > 1:
                found.append(ring)

    for node in edges:
        if node not in order:
            visit(node)
    return found


def test_no_package_imports_a_private_module_of_another():
    assert private_imports() == {}


def test_no_modules_import_one_another():
    edges = {
        name: {target for target, at_once in imported(name) if at_once and target in SOURCES}
        for name in SOURCES
    }
    assert circles(edges) == []


@pytest.mark.parametrize(
    ("edges", "rings"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [{"a", "b", "c"}]),
    ],
)
def test_circles_are_found(edges, rings):
    assert circles(edges) == rings
