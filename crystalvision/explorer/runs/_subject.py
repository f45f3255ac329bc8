"""The pattern that runs are asked about, wherever it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Conditions, Dataset
from crystalvision.errors import InputError
from crystalvision.explorer.workspace import HeldPattern
from crystalvision.measured_files import Readers
from crystalvision.prediction import PatternSource, open_sources


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A pattern to ask about.

    Attributes:
        name: What it is called.
        open: Opens it for a run whose patterns have a shape (c, *grid); its first pattern counts.
        recipe: What it is made from, if it was simulated and that is known.
        known: What is known of it.
    """

    name: str
    open: Callable[[tuple[int, ...]], PatternSource]
    recipe: Mapping[str, Any] | None = None
    known: Mapping[str, Any] = field(default_factory=dict)


def of_held(held: HeldPattern) -> Subject:
    """A pattern that another page handed on."""
    image = np.asarray(held.image)
    known = np.nan_to_num(image, nan=0.0) if image.dtype.kind == "f" else image
    seen = None if image.dtype.kind != "f" else ~np.isnan(image)
    source = PatternSource(
        (held.name,),
        lambda _places: known[None],
        Path(held.name),
        Conditions(axes=held.axes),
        seen=lambda _places: None if seen is None else seen[None],
    )
    return Subject(held.name, lambda _shape: source, held.recipe, held.known)


def of_dataset(dataset: Dataset, index: int) -> Subject:
    """A sample of a dataset.

    Raises:
        InputError: There is none.
    """
    dataset.check_indices([index])
    name = f"{dataset.path.name}[{index}]"
    source = PatternSource(
        (name,),
        lambda _places: dataset.images([index]),
        dataset.path,
        Conditions.of_dataset(dataset),
        seen=lambda _places: dataset.seen([index]),
    )
    names = dataset.header.class_names
    known = {"class": names[int(dataset.column("label", [index])[0])]} if names else {}
    return Subject(name, lambda _shape: source, known=known)


def of_file(path: Path, number: int, readers: Readers) -> Subject:
    """A pattern of a dropped file, which readers know.

    Args:
        path: The copy of it.
        number: Which of its patterns.
        readers: What reads files.
    """

    def opened(shape: tuple[int, ...]) -> PatternSource:
        sources = open_sources(str(path), shape, readers)
        count = sum(map(len, sources))
        if not 0 <= number < count:
            raise InputError(f"{path.name} has no pattern {number}; expected 0 to {count - 1}")
        place = number
        for source in sources:
            if place < len(source):
                return _one_of(source, place)
            place -= len(source)
        raise AssertionError  # one of them has it

    return Subject(f"{path.name}[{number}]" if number else path.name, opened)


def _one_of(source: PatternSource, place: int) -> PatternSource:
    return PatternSource(
        (source.names[place],),
        lambda _places: source.read([place]),
        source.path,
        source.conditions,
        source.notes,
        lambda _places: source.seen([place]),
    )
