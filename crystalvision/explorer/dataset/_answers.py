"""What runs say of the samples of a dataset: kept with their evaluations, or asked for now."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from crystalvision.datasets import LABEL, Conditions, Dataset
from crystalvision.errors import CrystalVisionError
from crystalvision.evaluation import load_metrics, main_target, read_predictions
from crystalvision.explorer.dataset._facets import Facet
from crystalvision.prediction import UNSEEN, Predictor, carried

_CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a run says of the samples of a dataset, NaN and -1 where it was not asked, (n,) each.

    Attributes:
        name: Of the run, and of the evaluation.
        right: Probability of the right class.
        sure: Probability of the class that it takes a sample for.
        taken: Place of that class.
        error: How far the estimate of the first target that is a number is from the truth.
        novelty: Distance to the training patterns over its limit.
    """

    name: str
    right: Float[np.ndarray, "n"]
    sure: Float[np.ndarray, "n"]
    taken: Int[np.ndarray, "n"]
    error: Float[np.ndarray, "n"]
    novelty: Float[np.ndarray, "n"]

    @classmethod
    def none(cls, name: str, samples: int) -> "Answers":
        """Nothing was asked yet."""
        unknown = [np.full(samples, np.nan) for _ in range(4)]
        return cls(name, unknown[0], unknown[1], np.full(samples, -1), unknown[2], unknown[3])

    def facets(self, classes: tuple[str, ...]) -> Iterator[Facet]:
        """What is known, to filter by."""
        if np.isfinite(self.right).any():
            yield Facet.of(f"{self.name}: p of the right class", self.right)
            yield Facet.of(f"{self.name}: p of its answer", self.sure)
            yield Facet.of(f"{self.name}: its answer", self.taken, classes=classes)
        if np.isfinite(self.error).any():
            yield Facet.of(f"{self.name}: error of the number", self.error)
        if np.isfinite(self.novelty).any():
            yield Facet.of(f"{self.name}: novelty", self.novelty)


def kept_answers(runs: Mapping[str, Path], dataset: Dataset) -> Iterator[Answers]:
    """What evaluations of runs, by their names, keep of the samples of a dataset."""
    for called, run in runs.items():
        for folder in sorted((run / "evaluations").glob("*/")):
            try:
                metrics = load_metrics(folder)
                if metrics.dataset_identity != dataset.identity or metrics.subset is not None:
                    continue
                judged = read_predictions(folder, metrics)
            except CrystalVisionError:  # damaged, or of a version that kept something else
                continue
            name = f"{called}/{folder.name}"
            answers = Answers.none(name, dataset.header.samples)
            estimates = judged.targets.get(LABEL)
            if estimates is not None:
                classes = estimates.target.classes
                _take_label(answers, dataset, judged.index, classes, estimates.probabilities)
            other = main_target([each for each in judged.targets if each != LABEL] or [LABEL])
            if other != LABEL and not judged.targets[other].target.classes:
                each = judged.targets[other]
                gap = np.abs(each.value - each.truth).reshape(len(each), -1).max(axis=1)
                answers.error[judged.index] = gap
            yield answers


def ask(
    predictor: Predictor,
    dataset: Dataset,
    indices: Int[np.ndarray, "n"],
    answers: Answers,
    advance: Callable[[int], bool],
) -> None:
    """Ask a run about some samples.

    Args:
        predictor: Of the run.
        dataset: Of the samples.
        indices: Which.
        answers: What becomes known is put in here.
        advance: Told how many are done; says whether to go on.

    Raises:
        InputError: The samples do not fit the run.
    """
    match = predictor.match(Conditions.of_dataset(dataset), str(dataset.path))
    for start in range(0, len(indices), _CHUNK):
        some = indices[start : start + _CHUNK]
        images = carried(match, dataset.images(some).astype(np.float32), dataset.seen(some))
        found = predictor.predict(images, gap_values=UNSEEN)
        if found.novelty is not None:
            answers.novelty[some] = found.novelty
        if LABEL in found:
            label = found[LABEL]
            _take_label(answers, dataset, some, label.target.classes, label.probabilities)
        if not advance(start + len(some)):
            return


def _take_label(
    answers: Answers,
    dataset: Dataset,
    indices: Int[np.ndarray, "n"],
    classes: Sequence[str],
    probabilities: Float[np.ndarray, "n k"] | None,
) -> None:
    """Put in what is said of classes, which are those of the dataset by their names."""
    known = dataset.header.class_names
    if probabilities is None or not known:
        return
    found = np.zeros((len(indices), len(known)))
    for there, name in enumerate(classes):
        if name in known:
            found[:, known.index(name)] = probabilities[:, there]
    rows, taken = np.arange(len(indices)), found.argmax(axis=1)
    answers.right[indices] = found[rows, dataset.column(LABEL, indices)]
    answers.sure[indices] = found[rows, taken]
    answers.taken[indices] = taken
