"""Parts of a recipe whose options may be distributions: one is made for each draw."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, Generic, TypeVar

from crystalvision.config import Part
from crystalvision.errors import InputError
from crystalvision_simulate.recipes import Quantity

Thing = TypeVar("Thing")

_KEPT = 64  # things made from equal numbers, not made again
_MOST_CORNERS = 512  # beyond it, ends are tried one option after the other


class DrawnPart(Generic[Thing]):
    """One part of a recipe, made anew for each draw of its numbers.

    Attributes:
        part: As the recipe gives it.
        quantities: The options that are distributions, by name.
        corners: Numbers at the ends of the distributions, by option.
        extremes: The part at the ends of its distributions, so that a value that it refuses is
            found before work starts; alone where it has none.
    """

    def __init__(
        self, part: Part, create: Callable[[Mapping[str, Any]], Thing], where: str
    ) -> None:
        """Make the part at every end of its distributions.

        Args:
            part: As the recipe gives it.
            create: Makes the part from its options.
            where: What to call it in an error, such as `renderer`.

        Raises:
            InputError: A distribution is none, or the part refuses an option, or what can be drawn
                for it.
        """
        self.part = part
        self.quantities = quantities_of(part.options, where)
        self._create = create
        self._made = lru_cache(maxsize=_KEPT)(self._make)
        self.corners = corners_of(self.quantities)
        self.extremes: list[Thing] = [self.of(numbers) for numbers in self.corners]

    @property
    def example(self) -> Thing:
        """The part at the first ends of its distributions."""
        return self.extremes[0]

    def of(self, numbers: Mapping[str, float]) -> Thing:
        """The part with these numbers for its distributions.

        Raises:
            InputError: It refuses them.
        """
        return self._made(tuple(numbers[name] for name in self.quantities))

    def _make(self, numbers: tuple[float, ...]) -> Thing:
        drawn = dict(zip(self.quantities, numbers, strict=True))
        return self._create({**self.part.options, **drawn})


def quantities_of(options: Mapping[str, Any], where: str) -> dict[str, Quantity]:
    """The options that are distributions, by name.

    Raises:
        InputError: One is written as a distribution, and is none.
    """
    return {
        name: Quantity.parse(value, f"{where}: {name}")
        for name, value in options.items()
        if Quantity.describes(value)
    }


def corners_of(quantities: Mapping[str, Quantity]) -> list[dict[str, float]]:
    """Numbers at the ends of distributions, all combinations of few, and one set between them.

    The last is refused by an option that takes whole numbers only.
    """
    ends = {name: tuple(dict.fromkeys(value.ends)) for name, value in quantities.items()}
    count = 1
    for values in ends.values():
        count *= len(values)
    if count <= _MOST_CORNERS:
        found = [dict(zip(ends, corner, strict=True)) for corner in product(*ends.values())]
    else:
        first = {name: values[0] for name, values in ends.items()}
        found = [first] + [
            {**first, name: value} for name, values in ends.items() for value in values[1:]
        ]
    inside = {name: value.inside for name, value in quantities.items()}
    return found if inside in found else [*found, inside]


def check_alike(kind: str, quantities: Mapping[str, Quantity], found: Sequence[object]) -> None:
    """Check that what a part decides for the whole dataset is the same for all that it can draw.

    Args:
        kind: Of the part, such as `instrument`.
        quantities: Its options that are distributions.
        found: What it decides, such as axes, at each end of its distributions.

    Raises:
        InputError: It is not.
    """
    if all(one == found[0] for one in found):
        return
    options = ", ".join(f"{kind}.{name}={value.root}" for name, value in quantities.items())
    raise InputError(
        f"{options} would give samples of one dataset different axes or types; give one number "
        "for what decides them, such as a number or a size of pixels"
    )
