"""The ideal twin of a sample: what its source would have made without the defects."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset, Merged, Provenance, Simulated
from crystalvision.errors import InputError
from crystalvision.explorer.workspace import Workspace
from crystalvision.sources import Source, SourceSpec


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """A sample without its defects.

    Attributes:
        image: On the axes of the samples, in any unit, (c, *grid); `None` where there is none.
        note: What to know of it.
    """

    image: np.ndarray[Any, Any] | None
    note: str


def twin_of(workspace: Workspace, dataset: Dataset, index: int) -> Twin:
    """The ideal twin of a sample, and whether its source still makes the sample itself.

    Args:
        workspace: Keeps sources.
        dataset: Of the sample.
        index: Which.

    Raises:
        InputError: The recipe is wrong by now, or a plugin of its is missing.
    """
    number = int(dataset.numbers([index])[0])
    made, place = _origin(dataset.header.provenance, number)
    if not isinstance(made, Simulated) or not made.source:
        return Twin(None, "no source can make it again, so it has no ideal twin here")
    source = _source(workspace, made)
    image = source.ideal(place)
    if image is None:
        return Twin(None, f"the source '{made.source}' knows no ideal twins")
    (again,) = source.samples([place])
    stored = dataset.images([index])[0]
    if np.array_equal(again.image, stored):
        return Twin(image, "made again by its source, bit for bit; the twin is without noise")
    share = float((again.image != stored).mean()) if again.image.shape == stored.shape else 1.0
    return Twin(
        image,
        f"its source makes another sample here: {share:.2%} of its points differ, so the twin may "
        "be of another one",
    )


def _source(workspace: Workspace, made: Simulated) -> Source:
    session = workspace.session
    if not session.catalogue.has("source", made.source):
        raise InputError(f"source '{made.source}' is not installed; its samples have no twins here")
    spec = SourceSpec(made.source, made.recipe, plugins=session.selection, threads=1)
    key = ("source", made.source, str(sorted(made.recipe.items())))
    return workspace.once(key, lambda: spec.open(session.catalogue))


def _origin(made: Provenance, number: int) -> tuple[Provenance, int]:
    """Where a sample was made, and its place there."""
    while isinstance(made, Merged):
        for part in made.parts:
            if number < part.samples:
                made = part.provenance
                break
            number -= part.samples
        else:
            return made, number
    return made, number
