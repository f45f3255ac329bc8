"""Claims about systems across training and test data, on patterns that differ in one thing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from crystalvision.benchmarks._claims import Claim
from crystalvision.benchmarks._suite import Suite
from crystalvision.benchmarks.report._claims import ClaimResult
from crystalvision.benchmarks.report._comparison import Comparison
from crystalvision.benchmarks.report._lines import Table, tested
from crystalvision.benchmarks.report._statistics import Resampling, holm
from crystalvision.errors import InputError


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a claim: a system as trained on something, and its tests."""

    system: str
    comparisons: tuple[Comparison, ...]

    def seeds(self) -> set[int]:
        return set.intersection(*(set(each.seeds(self.system)) for each in self.comparisons))

    def scores(self, seeds: Sequence[int]) -> Float[np.ndarray, "n s"]:
        found = [each.scores(self.system, seeds) for each in self.comparisons]
        scores: Float[np.ndarray, "n s"] = np.concatenate(found)
        return scores


def cross_claims(suite: Suite, tables: Sequence[Table]) -> tuple[ClaimResult, ...]:
    """What was found of each claim that names training or test data; p corrected for all of them.

    Raises:
        InputError: Two tests that are compared have other numbers of patterns.
    """
    found = [_answered(claim, suite, tables) for claim in suite.claims if claim.is_across]
    corrected = iter(holm([each.difference.p for each in found if each.difference]))
    return tuple(
        replace(each, difference=replace(each.difference, corrected=next(corrected)))
        if each.difference
        else each
        for each in found
    )


def _answered(claim: Claim, suite: Suite, tables: Sequence[Table]) -> ClaimResult:
    empty = ClaimResult(claim.text, None, None, None, within=claim.within)
    first = _side(claim.system, claim.trained_on, claim.tested_on, tables)
    than_tests = claim.than_tested_on or claim.tested_on
    if len(than_tests) == 1:
        than_tests *= len(claim.tested_on)
    learnt = claim.than_trained_on or claim.trained_on
    second = _side(claim.than or claim.system, learnt, than_tests, tables)
    if first is None or second is None:
        return replace(empty, missing="not all that it compares was trained and tested here")
    seeds = sorted(first.seeds() & second.seeds())
    if not seeds:
        return empty
    mine, others = first.scores(seeds), second.scores(seeds)
    if mine.shape != others.shape:
        raise InputError(
            f"suite '{suite.name}', claim '{claim.text}': tests of {len(mine)} and of "
            f"{len(others)} patterns; give both the same `samples` and `seed`"
        )
    score = first.comparisons[0].score
    resampling = Resampling(_specimens(first.comparisons), shares=score.is_share)
    return replace(empty, difference=tested(resampling, score, mine - others))


def _side(
    system: str, trained_on: str | None, tests: Sequence[str], tables: Sequence[Table]
) -> _Side | None:
    """One side of a claim; `None` where a test of it has no result."""
    found = []
    for test in tests:
        known = [
            table.comparison
            for table in tables
            if (table.comparison.trained_on, table.comparison.tested_on) == (trained_on, test)
            and system in table.comparison.cells
        ]
        if not known:
            return None
        found.append(max(known, key=lambda each: each.train_patterns))
    return _Side(system, tuple(found))


def _specimens(comparisons: Sequence[Comparison]) -> Int[np.ndarray, "n"]:
    """What is drawn together: a specimen of all tests, for it has the same pose in each."""
    parts: list[Int[np.ndarray, "n"]] = [each.resampling.unit_of for each in comparisons]
    units: Int[np.ndarray, "n"] = np.concatenate(parts)
    return units
