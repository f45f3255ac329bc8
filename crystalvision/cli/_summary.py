"""The first line of a command's documentation, read without importing the command."""

import ast
from importlib.machinery import PathFinder
from pathlib import Path

import typer

from crystalvision.plugins import documentation


def summary_of(target: object) -> str:
    """The one-line summary of a command.

    Args:
        target: What the hook gave: a function, a typer app, or text `"module:attribute"`.

    Returns:
        For a function in text, the first line of its docstring; for any other attribute, that of
        its module; "" where there is none.
    """
    if isinstance(target, str):
        return _first_line(_documentation_in_source(*target.partition(":")[::2]))
    if isinstance(target, typer.Typer):
        text = target.info.help
        return _first_line(text if isinstance(text, str) else "")
    return _first_line(documentation(target))


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


def _documentation_in_source(module: str, attribute: str) -> str:
    path = _source(module)
    if path is None:
        return ""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):  # running the command will say what is wrong
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == attribute:
            return ast.get_docstring(node) or ""
    return ast.get_docstring(tree) or ""


def _source(module: str) -> Path | None:
    """The file of a module, found without importing its parent packages."""
    name, locations, origin = "", None, None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = PathFinder.find_spec(name, locations)
        if spec is None:
            return None
        locations, origin = spec.submodule_search_locations, spec.origin
    return Path(origin) if origin and origin.endswith(".py") else None
