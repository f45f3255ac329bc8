"""Reads recipes, which describe datasets, from YAML files that may extend one another."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crystalvision.config import Sourced, load_yaml
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

_SUFFIXES = (".yaml", ".yml")


def find_recipe(name_or_path: str, catalogue: Catalogue, folder: Path | None = None) -> Path:
    """The YAML file of a recipe.

    Args:
        name_or_path: The name of a shipped recipe, or the path of a YAML file.
        catalogue: Where names are looked up.
        folder: What the path is relative to, by default the current folder.

    Raises:
        InputError: There is no recipe of that name.
    """
    path = (folder or Path()) / name_or_path
    if path.suffix in _SUFFIXES:
        return path
    try:
        return catalogue.path("recipe", name_or_path)
    except InputError as error:
        raise InputError(f"{error}; or give the path of a .yaml file") from error


def read_recipe(path: Path, catalogue: Catalogue) -> dict[str, Any]:
    """The data of a recipe on top of that which it extends; not validated.

    A part may be a file of its own, relative to the recipe: `instrument: ./instrument.yaml`.

    With `extends: NAME` a recipe begins as a copy of another one, shipped or a file beside it. What
    it gives itself takes the other's place; a mapping without a `name` changes the values that it
    gives, and leaves the others of a group or of a part as they are.

    Args:
        path: Its YAML file.
        catalogue: Where names are looked up.

    Raises:
        InputError: The file cannot be read, or extends what is not there, or itself.
    """
    return _read(path, catalogue, ())


def _read(path: Path, catalogue: Catalogue, extended_by: tuple[Path, ...]) -> dict[str, Any]:
    data = load_yaml(path)
    name = data.pop("extends", None)
    data |= {key: _part(value, path) for key, value in data.items()}
    if name is None:
        return data
    if not isinstance(name, str):
        raise InputError(f"{path}: extends is {name!r}; expected the name or file of one recipe")
    source = find_recipe(name, catalogue, path.parent)
    if source.resolve() in {seen.resolve() for seen in (*extended_by, path)}:
        raise InputError(f"{path}: extends {name}, which extends it in turn")
    base = _read(source, catalogue, (*extended_by, path))
    origins = _origins(base, data, str(source))
    for key, value in data.items():
        if _changes(value, base.get(key)):
            data[key] = {**base[key], **value}
    return Sourced({**base, **data}, origins)


def _part(value: object, recipe: Path) -> object:
    """A part that a recipe gives as the name of a YAML file: what is in it; else as it is."""
    if not isinstance(value, str) or Path(value).suffix not in _SUFFIXES:
        return value
    path = recipe.parent / value
    part = load_yaml(path)
    if "name" not in part:
        raise InputError(f"{path}: expected a part of a recipe, with its name and its options")
    return part


def _origins(
    base: Mapping[str, Any], data: Mapping[str, Any], source: str
) -> dict[tuple[str, ...], str]:
    """The file of each value that a recipe takes over from the one that it extends."""
    taken: dict[tuple[str, ...], str] = {}
    for key, value in base.items():
        if key not in data:
            taken[(key,)] = source
        elif _changes(data[key], value):
            taken |= {(key, part): source for part in value if part not in data[key]}
    earlier = base.origins if isinstance(base, Sourced) else {}
    return taken | {place: file for place, file in earlier.items() if _is_taken(place, taken)}


def _is_taken(place: tuple[str, ...], taken: Mapping[tuple[str, ...], str]) -> bool:
    return any(place[:length] in taken for length in range(1, len(place) + 1))


def _changes(value: object, base: object) -> bool:
    """Whether a value says what is other in a group or part, and does not take its place."""
    return (
        isinstance(value, Mapping)
        and isinstance(base, Mapping)
        and "name" not in value
        and not any(set(one) == {"choice"} for one in (value, base))
    )


def source_of(recipe: dict[str, Any], name_or_path: str, catalogue: Catalogue) -> str:
    """Which source makes a recipe: the one that it names, or the only one that it can be.

    A recipe that a distribution ships is made by a source which that distribution has. Of several,
    it is the one whose `recipe_keys` the recipe has.

    Args:
        recipe: Its data; the key `source` is taken out of them.
        name_or_path: How the recipe was asked for.
        catalogue: Where sources are looked up.

    Raises:
        InputError: It names a source that is not there, or none where there are several.
    """
    named = recipe.pop("source", None)
    if isinstance(named, str):
        catalogue.entry("source", named)
        return named
    offered = catalogue.of_kind("source")
    if catalogue.has("recipe", name_or_path):
        home = catalogue.entry("recipe", name_or_path).plugin.distribution
        offered = [each for each in offered if each.plugin.distribution == home] or offered
    if len(offered) > 1:
        offered = [each for each in offered if _has_keys_of(each.load(), recipe)]
    if named is not None or len(offered) != 1:
        reason = "several sources could make it" if named is None else f"source is {named!r}"
        names = ", ".join(catalogue.names("source")) or "none"
        raise InputError(
            f"recipe {name_or_path}: {reason}; write `source: NAME` in it; sources: {names}"
        )
    return offered[0].qualified_name


def _has_keys_of(factory: object, recipe: Mapping[str, Any]) -> bool:
    """Whether a recipe has what tells the recipes of a source from those of others."""
    keys: Iterable[str] = getattr(factory, "recipe_keys", ())
    return bool(keys) and all(key in recipe for key in keys)
