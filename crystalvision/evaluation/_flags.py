"""How often patterns are flagged that are told rightly, and that are told wrongly."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from crystalvision.config import Config
from crystalvision.contracts import Ends, EvaluatedEstimates
from crystalvision.evaluation._intervals import share_interval
from crystalvision.prediction import Predictions

Kind = Literal["undecided", "rejected", "either"]


class FlagShare(Config):
    """A share of some patterns.

    Attributes:
        share: Of them that are flagged.
        interval: Its Wilson interval.
    """

    share: float
    interval: Ends | None


class FlaggedPatterns(Config):
    """How many of some patterns are flagged.

    Attributes:
        patterns: How many there are.
        flags: Shares of them that are undecided, rejected as unlike the training data, and either;
            without the flags that a run lacks; empty without patterns.
    """

    patterns: int
    flags: dict[Kind, FlagShare]


class Flagged(Config):
    """How often patterns are flagged.

    Attributes:
        all: Of all patterns.
        right: Of those whose class is told rightly, by all targets that are one class a pattern:
            flags are false there.
        wrong: Of the others.
    """

    all: FlaggedPatterns
    right: FlaggedPatterns
    wrong: FlaggedPatterns


def flagged(
    predictions: Predictions,
    judged: Mapping[str, EvaluatedEstimates],
    specimen: Int[np.ndarray, "n"],
) -> Flagged | None:
    """Count flags.

    Args:
        predictions: With what is flagged.
        judged: Estimates beside the truth, by target.
        specimen: Which specimen each pattern shows.

    Returns:
        `None` where the run cannot flag, or no target is one class a pattern.
    """
    known: dict[Kind, Bool[np.ndarray, "n"] | None] = {
        "undecided": predictions.undecided,
        "rejected": predictions.rejected,
    }
    flags = {kind: flag for kind, flag in known.items() if flag is not None}
    classes = [each for each in judged.values() if each.target.classes and not each.target.shape]
    if not flags or not classes:
        return None
    if len(flags) > 1:
        flags["either"] = np.any(list(flags.values()), axis=0)
    wrong = np.any([each.value != each.truth for each in classes], axis=0)

    def of(chosen: Bool[np.ndarray, "n"]) -> FlaggedPatterns:
        shares = {kind: _share(flag[chosen], specimen[chosen]) for kind, flag in flags.items()}
        return FlaggedPatterns(patterns=int(chosen.sum()), flags=shares if chosen.any() else {})

    return Flagged(all=of(np.ones_like(wrong)), right=of(~wrong), wrong=of(wrong))


def _share(flag: Bool[np.ndarray, "n"], specimen: Int[np.ndarray, "n"]) -> FlagShare:
    share = float(flag.mean()) if len(flag) else 0.0
    return FlagShare(share=share, interval=share_interval(flag, specimen))
