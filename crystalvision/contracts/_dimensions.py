"""For grids of how many dimensions a plugin's thing is made."""

from collections.abc import Sequence

from crystalvision.contracts._axes import Axis
from crystalvision.errors import InputError, PluginError


def check_dimensions(who: str, thing: object, axes: Sequence[Axis]) -> None:
    """Check that a thing, or the class that is to make it, is for grids such as these.

    Args:
        who: What to call it, such as "input 'polar'".
        thing: What says its `dimensions`; what says none is not checked.
        axes: Of the grid.

    Raises:
        InputError: It is for others.
        PluginError: Its `dimensions` are no set of whole numbers.
    """
    dimensions = getattr(thing, "dimensions", None)
    if dimensions is None:
        return
    if not isinstance(dimensions, frozenset | set) or not all(
        isinstance(one, int) for one in dimensions
    ):
        raise PluginError(
            f"{who} has dimensions={dimensions!r}; expected a set of whole numbers, such as "
            "frozenset({2})"
        )
    if len(axes) not in dimensions:
        wanted = " or ".join(map(str, sorted(dimensions)))
        names = ", ".join(axis.name for axis in axes)
        raise InputError(
            f"{who} is for patterns of {wanted} dimensions, but what it would get has {len(axes)} "
            f"({names}): leave it out, or choose another"
        )
