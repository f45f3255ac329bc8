"""What a report says of a dataset that runs were trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset
from crystalvision.errors import CrystalVisionError
from crystalvision.report._gallery import Gallery, make_gallery
from crystalvision.report._results import Result
from crystalvision.runs import RunRecord

SPLITS = ("train", "validation", "test")
"""What made the data of runs that do not say."""


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class of a dataset.

    Attributes:
        name: Its name.
        severity: Severity that stands for it; `None` where classes have none.
        patterns: Its patterns in all, and in each split; `None` where the dataset is not there.
    """

    name: str
    severity: float | None
    patterns: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset as the page tells it.

    Attributes:
        identity: Its identity.
        path: Where it was.
        recipe: What it was made by.
        samples: Number of patterns.
        image_shape: Shape (c, *grid) of a pattern.
        axes: What its channels and the dimensions of its grid are called.
        splits: Patterns of each split.
        classes: Its classes.
        seed: Its seed, or `None` where it is not known.
        dose: Electrons a pattern, in words, or "" where there is no dose.
        generator: Software that made it, name → version.
        command: What makes it from the recipe, saved as `recipe.yaml`; "" where nothing does.
        gallery: Patterns of each class, or `None` where the dataset is not there.
        trouble: Why it is not there, or "".
    """

    identity: str
    path: str
    recipe: dict[str, Any]
    samples: int
    image_shape: tuple[int, ...]
    axes: tuple[str, ...]
    splits: dict[str, int]
    classes: tuple[ClassLine, ...]
    seed: int | None
    dose: str
    generator: dict[str, str]
    command: str
    gallery: Gallery | None
    trouble: str

    @property
    def name(self) -> str:
        """Name of the recipe, or else of the dataset."""
        return str(self.recipe.get("name") or Path(self.path).name)

    @property
    def severities(self) -> bool:
        """Whether its classes have severities."""
        return any(line.severity is not None for line in self.classes)

    @property
    def description(self) -> str:
        """What the recipe says of itself, as a sentence, or ""."""
        text = str(self.recipe.get("description") or "").strip()
        return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def distinct_datasets(results: Sequence[Result]) -> list[Result]:
    """The first run of each dataset that runs were trained on."""
    first: dict[str, Result] = {}
    for result in results:
        first.setdefault(result.record.dataset.identity, result)
    return list(first.values())


def remade_by(record: RunRecord) -> str:
    """What makes the dataset of a run from the recipe, saved as `recipe.yaml`, or ""."""
    return record.dataset.provenance.command


def describe_data(result: Result) -> Data:
    """The dataset that a run was trained on, with a gallery if it is still there."""
    record = result.record
    dataset, gallery, trouble = None, None, ""
    try:
        dataset = open_dataset(record.dataset.path, record.dataset.identity)
        classes = _classes(dataset)
        dose = _dose(dataset)
        gallery = make_gallery(dataset)
    except (
        CrystalVisionError
    ) as error:  # gone, replaced or damaged: the runs can be told all the same
        trouble = str(error)
        severities = record.class_severities or (None,) * len(record.class_names)
        classes = tuple(
            ClassLine(name, severity, None)
            for name, severity in zip(record.class_names, severities, strict=True)
        )
        dose = ""
    recipe = record.dataset.recipe
    seed = getattr(record.dataset.provenance, "seed", None)
    return Data(
        identity=record.dataset.identity,
        path=record.dataset.path,
        recipe=recipe,
        samples=record.dataset.samples,
        image_shape=record.image_shape,
        axes=(
            "channels",
            *(
                ("height", "width")
                if len(record.calibration) == 2
                else (str(axis["name"]) for axis in record.calibration)
            ),
        ),
        splits={name: result.splits.get(name, 0) for name in SPLITS},
        classes=classes,
        seed=seed,
        dose=dose or _dose_of_recipe(recipe),
        generator=dict(dataset.header.generator) if dataset else {},
        command=remade_by(record),
        gallery=gallery,
        trouble=trouble,
    )


def open_dataset(path: str, identity: str) -> Dataset:
    """The dataset at a path, if it is the one that is meant.

    Raises:
        CrystalVisionError: It is not there, damaged, or another.
    """
    dataset = Dataset.open(path)
    if dataset.identity != identity:
        raise CrystalVisionError(f"{path}: another dataset is there now")
    return dataset


def _classes(dataset: Dataset) -> tuple[ClassLine, ...]:
    header = dataset.header
    count = len(header.class_names)
    if not count:
        return ()
    labels = dataset.column("label")
    severities = header.class_severities or (None,) * count
    parts = {"all": np.bincount(labels, minlength=count)} | {
        name: np.bincount(labels[dataset.split(name)], minlength=count) for name in SPLITS
    }
    return tuple(
        ClassLine(
            name,
            severities[index],
            {part: int(counts[index]) for part, counts in parts.items()},
        )
        for index, name in enumerate(header.class_names)
    )


def _dose(dataset: Dataset) -> str:
    if "dose_electrons" not in dataset.header.columns:
        return ""
    doses = dataset.column("dose_electrons")
    low, high = float(doses.min()), float(doses.max())
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def _dose_of_recipe(recipe: dict[str, Any]) -> str:
    parts = [part for part in recipe.values() if isinstance(part, dict)]
    dose = next((part["dose_electrons"] for part in parts if "dose_electrons" in part), None)
    return f"{dose:,.0f}" if isinstance(dose, int | float) else ""
