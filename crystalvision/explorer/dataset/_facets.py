"""What samples are filtered by: every number that is known of them, as arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Int, Shaped

from crystalvision.datasets import SPLIT, SPLIT_NAMES, Dataset
from crystalvision.text import unit_text

_BINS = 30
_FACTOR = 100.0  # between the ends of what is shown by factors
_MOST_COMPONENTS = 16
_SPLIT_MEANING = "part of the dataset"

Wanted = frozenset[int] | tuple[float, float]
"""Places of classes, or the ends of a range."""


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """Something known of each sample.

    Attributes:
        name: Of the column.
        label: With its units.
        meaning: What it is, in a line.
        values: Whole numbers that count classes, or numbers, NaN where it is not known, (n,).
        classes: Names of the classes; empty for numbers.
        edges: Of the bins of a histogram, (bins + 1,); of classes, one bin each.
    """

    name: str
    label: str
    meaning: str
    values: Shaped[np.ndarray, "n"]
    classes: tuple[str, ...]
    edges: Shaped[np.ndarray, "_"]

    @classmethod
    def of(
        cls,
        name: str,
        values: Shaped[np.ndarray, "n"],
        *,
        units: str = "1",
        meaning: str = "",
        classes: tuple[str, ...] = (),
    ) -> "Facet":
        """A column, with the bins that suit it."""
        unit = unit_text(units)
        edges = np.arange(len(classes) + 1) - 0.5 if classes else _edges(values)
        words = name.replace("_", " ")
        return cls(name, f"{words} [{unit}]" if unit else words, meaning, values, classes, edges)

    @property
    def logarithmic(self) -> bool:
        """Whether its bins go by factors."""
        widths = np.diff(self.edges)
        return bool(len(widths) > 1 and widths[-1] > 1.5 * widths[0] > 0)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest number."""
        return float(self.edges[0]), float(self.edges[-1])

    def within(self, wanted: Wanted) -> Bool[np.ndarray, "n"]:
        """Which samples are wanted."""
        if isinstance(wanted, frozenset):
            return np.isin(self.values, list(wanted))
        low, high = wanted
        return np.asarray((self.values >= low) & (self.values <= high))

    def counts(self, chosen: Bool[np.ndarray, "n"]) -> Int[np.ndarray, "_"]:
        """How many of some samples are in each bin."""
        values = self.values[chosen]
        if self.classes:
            there = values[(values >= 0) & (values < len(self.classes))]
            return np.bincount(there.astype(np.int64), minlength=len(self.classes))
        return np.histogram(values[np.isfinite(values)], self.edges)[0]

    def text(self, index: int) -> str:
        """What a sample has, in words."""
        value = self.values[index]
        if self.classes:
            return self.classes[int(value)] if 0 <= value < len(self.classes) else "–"
        return "–" if np.isnan(value) else f"{value:.6g}"


def facets_of(dataset: Dataset) -> Iterator[Facet]:
    """What a dataset says of its samples: its columns, each part of a vector, and the split."""
    for name, column in dataset.header.columns.items():
        size = int(np.prod(column.shape))
        if len(column.shape) > 1 or size > _MOST_COMPONENTS:
            continue  # maps are seen, and not filtered by
        of = partial(Facet.of, units=column.units, meaning=column.description)
        values = np.asarray(dataset.column(name))
        if not column.shape:
            classes = column.classes or (("no", "yes") if column.dtype == "bool" else ())
            yield of(name, _plain(values, bool(classes)), classes=classes)
            continue
        for place in range(size):
            part = column.components[place] if column.components else str(place)
            yield of(f"{name} {part}", _plain(values[:, place], counted=False))
    if dataset.complete:
        part = np.asarray(dataset.split_columns()[SPLIT])[dataset.numbers(np.arange(len(dataset)))]
        yield Facet.of(SPLIT, part, meaning=_SPLIT_MEANING, classes=SPLIT_NAMES)


def selected(
    facets: Mapping[str, Facet], wanted: Mapping[str, Wanted], samples: int, but: str = ""
) -> Bool[np.ndarray, "n"]:
    """Samples that pass every filter.

    Args:
        facets: What they are filtered by, by name.
        wanted: The filters, by name.
        samples: How many samples there are.
        but: A filter to leave out: a histogram does not filter itself.
    """
    chosen = np.ones(samples, dtype=bool)
    for name, one in wanted.items():
        if name != but and name in facets:
            chosen &= facets[name].within(one)
    return chosen


def _plain(values: Shaped[np.ndarray, "n"], counted: bool) -> Shaped[np.ndarray, "n"]:
    if counted:
        return values.astype(np.int64) if values.dtype == bool else values
    return values.astype(np.float64)


def _edges(values: Shaped[np.ndarray, "n"]) -> Shaped[np.ndarray, "_"]:
    """Edges of bins, by factors where numbers reach over several powers of ten."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if low == high:
        half = abs(low) / 2 or 0.5
        return np.array([low - half, low + half])
    if low > 0 and high / low >= _FACTOR:
        edges = np.geomspace(low, high, _BINS + 1)
    else:
        edges = np.linspace(low, high, _BINS + 1)
    edges[[0, -1]] = low, high  # whatever was rounded: the ends are in
    return edges
