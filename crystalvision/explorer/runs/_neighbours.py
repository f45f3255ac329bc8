"""The training patterns of a run by their features: the nearest ones, and a map."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from crystalvision.datasets import LABEL, Dataset
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.explorer.patterns import hidden
from crystalvision.prediction import Predictor
from crystalvision.report import FeatureMap

_CHUNK = 64
_MOST = 100_000
_LEARNT_FROM = 400  # the analysis takes their square
_SHOWN = 400


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """A training pattern near to another.

    Attributes:
        index: Its place in the dataset.
        distance: Of their standardised features.
        label: Name of its class, or "".
        image: The pattern, (c, *grid).
    """

    index: int
    distance: float
    label: str
    image: Float[np.ndarray, "c *grid"]


class TrainingPatterns:
    """Features of what a run was trained on, computed once.

    Attributes:
        dataset: What it was trained on.
        classes: Names of the classes; empty where there are none.
        places: Where patterns of the test split lie on the map, (n, 2); none without classes.
        shown: Which these are, (n,).
        labels: Their classes, (n,).
    """

    def __init__(
        self, predictor: Predictor, dataset: Dataset, advance: Callable[[int, int], None]
    ) -> None:
        """Describe all training patterns.

        Args:
            predictor: Of the run.
            dataset: What it was trained on.
            advance: Told how many patterns of how many are done.

        Raises:
            InputError: The run makes no features.
        """
        self.dataset, self._predictor = dataset, predictor
        self.classes = dataset.header.class_names
        self._training = np.asarray(dataset.split("train"))[:_MOST]
        self.shown = np.asarray(dataset.split("test"))
        if len(self.shown) > _SHOWN:
            rng = np.random.default_rng(0)
            self.shown = np.sort(rng.choice(self.shown, size=_SHOWN, replace=False))
        total, done = len(self._training) + len(self.shown), 0

        def described(indices: Int[np.ndarray, "n"]) -> Float[np.ndarray, "n f"]:
            nonlocal done
            found = []
            for start in range(0, len(indices), _CHUNK):
                some = indices[start : start + _CHUNK]
                images = hidden(dataset.images(some), dataset.seen(some))
                found.append(predictor.described(images)[0])
                done += len(some)
                advance(done, total)
            return np.concatenate(found).astype(np.float32)

        known = described(self._training)
        self._shift, self._scale = known.mean(axis=0), known.std(axis=0)
        self._scale[self._scale == 0] = 1.0
        self._known = (known - self._shift) / self._scale
        self._map: FeatureMap | None = None
        self.places = np.zeros((0, 2))
        self.labels = np.zeros(0, dtype=np.int64)
        if len(self.classes) > 1 and len(self.shown):
            self._learn_map(known, described(self.shown))

    def _learn_map(self, known: np.ndarray[Any, Any], shown: np.ndarray[Any, Any]) -> None:
        labels = np.asarray(self.dataset.column(LABEL))
        rng = np.random.default_rng(0)
        some = rng.choice(len(known), size=min(_LEARNT_FROM, len(known)), replace=False)
        self._map = FeatureMap(known[some], labels[self._training[some]])
        self.places, self.labels = self._map.place(shown), labels[self.shown]

    def place(self, image: Float[np.ndarray, "c *grid"]) -> tuple[float, float] | None:
        """Where a pattern lies on the map; `None` without one."""
        if self._map is None:
            return None
        x, y = self._map.place(self._predictor.described(image[None])[0])[0].tolist()
        return x, y

    def nearest(self, image: Float[np.ndarray, "c *grid"], count: int) -> list[Nearest]:
        """The training patterns whose features are nearest to those of a pattern."""
        (features,) = self._predictor.described(image[None])[0]
        gaps = np.linalg.norm(self._known - (features - self._shift) / self._scale, axis=1)
        first = np.argpartition(gaps, min(count, len(gaps)) - 1)[:count]
        first = first[np.argsort(gaps[first], kind="stable")]
        indices = self._training[first]
        images, seen = self.dataset.images(indices), self.dataset.seen(indices)
        labels = self.dataset.column(LABEL, indices) if self.classes else None
        return [
            Nearest(
                index,
                float(gaps[first[place]]),
                "" if labels is None else self.classes[int(labels[place])],
                hidden(images[place], None if seen is None else seen[place]),
            )
            for place, index in enumerate(indices.tolist())
        ]


def training_data(predictor: Predictor, opened: tuple[Path, ...]) -> Dataset:
    """The dataset that a run was trained on: where it was then, or among those that were opened.

    Raises:
        InputError: It is not there.
    """
    record = predictor.record.dataset
    for path in (Path(record.path), *opened):
        try:
            dataset = Dataset.open(path)
        except CrystalVisionError:  # gone, or damaged: another copy may be there
            continue
        if dataset.identity == record.identity:
            return dataset
    raise InputError(
        f"{predictor.path}: the dataset that it was trained on is not at {record.path} any more; "
        "open it, too, for its nearest training patterns"
    )
