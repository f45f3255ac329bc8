"""A module with an underscore is used by its own package only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOTS = (ROOT, ROOT / "simulate", ROOT / "plugins", ROOT / "benchmarks")
FILES = sorted(
    path
    for root in ROOTS
    for package in root.glob("crystalvision*")
    for path in package.rglob("*.py")
)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def strangers(path: Path) -> list[str]:
    """Private modules of other packages that a file imports."""
    root = next(each for each in reversed(ROOTS) if path.is_relative_to(each))
    package = path.relative_to(root).parts[:-1]
    found = []
    for name in imported(path):
        parts = name.split(".")
        place = next((n for n, part in enumerate(parts) if part.startswith("_")), None)
        if (
            place
            and parts[0].startswith("crystalvision")
            and tuple(parts[:place]) != package[:place]
        ):
            found.append(name)
    return found


@pytest.mark.parametrize("room", ["api", "cli", "console", "runs", "samples", "sources", "plugins"])
def test_no_room_reaches_into_another(room):
    files = [path for path in FILES if f"crystalvision/{room}/" in path.as_posix()]
    assert files
    assert {path.name: found for path in files if (found := strangers(path))} == {}
