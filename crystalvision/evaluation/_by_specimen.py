"""How well whole specimens are told, from all patterns of each together."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from crystalvision.config import Config
from crystalvision.contracts import Ends, EvaluatedEstimates
from crystalvision.datasets import LABEL, Dataset
from crystalvision.errors import InputError
from crystalvision.evaluation._intervals import share_interval
from crystalvision.evaluation._proportions import wilson_interval

_LEAST = 1e-6  # probability: one pattern alone must not rule a class out for good


class SpecimenScore(Config):
    """How well a class that all patterns of a specimen share is told.

    The patterns of a specimen are taken as independent: its class is that with the greatest sum of
    log-probabilities (Ra et al. 2021, as Jeong et al., RSC Adv. 14, 18489 (2024), have it).

    Attributes:
        target: The class, a column of the dataset.
        source: Target whose probabilities were taken.
        specimens: How many specimens.
        patterns: How many patterns they have together.
        accuracy: Share of the specimens that are told right.
        interval: Its 95 % interval, Wilson's.
        pattern_accuracy: Share of the patterns that are told right, each by itself.
        pattern_interval: Its 95 % interval over specimens.
    """

    target: str
    source: str
    specimens: int
    patterns: int
    accuracy: float
    interval: Ends
    pattern_accuracy: float
    pattern_interval: Ends | None


def specimen_scores(
    judged: Mapping[str, EvaluatedEstimates], dataset: Dataset, indices: Int[np.ndarray, "n"]
) -> tuple[SpecimenScore, ...]:
    """A score for each class that is told and that all patterns of every specimen share.

    Nothing where each pattern shows a specimen of its own.

    Args:
        judged: Estimates of each target, by name.
        dataset: What was judged.
        indices: Which samples of it, (n,).
    """
    found = []
    for name, each in judged.items():
        if each.probabilities is None or each.target.shape:
            continue
        if len(np.unique(each.specimen)) == len(each.specimen):
            return ()
        truth = np.array(each.target.classes)[each.truth]
        found.append(_score(name, name, each.target.classes, each.probabilities, truth, each))
        if each.target.label_shares and LABEL in dataset.header.columns:
            names = dataset.header.class_names
            labels = np.array(names)[np.asarray(dataset.column(LABEL))[indices]]
            known = _labels(each, names)
            found.append(_score(LABEL, name, known[0], known[1], labels, each))
    return tuple(score for score in found if score is not None)


def require_specimens(scores: Sequence[SpecimenScore], where: str) -> None:
    """Check that there is something to say of specimens.

    Raises:
        InputError: There is not.
    """
    if not scores:
        raise InputError(
            f"{where}: --by specimen needs a class with probabilities, and several patterns of "
            "each specimen; here each pattern is a specimen of its own (give the recipe "
            "patterns_per_specimen), or its class is not told"
        )


def _labels(
    judged: EvaluatedEstimates, names: Sequence[str]
) -> tuple[tuple[str, ...], Float[np.ndarray, "n k"]]:
    """Classes of `label`, and the probability of each for every pattern, (n, k)."""
    shares = judged.target.label_shares
    known = tuple(dict.fromkeys([*names, *(name for each in shares for name in each)]))
    matrix = np.array([[each.get(name, 0.0) for name in known] for each in shares])
    return known, np.asarray(judged.probabilities) @ matrix


def _score(
    target: str,
    source: str,
    classes: Sequence[str],
    probabilities: Float[np.ndarray, "n k"],
    truth: np.ndarray[tuple[int], np.dtype[np.str_]],
    judged: EvaluatedEstimates,
) -> SpecimenScore | None:
    """The score of a class; `None` where patterns of one specimen are of several."""
    specimen, first, member = np.unique(judged.specimen, return_index=True, return_inverse=True)
    if (truth != truth[first][member]).any():
        return None
    sums = np.zeros((len(specimen), len(classes)))
    np.add.at(sums, member, np.log(np.clip(probabilities, _LEAST, 1.0)))
    names = np.array(classes)
    right = names[sums.argmax(axis=1)] == truth[first]
    single = names[np.asarray(probabilities).argmax(axis=1)] == truth
    return SpecimenScore(
        target=target,
        source=source,
        specimens=len(specimen),
        patterns=len(truth),
        accuracy=float(right.mean()),
        interval=wilson_interval(int(right.sum()), len(right)),
        pattern_accuracy=float(single.mean()),
        pattern_interval=share_interval(single, judged.specimen),
    )
