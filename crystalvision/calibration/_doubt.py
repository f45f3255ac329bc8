"""Tells patterns of whose class a system is undecided."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from crystalvision.calibration._novelty import FALSE_REJECTS
from crystalvision.calibration._temperature import scale

# Equal patterns have probabilities that differ by less between batches and devices. Where many are
# told with the same probability, as by a forest, rounding alone would else flag half of them.
_ROUNDING = 1e-6


def doubt_limits(
    probabilities: Mapping[str, Float[torch.Tensor, "n _"]],
    truth: Mapping[str, Int[torch.Tensor, "n"]],
    temperatures: Mapping[str, float],
    false_rejects: float = FALSE_REJECTS,
) -> dict[str, float]:
    """The doubt that a share of further patterns exceeds although their class is told rightly.

    The share is of those told rightly, not of all: a system that is wrong about one pattern in five
    must be able to flag as many. Selective classification by the largest probability (El-Yaniv &
    Wiener 2010, J. Mach. Learn. Res. 11, 1605). The limit lies between two order statistics, of
    which the r-th of n is exceeded by a share of 1 - r / (n + 1) on average, as a few dozen
    patterns have none at 5 %; with fewer than 1 / share it is the largest.

    Args:
        probabilities: What a system says of held-out patterns, (n, k), by target.
        truth: Index of the actual class, by target.
        temperatures: What calibrates them, by target.
        false_rejects: The share; several targets have equal parts of it, as one is enough to flag.

    Returns:
        By target; without those of which no pattern was told rightly.
    """
    limits = {}
    for name, said in probabilities.items():
        rightly = said.argmax(dim=1) == truth[name]
        if rightly.any():
            values = _doubt(scale(said, temperatures[name])[rightly].numpy())
            level = 1 - false_rejects / len(probabilities)
            limits[name] = float(np.quantile(values, level, method="weibull")) + _ROUNDING
    return limits


def in_doubt(probabilities: Float[np.ndarray, "n _"], limit: float) -> Bool[np.ndarray, "n"]:
    """Whether the largest probability is farther from certainty than a limit, (n,).

    Args:
        probabilities: Of each class, calibrated, (n, k).
        limit: Of `doubt_limits`.
    """
    found: Bool[np.ndarray, "n"] = _doubt(probabilities) > limit
    return found


def _doubt(probabilities: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n"]:
    found: Float[np.ndarray, "n"] = 1 - probabilities.max(axis=1).astype(np.float64)
    return found
