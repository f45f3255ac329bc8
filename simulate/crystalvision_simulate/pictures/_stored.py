"""What a figure shows of samples of a dataset: what is stored, beside what its recipe makes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crystalvision.config import validate
from crystalvision.contracts import Axis
from crystalvision.datasets import Dataset, DatasetHeader, Simulated, made_elsewhere
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import Source, SourceSpec
from crystalvision_simulate.pictures._view import View, make, pattern_view, view_of
from crystalvision_simulate.recipes import SOURCE, Recipe
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
    check_drawn(dataset.header.axes, str(dataset.path))
    images = dataset.images(indices)
    made = dataset.header.provenance
    try:
        if isinstance(made, Simulated) and made.source not in {"", SOURCE}:
            return _compared(dataset, made, indices, images, catalogue)
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


def _compared(
    dataset: Dataset,
    made: Simulated,
    indices: Sequence[int],
    images: Image,
    catalogue: Catalogue,
) -> list[View]:
    """Samples of another source as they are stored, and whether it makes the same here.

    Raises:
        InputError: It is not there, or does not know its recipe any more.
    """
    source = SourceSpec(made.source, made.recipe).open(catalogue)
    numbers = dataset.numbers(indices).tolist()
    return [
        replace(_as_stored(dataset, index, image), note=_comparison(dataset, image, sample.image))
        for index, image, sample in zip(indices, images, source.samples(numbers), strict=True)
    ]


def views_of_source(source: Source, indices: Sequence[int], name: str) -> list[View]:
    """Samples of any source, as it makes them.

    Args:
        source: The source.
        indices: Which samples.
        name: What to call it in an error.

    Raises:
        InputError: There is no such sample, or its patterns are neither curves nor along q_y, q_x.
    """
    header = source.header
    check_drawn(header.axes, name)
    views = []
    for index, sample in zip(indices, source.samples(indices), strict=True):
        seen = header.seen_mask() if sample.seen is None else sample.seen
        columns = {
            key: float(sample.columns[key])
            for key, column in header.columns.items()
            if not column.shape
        }
        views.append(_plain_view(header, index, _with_gaps(sample.image, seen), columns, "made"))
    return views


def check_drawn(axes: Sequence[Axis], name: str) -> None:
    """Check that patterns can be drawn: curves, or images across the beam.

    Raises:
        InputError: They cannot.
    """
    names = [axis.name for axis in axes]
    if len(names) != 1 and names != ["q_y", "q_x"]:
        raise InputError(
            f"{name}: patterns along {', '.join(names)} are not drawn here, only curves and those "
            "along q_y, q_x; the figure of `crystalvision dataset card` shows them"
        )


def _with_gaps(image: Image, seen: Image | None) -> Image:
    """A curve without what was not measured; images show what is stored there."""
    if seen is None or image.ndim != 2:
        return image
    return np.where(seen, image, np.nan)


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
    seen = dataset.seen([index])
    shown = _with_gaps(image, None if seen is None else seen[0])
    return _plain_view(header, index, shown, columns, "as stored")


def _plain_view(
    header: DatasetHeader, index: int, image: Image, columns: Mapping[str, float], how: str
) -> View:
    """A pattern with nothing but what is known of it."""
    known = [f"{name} {value:.4g}" for name, value in columns.items() if name != "label"]
    counted = header.dtype != "float32"
    pattern = pattern_view(
        f"{'counts' if len(header.axes) == 1 else 'detected'}, {how}" if counted else how,
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
