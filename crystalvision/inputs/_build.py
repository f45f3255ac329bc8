"""Builds what prepares patterns, and checks that they can be prepared so."""

from collections.abc import Iterable, Sequence

from crystalvision.config import Part
from crystalvision.contracts import Axis, Input, check_dimensions, origin_of
from crystalvision.errors import InputError, PluginError
from crystalvision.inputs._preprocess import Preprocess
from crystalvision.plugins import Catalogue, unwrapped


def build_preprocess(
    parts: Iterable[Part], catalogue: Catalogue, axes: Sequence[Axis]
) -> Preprocess:
    """Make the steps that prepare patterns.

    Args:
        parts: Their names and options, in their order.
        catalogue: Where they are looked up.
        axes: Of the raw patterns.

    Raises:
        InputError: A step that does not exist, a wrong option, patterns that it cannot take, or one
            that follows a step which adds channels.
        PluginError: A step fails, or is not what the contract asks for.
    """
    grids = [tuple(axes)]
    steps: list[Input] = []
    for part in parts:
        who = f"input '{part.name}'"
        factory = catalogue.entry("input", part.name).load()
        check_dimensions(who, unwrapped(factory), grids[-1])  # before it looks at the axes
        step = catalogue.create("input", part.name, part.options, axes=grids[-1])
        if not isinstance(step, Input):
            raise PluginError(
                f"{who} is a {type(step).__name__}; expected a crystalvision.contracts.Input"
            )
        check_dimensions(who, step, grids[-1])
        given = step.axes(grids[-1])
        if not isinstance(given, list | tuple) or not all(isinstance(one, Axis) for one in given):
            raise PluginError(f"{who}: its axes() gave {given!r}; expected axes")
        if steps and steps[-1].channels(1) != 1:
            raise InputError(
                f"{who} comes after the {origin_of(steps[-1], 'input')}, which adds channels that "
                "are no counts; put that last"
            )
        steps.append(step)
        grids.append(tuple(given))
    return Preprocess(steps, grids)
