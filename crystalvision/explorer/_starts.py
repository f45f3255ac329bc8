"""What a bench can begin with: what sources offer of themselves, and recipes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.plugins import Catalogue, Entry
from crystalvision.samples import Bench
from crystalvision.sources import find_recipe, read_recipe, source_of


@dataclass(frozen=True, slots=True)
class Start:
    """What a bench can begin with.

    Attributes:
        name: What it is called.
        source: What makes its samples.
        open: Makes the bench.
    """

    name: str
    source: str
    open: Callable[[], Bench]


def starts(recipes: Sequence[str], catalogue: Catalogue) -> list[Start]:
    """What benches can begin with, those that were asked for first.

    Args:
        recipes: Names or paths of recipes that were asked for.
        catalogue: Where recipes and sources are looked up.

    Raises:
        InputError: One that was asked for cannot be read, or its source has no bench.
    """
    asked = starts_of(recipes, catalogue)
    shipped = []
    for name in catalogue.names("recipe"):
        try:
            shipped.append(_of_recipe(name, catalogue, name))
        except CrystalVisionError:  # a stranger's recipe that is wrong, or a source without a bench
            continue
    # What most recipes are of comes first.
    count = Counter(one.source for one in shipped)
    sources = [entry for entry in catalogue.of_kind("source") if _has_bench(entry)]
    sources.sort(key=lambda entry: -count[entry.qualified_name])
    own = [_anew(entry, catalogue) for entry in sources]
    found: dict[str, Start] = {}
    for one in (*asked, *own, *shipped):
        found.setdefault(one.name, one)
    return list(found.values())


def starts_of(recipes: Sequence[str], catalogue: Catalogue) -> list[Start]:
    """Recipes that were asked for, as what benches begin with.

    Raises:
        InputError: One cannot be read, or its source has no bench.
    """
    return [_of_recipe(name, catalogue, Path(name).name) for name in recipes]


def _anew(entry: Entry, catalogue: Catalogue) -> Start:
    title = f"{entry.name}: begin anew"
    return Start(title, entry.qualified_name, lambda: _opener(entry)(None, catalogue))


def _of_recipe(name: str, catalogue: Catalogue, title: str) -> Start:
    data = read_recipe(find_recipe(name, catalogue), catalogue)
    source = source_of(data, name, catalogue)
    entry = catalogue.entry("source", source)
    if not _has_bench(entry):
        raise InputError(
            f"recipe {name}: its source '{entry.name}' has no bench to look at single samples on; "
            f"make a dataset of it: crystalvision simulate {name} -o DATA.zarr, and explore that"
        )
    return Start(title, entry.qualified_name, lambda: _opener(entry)(data, catalogue))


def _has_bench(entry: Entry) -> bool:
    try:
        return hasattr(entry.load(), "open_bench")
    except CrystalVisionError:  # a plugin that cannot be imported
        return False


def _opener(entry: Entry) -> Callable[[Mapping[str, Any] | None, Catalogue], Bench]:
    opener: Callable[[Mapping[str, Any] | None, Catalogue], Bench] = entry.load().open_bench
    return opener
