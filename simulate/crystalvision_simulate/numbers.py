"""The numbers of a recipe that are drawn alike for every class, and where each comes from.

What a part declares in its `option_columns` is drawn one after the other, in that order, from one
stream. Every other distribution has a stream of its own, seeded by its path in the recipe: to turn
one on changes nothing of what is drawn for the rest.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from crystalvision.config import Config
from crystalvision.contracts import Measure
from crystalvision.errors import InputError
from crystalvision_simulate.parts import DrawnPart
from crystalvision_simulate.recipes import Quantity, Recipe, column_of_option

CONFIGURATIONS = Measure(
    "configurations", "1", "snapshots of the moving atoms that a pattern is averaged over"
)


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a recipe.

    Attributes:
        part: Where it stands: `specimen`, `beam`, `renderer`, `instrument`; empty for the recipe
            itself.
        option: Its key there.
        quantity: The number, or what it is drawn from.
        column: Its column in a dataset.
        in_turn: Whether it is drawn from the stream that all such numbers share.
    """

    part: str
    option: str
    quantity: Quantity
    column: Measure
    in_turn: bool

    @property
    def path(self) -> str:
        """Where it stands in the recipe, as for `--set`."""
        return f"{self.part}.{self.option}" if self.part else self.option


def numbers_of_recipe(recipe: Recipe) -> list[Number]:
    """The numbers that stand in the recipe itself, where they vary."""
    drawn = recipe.configurations
    if not isinstance(drawn, Quantity):
        return []
    return [Number("", CONFIGURATIONS.name, drawn, CONFIGURATIONS, in_turn=False)]


def numbers_of_settings(
    part: str, settings: Config, declared: Mapping[str, Measure]
) -> list[Number]:
    """The numbers of a group of settings: all that it declares, and others that vary."""
    values = {
        name: value
        for name in type(settings).model_fields
        if isinstance(value := getattr(settings, name), Quantity)
    }
    return _numbers(part, part, values, declared)


def numbers_of_part(kind: str, part: DrawnPart[Any]) -> list[Number]:
    """The numbers of a plugin's part: all that it declares, and others that vary."""
    declared: Mapping[str, Measure] = getattr(part.example, "option_columns", {})
    values = dict(part.quantities)
    for name in declared:
        fixed = getattr(part.example, name, part.part.options.get(name))
        if name not in values and isinstance(fixed, int | float):
            values[name] = Quantity(float(fixed))
    return _numbers(kind, part.part.name, values, declared)


def _numbers(
    kind: str, name: str, values: Mapping[str, Quantity], declared: Mapping[str, Measure]
) -> list[Number]:
    found = [
        Number(kind, option, values[option], column, in_turn=True)
        for option, column in declared.items()
        if option in values
    ]
    others = [
        Number(kind, option, value, column_of_option(name, option), in_turn=False)
        for option, value in values.items()
        if option not in declared and value.varies
    ]
    return found + others


def draw(
    numbers: Iterable[Number], rng: np.random.Generator, seeds: np.random.SeedSequence
) -> dict[str, float]:
    """A value for each number, by the name of its column.

    Args:
        numbers: The numbers.
        rng: The stream of those that are drawn in turn.
        seeds: What the streams of the others are derived from.
    """
    return {
        one.column.name: one.quantity.draw(rng if one.in_turn else stream_of(seeds, one.path))
        for one in numbers
    }


def draw_nearby(
    numbers: Iterable[Number], rng: np.random.Generator, *, parts: int, count: int
) -> list[dict[str, float]]:
    """Several draws of the numbers that resemble each other; each alone is drawn as ever.

    The range of each number is cut into equally probable parts, one of which is drawn. From this
    part come the values of all draws. Of a number that takes few values, a part holds one at least.

    Args:
        numbers: The numbers.
        rng: Draws them.
        parts: How many parts; with 1, the draws have nothing to do with each other.
        count: How many draws.
    """
    values = {
        one.column.name: one.quantity.quantiles(
            (rng.integers(parts) + rng.random(count)) / parts
        ).tolist()
        for one in numbers
    }
    return [{name: of[place] for name, of in values.items()} for place in range(count)]


def stream_of(seeds: np.random.SeedSequence, path: str) -> np.random.Generator:
    """The stream of one number, by its path in the recipe."""
    own = np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, _key_of(path)))
    return np.random.default_rng(own)


@lru_cache(maxsize=1024)
def _key_of(path: str) -> int:
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big")


def check_columns(measures: Iterable[Measure]) -> None:
    """Check that no two columns of a dataset have one name.

    Raises:
        InputError: Two have.
    """
    seen: set[str] = set()
    for one in measures:
        if one.name in seen:
            raise InputError(f"two parts of the recipe would both fill the column '{one.name}'")
        seen.add(one.name)
