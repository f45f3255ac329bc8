"""Where the samples of a dataset were first made: there, or in the datasets that it joins."""

from collections.abc import Mapping
from typing import Any

MERGE = "merge"
"""`kind` in the recipe of a merged dataset."""
IMPORT = "import"
"""`kind` in the recipe of a dataset of imported images."""
EXPORTED_FROM = "exported_from"
"""In such a recipe: identity and recipe of the dataset that the images were exported from."""

CONTENT = "content_sha256"
"""In such a recipe: what tells its images from others, whatever is said of them."""

Recipe = Mapping[str, Any]
_ALIKE_ANYWAY = ("name", "samples")


def origins(identity: str, recipe: Recipe) -> dict[str, Recipe]:
    """The recipe of each dataset in which samples were first made, by its identity.

    Args:
        identity: A dataset's identity.
        recipe: Its recipe.
    """
    if recipe.get("kind") == MERGE:
        found: dict[str, Recipe] = {}
        for source in recipe["sources"]:
            found |= origins(source["identity"], source["recipe"])
        return found
    exported = recipe.get(EXPORTED_FROM)
    before = origins(exported["identity"], exported["recipe"]) if exported else {}
    return {identity: recipe, **before}


def source_recipes(recipe: Recipe) -> list[Recipe]:
    """The recipes that a merged dataset's column `source` counts; of any other dataset, its own."""
    if recipe.get("kind") == MERGE:
        return [source["recipe"] for source in recipe["sources"]]
    return [recipe]


def same_specimens(one: Recipe, other: Recipe) -> bool:
    """Whether two simulations drew the same specimens: a sample's seed is (seed, index) alone."""
    drawn = drawn_from(one)
    return drawn is not None and drawn == drawn_from(other)


def drawn_from(recipe: Recipe) -> tuple[Any, ...] | None:
    """What the specimens of a simulation follow from beside their index; None for other data."""
    drawn = recipe.get("seed"), recipe.get("structure_sha256")
    return None if None in drawn else drawn


def same_samples(one: Recipe, other: Recipe) -> bool:
    """Whether two simulations are the same but for how many samples were made."""
    if one.get("seed") is None:
        return False
    first, second = (
        {key: value for key, value in recipe.items() if key not in _ALIKE_ANYWAY}
        for recipe in (one, other)
    )
    return first == second
