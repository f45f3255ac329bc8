"""Writes a plugin project from templates, whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import crystalvision
from crystalvision.errors import InputError
from crystalvision.scaffold._names import ProjectNames
from crystalvision.storage import Destination, disk_errors, whole_folder

_TEMPLATES = Path(__file__).parent / "templates"

KINDS = (
    "reader",
    "input",
    "augmentation",
    "backbone",
    "head",
    "fusion",
    "task",
    "feature",
    "estimator",
    "source",
    "instrument",
    "renderer",
    "defect",
    "structure",
)
"""The kinds that there is a project of."""

_FUNCTIONS = ("structure", "estimator")


def write_project(names: ProjectNames, kind: str, folder: Path) -> list[Path]:
    """Write a project.

    Args:
        names: What it is called.
        kind: What it brings: one of `KINDS`.
        folder: Its folder, which must not exist or be empty.

    Returns:
        The files, relative to the folder.

    Raises:
        InputError: No such kind, or something is in the folder already.
        StorageError: The disk refuses; nothing half-written is left.
    """
    if kind not in KINDS:
        raise InputError(f"--kind {kind}: expected one of {', '.join(KINDS)}")
    destination = Destination.look(folder)
    if destination.taken:
        raise InputError(f"{folder} exists already and is not empty; choose another with -o")
    texts = dict(_files(names, kind))
    with whole_folder(destination) as partial, disk_errors(folder):
        for place, text in texts.items():
            path = partial / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return sorted(texts)


def _files(names: ProjectNames, kind: str) -> Iterator[tuple[Path, str]]:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - what is written is Python and Markdown, not HTML
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    values = {
        "name": names.distribution,
        "package": names.package,
        "Type": names.type_name,
        "kind": kind,
        "hook": f"crystalvision_{kind}s",
        "factory": names.package if kind in _FUNCTIONS else names.type_name,
        "version": crystalvision.__version__,
    }
    package = Path("src") / names.package
    for template, place in (
        ("pyproject.toml.j2", Path("pyproject.toml")),
        ("README.md.j2", Path("README.md")),
        ("gitignore.j2", Path(".gitignore")),
        ("package.py.j2", package / "__init__.py"),
        (f"kinds/{kind}.py.j2", package / f"{kind}.py"),
        (f"kinds/test_{kind}.py.j2", Path("tests") / f"test_{names.package}.py"),
    ):
        yield place, environment.get_template(template).render(values)
    if kind == "source":
        recipe = environment.get_template("kinds/recipe.yaml.j2").render(values)
        yield package / "recipe.yaml", recipe
    yield package / "py.typed", ""
