"""How the answer of a run changes with the degree of a defect, or any number of a recipe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crystalvision.errors import InputError
from crystalvision.explorer.runs._subject import Subject, of_held
from crystalvision.explorer.workspace import HeldPattern
from crystalvision.plugins import Catalogue
from crystalvision.samples import Bench, Control
from crystalvision.sources import source_of


@dataclass(frozen=True, slots=True)
class Degree:
    """A number that can be changed.

    Attributes:
        title: What it is called.
        control: The control of the bench that stands for it.
        settings: What else must be set for it to count, by name: the switch of a defect.
    """

    title: str
    control: Control
    settings: Mapping[str, Any]


def bench_of(recipe: Mapping[str, Any], name: str, catalogue: Catalogue) -> Bench:
    """A bench that begins with a recipe.

    Args:
        recipe: The recipe.
        name: What to call it in an error.
        catalogue: Where its source is looked up.

    Raises:
        InputError: Its source has no bench, on which single samples can be changed.
    """
    source = source_of(dict(recipe), name, catalogue)
    factory = catalogue.entry("source", source).load()
    if not hasattr(factory, "open_bench"):
        raise InputError(f"{name}: its source '{source}' has no bench to change a sample on")
    data = {key: value for key, value in recipe.items() if key != "source"}
    bench: Bench = factory.open_bench(data, catalogue)
    return bench


def degrees_of(bench: Bench) -> list[Degree]:
    """Every number that can be changed: those of defects first, each as if it were there."""
    settings = bench.settings()
    settled, groups = bench.settle(settings)
    defects: list[Degree] = []
    others: list[Degree] = []
    for group in groups:
        on = {group.switch: True} if group.switch else {}
        controls: Sequence[Control] = group.controls
        if on:
            _, again = bench.settle({**settled, **on})
            controls = next(one.controls for one in again if one.title == group.title)
        for control in controls:
            if control.kind == "number" and control.high > control.low:
                units = f" [{control.units}]" if control.units else ""
                one = Degree(f"{group.title}: {control.label}{units}", control, on)
                (defects if on else others).append(one)
    return [*defects, *others]


def values_of(control: Control, low: float, high: float, count: int) -> list[float]:
    """Degrees from one end to the other, by factors where a slider goes so.

    Raises:
        InputError: The ends are none.
    """
    if not low < high or (control.logarithmic and low <= 0):
        raise InputError(
            f"from {low:g} to {high:g}: expected two numbers, the lower one first"
            f"{', both positive' if control.logarithmic else ''}"
        )
    spaced = np.geomspace if control.logarithmic else np.linspace
    found = [float(f"{value:.6g}") for value in spaced(low, high, count)]
    if control.whole:
        found = [float(value) for value in dict.fromkeys(map(round, found))]
    return found


def rendered(
    bench: Bench, degree: Degree, values: Sequence[float], settings: Mapping[str, Any]
) -> Iterator[tuple[float, Subject]]:
    """Patterns of one recipe that differ in a number, as they are made.

    Args:
        bench: Makes them.
        degree: The number.
        values: Its values.
        settings: What else differs from what the bench begins with.

    Raises:
        InputError: One cannot be made.
    """
    base, _ = bench.settle({**bench.settings(), **settings})
    base, _ = bench.settle({**base, **degree.settings})
    for value in values:
        number: float | int = round(value) if degree.control.whole else value
        settled, _ = bench.settle({**base, degree.control.name: number})
        seen = bench.view(settled)
        held = HeldPattern(f"{degree.title} {value:g}", seen.sample.image, seen.axes)
        yield value, replace(of_held(held), recipe=bench.recipe(settled))
