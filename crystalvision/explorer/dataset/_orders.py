"""In which order samples are looked at."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int

from crystalvision.datasets import LABEL
from crystalvision.explorer.dataset._answers import Answers
from crystalvision.explorer.dataset._facets import Facet

STORED = "as stored"
HARDEST = "the hardest: least probability of the right class"
NOVEL = "the most novel"
MISLABELLED = "mislabelled? confident, and not of the label"
FARTHEST = "the largest errors of the number"


def orders_of(answers: Answers | None) -> list[str]:
    """The orders that there are, with what a run has said."""
    if answers is None:
        return [STORED]
    known = {
        HARDEST: np.isfinite(answers.right).any(),
        NOVEL: np.isfinite(answers.novelty).any(),
        MISLABELLED: np.isfinite(answers.sure).any(),
        FARTHEST: np.isfinite(answers.error).any(),
    }
    return [STORED, *(name for name, there in known.items() if there)]


def ordered(
    order: str,
    chosen: Bool[np.ndarray, "n"],
    answers: Answers | None,
    facets: Mapping[str, Facet],
) -> Int[np.ndarray, "m"]:
    """Indices of chosen samples in an order; those of which the run says nothing are left out.

    Args:
        order: One of `orders_of`.
        chosen: Which samples.
        answers: What the run says of them.
        facets: What is known of them.
    """
    if order == STORED or answers is None:
        return np.flatnonzero(chosen)
    if order == MISLABELLED:
        wrong = answers.taken != facets[LABEL].values
        chosen, key = chosen & wrong & (answers.taken >= 0), -answers.sure
    else:
        keys = {HARDEST: answers.right, NOVEL: -answers.novelty, FARTHEST: -answers.error}
        key = keys[order]
    there = np.flatnonzero(chosen & np.isfinite(key))
    return there[np.argsort(key[there], kind="stable")]
