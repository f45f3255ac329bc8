"""What the user asked to see: a recipe, a structure, or a dataset."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crystalvision.config import apply_overrides, validate
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.pictures._repeat import repeat_angstrom
from crystalvision_simulate.recipes import Recipe

_SAMPLE = re.compile(r"(?P<path>.+)\[(?P<index>[^\[\]]*)\]", re.DOTALL)
_PREFIXED = re.compile(r"(?P<kind>recipe|structure):(?P<name>.+)", re.DOTALL)
_THICKNESS = 100.0  # Å

Kind = Literal["recipe", "structure", "dataset"]


@dataclass(frozen=True, slots=True)
class Query:
    """What to show.

    Attributes:
        kind: What it is.
        name: Its name, or its path.
        index: The sample of a dataset, if the argument says which.
    """

    kind: Kind
    name: str
    index: int | None = None

    @property
    def title(self) -> str:
        """What to call it in a figure."""
        return Path(self.name).name

    @property
    def stem(self) -> str:
        """What to name a figure of it after."""
        stem = Path(self.name.rpartition(":")[2]).stem or "figure"  # of `.`
        return stem if self.index is None else f"{stem}-{self.index}"


def find_subject(text: str, catalogue: Catalogue) -> Query:
    """Say what an argument means.

    `recipe:NAME` and `structure:NAME` say it themselves. Otherwise names go before paths: a folder
    that has the name of a recipe is meant by `./NAME`.

    Args:
        text: The name of a recipe or a structure; a recipe's YAML file; a crystal file; a dataset's
            folder, or `DATA.zarr[INDEX]`.
        catalogue: Where names are looked up.

    Raises:
        InputError: It means nothing, or two things.
    """
    prefixed = _PREFIXED.fullmatch(text)
    if prefixed:
        return Query("recipe" if prefixed["kind"] == "recipe" else "structure", prefixed["name"])
    path = Path(text)
    if path.suffix in {".yaml", ".yml"}:
        return Query("recipe", text)
    kinds = [kind for kind in ("recipe", "structure") if _offers(catalogue, kind, text)]
    if len(kinds) > 1:
        raise InputError(
            f"'{text}' is a recipe and a structure; write recipe:{text} or structure:{text}"
        )
    if kinds:
        return Query("recipe" if kinds == ["recipe"] else "structure", text)
    if path.is_dir():
        return Query("dataset", text)
    if path.is_file():
        return Query("structure", text)
    sample = _SAMPLE.fullmatch(text)
    if sample and (Path(sample["path"]).is_dir() or not _offers_any(catalogue, sample["path"])):
        return Query("dataset", sample["path"], _index(text, sample["index"]))
    raise InputError(_unknown(text, catalogue))


def recipe_of_structure(name: str, catalogue: Catalogue, overrides: Sequence[str]) -> Recipe:
    """A recipe of one ideal crystal behind a selected-area aperture, without a detector.

    Unless it is set, the thickness is a whole number of repeats near 100 Å: higher Laue zones then
    do not show as the tails of their relrods.

    Args:
        name: A structure's name, or the path of a crystal file.
        catalogue: Where names are looked up.
        overrides: Values to set, as with `--set`.

    Raises:
        InputError: A value is wrong.
    """
    structure: dict[str, Any] = {"name": name}
    if Path(name).is_file() and not _offers(catalogue, "structure", name):
        reader = "cif" if Path(name).suffix.lower() == ".cif" else "file"
        structure = {"name": reader, "path": name}
    data = {
        "name": Path(name).name,
        "samples": 1,
        "structure": structure,
        "specimen": {"width_angstrom": 80, "aperture_diameter_angstrom": 60},
        "renderer": {"name": "multislice"},
        "instrument": {
            "name": "area-detector",
            "kind": "ideal",
            "pixels": 400,
            "pixel_size_inv_angstrom": 0.0075,
        },
        "classes": [{"name": "ideal", "severity": 0}],
    }
    wanted = apply_overrides(data, overrides)
    recipe = validate(Recipe, wanted, f"structure {name}")
    if "thickness_angstrom" in wanted["specimen"] or not recipe.structure:
        return recipe
    (part, *_), (axis, *_) = recipe.structure, recipe.specimen.zone_axis
    repeat = repeat_angstrom(catalogue.create("structure", part.name, part.options), axis)
    wanted["specimen"]["thickness_angstrom"] = max(1, round(_THICKNESS / repeat)) * repeat
    return validate(Recipe, wanted, f"structure {name}")


def _offers(catalogue: Catalogue, kind: str, name: str) -> bool:
    return any(name in {entry.name, entry.qualified_name} for entry in catalogue.of_kind(kind))


def _offers_any(catalogue: Catalogue, name: str) -> bool:
    return any(_offers(catalogue, kind, name) for kind in ("recipe", "structure"))


def _index(text: str, index: str) -> int:
    if not (index.isascii() and index.isdigit() and len(index) <= 18):
        raise InputError(f"{text}: expected the index of a sample, such as DATA.zarr[12]")
    return int(index)


def _unknown(text: str, catalogue: Catalogue) -> str:
    """Why an argument means nothing, with the nearest names."""
    if len(Path(text).parts) > 1 or Path(text).suffix:
        return f"{text}: no such file or folder; expected a recipe, a crystal file or a dataset"
    recipes, structures = catalogue.names("recipe"), catalogue.names("structure")
    nearest = difflib.get_close_matches(text, [*recipes, *structures], n=3)
    hint = f"; did you mean {' or '.join(repr(name) for name in nearest)}?" if nearest else ";"
    return (
        f"no recipe, structure or dataset is called '{text}'{hint} "
        f"recipes: {', '.join(recipes)}; structures: {', '.join(structures)}; "
        "or give the path of a .yaml file, a crystal file or a dataset"
    )
