"""The option `--despite`: what may differ between a run and the patterns that it is to look at."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # numpy and zarr take time to import, and --help must not wait for them
    from crystalvision.datasets import Despite


class Difference(StrEnum):
    """A difference that a user knows of and wants."""

    AXES = "axes"
    ENERGY = "energy"


DespiteOption = Annotated[
    list[Difference] | None,
    typer.Option(
        "--despite",
        help="A difference from what the run was trained on that is known and wanted: energy, or "
        "axes to take pixels as they are stored. Repeatable.",
        show_default=False,
    ),
]


def differences(chosen: Sequence[Difference] | None) -> "tuple[Despite, ...]":
    """The differences that were named, as the core takes them."""
    return tuple("axes" if each is Difference.AXES else "energy" for each in chosen or ())
