"""What a figure shows of samples of a dataset: what is stored, beside what its recipe makes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crystalvision.config import validate
from crystalvision.datasets import Dataset, Simulated, made_elsewhere
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.pictures._view import View, make, pattern_view, view_of
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.simulator import Simulator

Image = np.ndarray[Any, Any]


def views_of_dataset(
    dataset: Dataset, indices: Sequence[int], catalogue: Catalogue, *, window_angstrom: float | None
) -> list[View]:
    """Samples of a dataset, made again from its recipe where that is possible.

    Args:
        dataset: The dataset, which need not be complete.
        indices: Which samples.
        catalogue: Where the parts of the recipe are looked up.
        window_angstrom: Diameter of the part of the crystal to show [Å].

    Raises:
        InputError: There is no such sample.
        StorageError: The data cannot be read.
    """
    axes = [axis.name for axis in dataset.header.axes]
    if axes != ["q_y", "q_x"]:
        raise InputError(
            f"{dataset.path}: patterns along {', '.join(axes)} are not drawn here, only those "
            "along q_y, q_x; the figure of `crystalvision dataset card` shows them"
        )
    images = dataset.images(indices)
    try:
        recipe = validate(Recipe, _recipe_of(dataset), f"the recipe of {dataset.path}")
        simulator = Simulator(recipe, catalogue)
        return [
            _made_again(dataset, simulator, index, image, window_angstrom)
            for index, image in zip(indices, images, strict=True)
        ]
    except CrystalVisionError as error:
        note = f"cannot be made again from its recipe: {error}"
    return [
        replace(_as_stored(dataset, index, image), note=note)
        for index, image in zip(indices, images, strict=True)
    ]


def _recipe_of(dataset: Dataset) -> dict[str, Any]:
    """The recipe of a dataset of this engine.

    Raises:
        InputError: Something else made it.
    """
    made = dataset.header.provenance
    if not isinstance(made, Simulated):
        raise InputError(f"{dataset.path} was {made.kind}, and has no recipe")
    return made.recipe


def _made_again(
    dataset: Dataset, simulator: Simulator, index: int, stored: Image, window: float | None
) -> View:
    """A stored image beside the crystal and the ideal pattern that its recipe gives."""
    made = make(simulator, index)
    view = view_of(simulator, made, window_angstrom=window, ideal_only=False)
    counts = made.recording.counts
    if counts.shape != stored.shape:
        raise InputError(f"an image has the shape {stored.shape}, the recipe makes {counts.shape}")
    *before, last = view.patterns
    header = dataset.header
    image = pattern_view("", stored, header.axes, last.unit).image
    shown = replace(last, image=image, title=f"{last.title}, as stored")
    note = _comparison(dataset, stored, counts)
    return replace(view, patterns=(*before, shown), note=note)


def _comparison(dataset: Dataset, stored: Image, made: Image) -> str:
    """Whether an image is the one that its recipe gives here."""
    if np.array_equal(stored, made):
        return "the stored image is what its recipe makes here, bit for bit"
    differ = float((stored != made).mean())
    elsewhere = made_elsewhere(dataset.header.generator)
    device = dataset.header.generator.get("device", "cpu")
    if device != "cpu":
        elsewhere["device"] = (device, "cpu")
    why = [f"{name} {there} there, {here} here" for name, (there, here) in elsewhere.items()]
    cause = ", ".join(why) or "with the same software, so the data or the code was changed"
    return (
        f"the stored image differs from what its recipe makes in {differ:.2%} of pixels ({cause})"
    )


def _as_stored(dataset: Dataset, index: int, image: Image) -> View:
    """A stored image with nothing but what the dataset says of it."""
    header = dataset.header
    columns = {
        name: float(dataset.column(name, [index])[0])
        for name, column in header.columns.items()
        if not column.shape
    }
    known = [f"{name} {value:.4g}" for name, value in columns.items() if name != "label"]
    counted = header.dtype != "float32"
    pattern = pattern_view(
        "detected, as stored" if counted else "as stored",
        image,
        header.axes,
        "counts" if counted else "fraction" if len(image) == 1 else "image",
    )
    name = header.class_names[int(columns["label"])] if header.class_names else "no class"
    which = int(columns.get("structure", 0))
    return View(
        f"{name}, sample {index}",
        ", ".join(known),
        None,
        (pattern,),
        index,
        columns=columns,
        structure=header.crystals[which] if which < len(header.crystals) else None,
    )
