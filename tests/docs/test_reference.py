"""The API reference has every public name: each on the page of its area."""

import re
from pathlib import Path

import crystalvision as cv
from crystalvision.plugins import Catalogue

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
# What no user of the toolkit imports: what commands and files are made with.
INNER = {"api", "cards", "cli", "console", "export", "figures", "scaffold", "storage", "testing"}


def documented() -> set[str]:
    pages = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    return set(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))


def test_every_package_has_its_place():
    packages = {path.parent.name for path in (ROOT / "crystalvision").glob("*/__init__.py")}
    expected = {f"crystalvision.{name}" for name in packages - INNER - {"text"}}
    assert expected <= documented()


def test_the_python_face_is_there():
    at_the_face = [name for name in documented() if ".api." in name or ".start." in name]
    names = {name.rpartition(".")[2] for name in at_the_face}
    assert set(cv.__all__) - {"__version__", "hookimpl"} <= names
    offered = {entry.target for entry in Catalogue.load().of_kind("function")}
    assert {str(target).replace(":", ".") for target in offered} <= documented()


def test_every_page_is_in_the_table_of_contents():
    contents = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert f": {page.relative_to(ROOT / 'docs').as_posix()}\n" in contents
