"""From what the user asked for to what a figure shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crystalvision.config import apply_overrides
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec, find_recipe, read_recipe, source_of
from crystalvision_simulate.pictures._stored import views_of_dataset, views_of_source
from crystalvision_simulate.pictures._subject import Query, recipe_of_structure
from crystalvision_simulate.pictures._view import View, make, view_of
from crystalvision_simulate.pipeline import one_torch_thread
from crystalvision_simulate.recipes import SOURCE, load_recipe
from crystalvision_simulate.simulator import Simulator

_LOOKED_AT, _MOST_CLASSES = 256, 6  # samples of another source, to find its classes


@dataclass(frozen=True, slots=True)
class Choice:
    """Which samples to show, and how much of each.

    Attributes:
        classes: Names of classes, of each of which the first sample is shown.
        samples: Indices of samples instead. With neither, the first sample of every class.
        window_angstrom: Diameter of the part of the crystal that is shown [Å]; by default that of
            the aperture, or 40 Å, or a few unit cells of an ideal crystal.
    """

    classes: Sequence[str] = ()
    samples: Sequence[int] = ()
    window_angstrom: float | None = None

    def __post_init__(self) -> None:
        window = self.window_angstrom
        if window is not None and not (np.isfinite(window) and window > 0):
            raise InputError(f"window_angstrom is {window}; expected a positive number of Å")
        if self.classes and self.samples:
            raise InputError(
                "classes and samples exclude each other: choose samples by one of them"
            )

    def indices(self, names: Sequence[str], labels: npt.ArrayLike) -> list[int]:
        """The samples that are meant.

        Args:
            names: Names of the classes.
            labels: Class of every sample, -1 for one that is not there.

        Raises:
            InputError: There is no such class, or it has no sample.
        """
        if self.samples:
            return list(self.samples)
        found = zip(*np.unique(labels, return_index=True), strict=True)
        first = {int(label): int(index) for label, index in found if label >= 0}
        if not self.classes:
            return list(first.values())
        for name in self.classes:
            if name not in names:
                raise InputError(f"no class is called '{name}'; classes: {', '.join(names)}")
            if names.index(name) not in first:
                raise InputError(f"class '{name}' has no sample here")
        return [first[names.index(name)] for name in self.classes]


def views_of(
    subject: Query, catalogue: Catalogue, overrides: Sequence[str], choice: Choice
) -> list[View]:
    """Everything that a figure of a subject shows.

    Args:
        subject: What to show.
        catalogue: Where names are looked up.
        overrides: Values of the recipe to set, as with `--set`; a dataset has them fixed.
        choice: Which samples.

    Raises:
        InputError: Something in the recipe, or the choice, is wrong.
        StorageError: The dataset cannot be read.
    """
    with one_torch_thread():  # then a sample is that of the dataset, bit for bit
        if subject.kind == "dataset":
            if overrides:
                raise InputError(
                    f"{subject.name} is a dataset, whose recipe is fixed: {overrides[0]} cannot be "
                    "set; show the recipe instead"
                )
            return _of_dataset(subject, catalogue, choice)
        return _of_recipe(subject, catalogue, overrides, choice)


def _of_recipe(
    subject: Query, catalogue: Catalogue, overrides: Sequence[str], choice: Choice
) -> list[View]:
    ideal_only = subject.kind == "structure"
    if ideal_only:
        recipe = recipe_of_structure(subject.name, catalogue, overrides)
    else:
        data = apply_overrides(
            read_recipe(find_recipe(subject.name, catalogue), catalogue), overrides
        )
        name = source_of(data, subject.name, catalogue)
        if catalogue.entry("source", name).name != SOURCE:
            spec = SourceSpec(name, data, described_in=subject.name)
            return _of_source(spec, catalogue, choice)
        recipe = load_recipe(subject.name, catalogue, overrides)
    simulator = Simulator(recipe, catalogue)
    labels = [simulator.label(index) for index in range(recipe.samples)]
    indices = choice.indices([settings.name for settings in recipe.classes], labels)
    return [
        view_of(
            simulator,
            make(simulator, index),
            window_angstrom=choice.window_angstrom,
            ideal_only=ideal_only,
        )
        for index in indices
    ]


def _of_source(spec: SourceSpec, catalogue: Catalogue, choice: Choice) -> list[View]:
    """Samples of a recipe of another source: the first of every class that it says it has."""
    source = spec.open(catalogue)
    header, labels = source.header, []
    names = header.class_names or ("all samples",)
    if not choice.samples:
        for sample in source.samples(range(min(header.samples, _LOOKED_AT))):
            labels.append(int(sample.columns["label"]) if header.class_names else 0)
            if len(set(labels)) == min(len(names), _MOST_CLASSES):
                break
    return views_of_source(source, choice.indices(names, labels), spec.described_in)


def _of_dataset(subject: Query, catalogue: Catalogue, choice: Choice) -> list[View]:
    from crystalvision.datasets import Dataset

    dataset = Dataset.open(subject.name, allow_incomplete=True)
    names = dataset.header.class_names
    labels = dataset.column("label") if names else np.zeros(len(dataset), dtype=np.int64)
    indices = choice.indices(names or ("all samples",), labels)
    if subject.index is not None:
        if choice.classes or any(index != subject.index for index in choice.samples):
            raise InputError(
                f"{subject.name}[{subject.index}] says which sample; leave out the other choice"
            )
        indices = [subject.index]
    return views_of_dataset(dataset, indices, catalogue, window_angstrom=choice.window_angstrom)
