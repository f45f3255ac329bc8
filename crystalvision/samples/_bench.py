"""The contract of a bench: what a source lets one change of a single sample, and see of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Axis
from crystalvision.samples._contract import Sample

Factory = TypeVar("Factory", bound=Callable[..., Any])
Settings = Mapping[str, Any]
"""What each control of a bench stands at, by its name, in JSON types."""


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that can be changed.

    Attributes:
        name: Its key in the settings.
        label: What it is called.
        kind: A `number`; one of several (`choice`); on or off (`switch`); `text`; or a `file`,
            whose setting is the path of a copy of what was dropped.
        units: Such as `Å`; empty for none.
        low: The least that a slider offers; others can be typed.
        high: The greatest.
        logarithmic: Whether a slider goes by factors.
        whole: Whether it is a whole number.
        choices: What a choice is among.
        help: What it is, in a line.
    """

    name: str
    label: str
    kind: Literal["number", "choice", "switch", "text", "file"]
    units: str = ""
    low: float = 0.0
    high: float = 1.0
    logarithmic: bool = False
    whole: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """Controls that belong together.

    Attributes:
        title: What they are about.
        controls: The controls.
        switch: Name of the one that switches the others on, if there is one.
        under: What it is shown under, together with others; by default its own title.
        open: Whether they are shown at first.
    """

    title: str
    controls: tuple[Control, ...]
    switch: str = ""
    under: str = ""
    open: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A word at a place of a picture or a curve.

    Attributes:
        text: The word.
        x: Where, along the last axis [its units].
        y: Where, along the axis before it [its units]; not used of curves.
    """

    text: str
    x: float
    y: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A pattern of rows and columns.

    Attributes:
        title: What it is.
        image: The values, (h, w).
        axes: Of rows and of columns.
        quantity: What the values are, such as `counts in a pixel`.
        low: What the darkest colour means.
        high: What the brightest colour means; `logarithmic` between them.
        logarithmic: Whether colours go by factors.
        marks: Words beside places.
    """

    title: str
    image: Float[np.ndarray, "h w"]
    axes: tuple[Axis, Axis]
    quantity: str
    low: float
    high: float
    logarithmic: bool = True
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve of several.

    Attributes:
        name: What it is of.
        x: Places, (n,).
        y: Values, (n,).
    """

    name: str
    x: Float[np.ndarray, "n"]
    y: Float[np.ndarray, "n"]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Curves over one axis.

    Attributes:
        title: What they are.
        x_label: The axis, with its units.
        y_label: What the values are, with their units.
        curves: The curves.
        logarithmic: Whether values are shown by factors.
        marks: Words above places.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    logarithmic: bool = False
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """Things of one kind at places of a map, such as atoms.

    Attributes:
        name: What they are.
        x: Places, (n,).
        y: Places, (n,), downwards.
        radius: Their size [units of the axes], (n,).
        colour: Of their faces, `#rrggbb`; empty for rings without a face.
        marked: Whether they stand out: what is not as it should be.
    """

    name: str
    x: Float[np.ndarray, "n"]
    y: Float[np.ndarray, "n"]
    radius: Float[np.ndarray, "n"]
    colour: str
    marked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class DotMap:
    """Things at places, such as the atoms of a crystal.

    Attributes:
        title: What it is.
        units: Of both axes.
        half_width: How far it reaches from the middle, which is zero [units].
        dots: What is there.
        arrows: Where things moved from and to, (n, 4): x, y, x, y.
        arrow_name: What an arrow means.
    """

    title: str
    units: str
    half_width: float
    dots: tuple[Dots, ...]
    arrows: Float[np.ndarray, "n 4"] = field(default_factory=lambda: np.zeros((0, 4)))
    arrow_name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BenchView:
    """What is seen of one sample.

    Attributes:
        figures: What is drawn.
        numbers: What was measured on it, in words with units, by name.
        notes: What else to know, a sentence each.
        sample: The sample itself, as a dataset of the recipe holds it.
        axes: Its axes.
    """

    figures: tuple[Picture | Curves | DotMap, ...]
    numbers: Mapping[str, str]
    notes: tuple[str, ...]
    sample: Sample
    axes: tuple[Axis, ...]


class Bench(ABC):
    """Lets one change what a source makes, and shows one sample of it."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What all controls stand at first."""

    @abstractmethod
    def settle(self, settings: Settings) -> tuple[dict[str, Any], Sequence[ControlGroup]]:
        """What controls there are, as things stand, and what each of them stands at.

        What was changed may bring further controls, such as the options of a defect.

        Raises:
            InputError: A setting is wrong.
        """

    @abstractmethod
    def recipe(self, settings: Settings) -> dict[str, Any]:
        """The recipe of which sample 0 is what is shown, in JSON types.

        Raises:
            InputError: A setting is wrong.
        """

    @abstractmethod
    def view(self, settings: Settings) -> BenchView:
        """What is seen of sample 0 of the recipe.

        Raises:
            InputError: The recipe cannot be made.
        """

    def preview(self, settings: Settings) -> BenchView | None:
        """About the same, within a blink; `None`, the default, where the view itself is quick.

        Raises:
            InputError: The recipe cannot be made.
        """
        del settings
        return None


def with_bench(open_bench: Callable[..., Bench]) -> Callable[[Factory], Factory]:
    """Mark a function that makes a source: single samples of it can be looked at on a bench.

    A class says the same by a static method `open_bench`.

    Args:
        open_bench: Called as `open_bench(recipe, catalogue)`, where `recipe` is what to begin with,
            or `None` for what suits the source. Raises `InputError` for a recipe that is wrong.
    """

    def marked(factory: Factory) -> Factory:
        factory.open_bench = open_bench  # type: ignore[attr-defined] # of our own, on their function
        return factory

    return marked
