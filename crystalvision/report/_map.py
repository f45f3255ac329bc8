"""Maps of patterns: what a system makes of them, and the patterns themselves, in two dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.figures import drawing, look, wrapped
from crystalvision.prediction import Predictor
from crystalvision.report._feature_map import FeatureMap, MapMethod
from crystalvision.runs import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS: dict[str, str] = {
    "nca": "neighbourhood components analysis",
    "tsne": "t-SNE",
    "umap": "UMAP",
}
_CLASSES = 10  # more cannot be told apart by eye
_LEARNT_FROM = 400  # patterns; the analysis takes their square
_SHOWN = 400
_BATCH = 64
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class PatternMap:
    """Patterns of a few classes in two dimensions.

    Attributes:
        classes: Names of the classes.
        label: Place of the class of each pattern among them, (n,).
        features: Where its features lie, (n, 2).
        patterns: Where it lies itself, as the system gets it, (n, 2).
        method: What put them there.
        judged: Share of patterns whose nearest neighbour in each map, another pattern, is of their
            class: of the features, and of the patterns.
    """

    classes: tuple[str, ...]
    label: Int[np.ndarray, "n"]
    features: Float[np.ndarray, "n 2"]
    patterns: Float[np.ndarray, "n 2"]
    method: MapMethod
    judged: tuple[float, float]


def map_patterns(
    run: Run,
    dataset: Dataset,
    method: MapMethod = "nca",
    *,
    classes: Sequence[str] = (),
    seed: int = 0,
) -> PatternMap:
    """Map patterns that a run was not trained on, by their features and as they are.

    Neighbourhood components analysis (Goldberger et al. 2004) looks for the two linear combinations
    in which a pattern's neighbours are of its class. It learns from training patterns alone: so
    what it shows of the others is no artefact of it. t-SNE and UMAP know no classes, and put the
    others beside each other as they are.

    Args:
        run: The run.
        dataset: Patterns of its axes and classes.
        method: `nca`, `tsne`, or `umap`, which needs the package umap-learn.
        classes: Those to show; by default those of most patterns, ten at most.
        seed: Draws patterns, and what else is random.

    Raises:
        InputError: Data without classes, a class that is none, too few patterns, or a package that
            is not there.
    """
    shown, names = _chosen(dataset, "test", classes, seed, _SHOWN)
    learnt_from, _ = _chosen(dataset, "train", names, seed, _LEARNT_FROM)
    if min(len(shown), len(learnt_from)) < 2 * len(names) or len(names) < 2:
        raise InputError(
            f"{dataset.path}: {len(shown)} test and {len(learnt_from)} training patterns of "
            f"{len(names)} classes are too few for a map"
        )
    known = {name: place for place, name in enumerate(names)}
    places = np.array([known.get(name, -1) for name in dataset.header.class_names])
    labels = np.asarray(dataset.column("label"))
    predictor = Predictor(run)
    mapped = []
    new, old = _described(predictor, dataset, shown), _described(predictor, dataset, learnt_from)
    for one, other in zip(new, old, strict=True):
        learnt = FeatureMap(other, places[labels[learnt_from]], method, most=len(one), seed=seed)
        mapped.append(learnt.place(one))
    label = places[labels[shown]]
    features, patterns = mapped
    judged = (_neighbours(features, label), _neighbours(patterns, label))
    return PatternMap(names, label, features, patterns, method, judged)


def _chosen(
    dataset: Dataset, split: str, classes: Sequence[str], seed: int, most: int
) -> tuple[Array, tuple[str, ...]]:
    """Patterns of some classes, and those."""
    header = dataset.header
    if not header.class_names:
        raise InputError(f"{dataset.path}: its patterns have no classes to be mapped by")
    for name in classes:
        if name not in header.class_names:
            raise InputError(f"{dataset.path}: none of its classes is '{name}'")
    indices = np.asarray(dataset.split(split))
    labels = np.asarray(dataset.column("label"))[indices]
    counts = np.bincount(labels, minlength=len(header.class_names))
    order = np.argsort(-counts, kind="stable")[:_CLASSES]
    wanted = classes or [header.class_names[place] for place in sorted(order) if counts[place]]
    numbers = [header.class_names.index(name) for name in wanted]
    there = indices[np.isin(labels, numbers)]
    rng = np.random.default_rng([seed, len(split)])
    some = rng.choice(there, size=min(most, len(there)), replace=False)
    return np.sort(some), tuple(wanted)


def _described(predictor: Predictor, dataset: Dataset, indices: Array) -> tuple[Array, Array]:
    """Features of patterns, and the patterns as the system gets them, (n, f) and (n, p)."""
    features, patterns = [], []
    for start in range(0, len(indices), _BATCH):
        chosen = indices[start : start + _BATCH]
        seen = dataset.seen(chosen)
        images = np.asarray(dataset.images(chosen), dtype=np.float32)
        if seen is not None:
            images = np.where(seen, images, np.float32(np.nan))
        one, other = predictor.described(images)
        features.append(one)
        patterns.append(other.reshape(len(other), -1))
    return np.concatenate(features), np.concatenate(patterns)


def _neighbours(places: Array, label: Array) -> float:
    """Share of points whose nearest neighbour is of their class."""
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((label[distance.argmin(axis=1)] == label).mean())


def map_figure(found: PatternMap) -> "Figure":
    """Both maps side by side, a colour and a marker for each class."""
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(8.6, 4.4), layout="constrained")
        both = figure.subplots(1, 2)
        for axes, places, title, judged in zip(
            both,
            (found.features, found.patterns),
            ("features", "patterns as they are"),
            found.judged,
            strict=True,
        ):
            _draw(axes, found, places)
            axes.set_title(f"{title}: nearest neighbour of the class {judged:.0%}", fontsize=10)
        handles, names = both[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=min(5, len(names)))
    return figure


def _draw(axes: "Axes", found: PatternMap, places: Array) -> None:
    for number, name in enumerate(found.classes):
        colour, marker, _ = look(number)
        here = places[found.label == number]
        axes.plot(
            here[:, 0],
            here[:, 1],
            marker,
            color=colour,
            markersize=4,
            alpha=0.75,
            label=wrapped(name, 18),
        )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
