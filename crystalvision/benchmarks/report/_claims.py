"""What a suite's claims say of two systems, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from crystalvision.benchmarks._claims import Claim
from crystalvision.benchmarks.report._comparison import Comparison
from crystalvision.benchmarks.report._lines import (
    NO_DIFFERENCE,
    ONE_TRAINING,
    Difference,
    Table,
    below,
    kept_better,
    paired,
)
from crystalvision.benchmarks.report._load import LoadedBenchmark
from crystalvision.benchmarks.report._published import Published, PublishedSystem
from crystalvision.benchmarks.report._statistics import holm

_ANSWERS = {
    "better": "yes",
    "worse": "no, the reverse",
    NO_DIFFERENCE: "not found",
    ONE_TRAINING: "as trained here, but not beyond what other seeds may give",
}


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim and what was found.

    Attributes:
        text: The claim.
        difference: Score of the system that is said to be better minus that of the other, its
            p-value corrected for all claims of a comparison; `None` where they have no seed in
            common, or one has no result. Or how far a score is from the value that it is said to
            stay below.
        printed: The same difference as printed in the publication, a share; `None` if it has none.
        recomputed: Likewise from its confusion matrices.
        within: By how much the first may be less accurate for the claim to hold, a share.
        missing: Why there is no difference, where there is none.
    """

    text: str
    difference: Difference | None
    printed: float | None
    recomputed: float | None
    within: float = 0.0
    missing: str = "no seed in common"

    @property
    def answer(self) -> str:
        """In words."""
        if self.difference is None:
            return f"not tested: {self.missing}"
        if self.within:
            return self._within(self.difference)
        words = _ANSWERS[self.difference.word]
        grows = self.difference.estimate.value > 0
        if self.difference.word == ONE_TRAINING and grows != self.difference.higher_is_better:
            return f"the reverse, {words}"
        sure = self.difference.word in {"better", "worse"}
        return f"{words}, of these trainings" if sure and self.difference.seeds == 1 else words

    def _within(self, difference: Difference) -> str:
        """Whether the whole interval is within what is allowed, or beyond it."""
        trainings = ", of these trainings" if difference.seeds == 1 else ""
        if difference.estimate.low > -self.within:
            return f"yes{trainings}"
        if difference.estimate.high < -self.within:
            return f"no{trainings}"
        return "not found: the interval holds both"


def answered(
    benchmark: LoadedBenchmark,
    table: Table,
    published: Published | None,
    comparisons: Sequence[Comparison] = (),
) -> list[ClaimResult]:
    """The suite's claims, each with what a comparison says of it.

    A claim about a change from one training dataset to another is answered where systems were
    trained on the other; `comparisons` are all that there are.
    """
    suite, comparison = benchmark.suite, table.comparison
    systems: Mapping[str, PublishedSystem] = published.systems if published else {}
    found = []
    for claim in suite.claims:
        if claim.is_across:
            continue
        if claim.between is not None and claim.between[1] != comparison.trained_on:
            continue
        known = [
            systems.get(suite.systems[name].published or "", PublishedSystem())
            for name in claim.systems
        ]
        first, second = (*known, PublishedSystem())[:2]
        found.append(
            ClaimResult(
                text=claim.text,
                difference=_difference(claim, comparison, comparisons),
                printed=_gain(first.printed, second.printed),
                recomputed=_gain(first.recomputed, second.recomputed),
            )
        )
    corrected = iter(holm([each.difference.p for each in found if each.difference]))
    return [
        replace(each, difference=replace(each.difference, corrected=next(corrected)))
        if each.difference
        else each
        for each in found
    ]


def _difference(
    claim: Claim, comparison: Comparison, comparisons: Sequence[Comparison]
) -> Difference | None:
    """What speaks for a claim, where all its systems were judged."""
    if not all(name in comparison.cells for name in claim.systems):
        return None
    if claim.below is not None:
        return below(comparison, claim.system, claim.below, claim.metric)
    if claim.than is None:
        return None
    if claim.between is None:
        return paired(comparison, claim.system, claim.than, claim.metric)
    before = [
        each
        for each in comparisons
        if (each.trained_on, each.tested_on) == (claim.between[0], comparison.tested_on)
        and all(name in each.cells for name in claim.systems)
    ]
    if not before:
        return None
    largest = max(before, key=lambda each: each.train_patterns)
    return kept_better(largest, comparison, claim.system, claim.than, claim.metric)


def _gain(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Accuracy of the first minus that of the second, where both are known."""
    if "accuracy" not in first or "accuracy" not in second:
        return None
    return first["accuracy"] - second["accuracy"]
