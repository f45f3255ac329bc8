"""What a suite's claims say of two systems, and what was found."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crystalvision.benchmarks.report._lines import (
    NO_DIFFERENCE,
    ONE_TRAINING,
    Difference,
    Table,
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
        difference: Accuracy of the system that is said to be better minus that of the other, its
            p-value corrected for all claims of a comparison; `None` where they have no seed in
            common.
        printed: The same difference as printed in the publication, a share; `None` if it has none.
        recomputed: Likewise from its confusion matrices.
    """

    text: str
    difference: Difference | None
    printed: float | None
    recomputed: float | None

    @property
    def answer(self) -> str:
        """In words."""
        if self.difference is None:
            return "not tested: no seed in common"
        words = _ANSWERS[self.difference.word]
        if self.difference.word == ONE_TRAINING and self.difference.estimate.value < 0:
            return f"the reverse, {words}"
        sure = self.difference.word in {"better", "worse"}
        return f"{words}, of these trainings" if sure and self.difference.seeds == 1 else words


def answered(
    benchmark: LoadedBenchmark, table: Table, published: Published | None
) -> list[ClaimResult]:
    """The suite's claims, each with what a comparison says of it."""
    suite, comparison = benchmark.suite, table.comparison
    systems: Mapping[str, PublishedSystem] = published.systems if published else {}
    found = []
    for claim in suite.claims:
        first, second = (
            systems.get(suite.systems[name].published or "", PublishedSystem())
            for name in claim.pair
        )
        both = all(name in comparison.cells for name in claim.pair)
        found.append(
            ClaimResult(
                text=claim.text,
                difference=paired(comparison, *claim.pair) if both else None,
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


def _gain(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Accuracy of the first minus that of the second, where both are known."""
    if "accuracy" not in first or "accuracy" not in second:
        return None
    return first["accuracy"] - second["accuracy"]
