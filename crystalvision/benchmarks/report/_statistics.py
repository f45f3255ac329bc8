"""How sure a mean score is, and whether two systems differ.

Two things vary: which patterns were judged, and how each training went. Intervals resample both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from crystalvision.evaluation import wilson_interval

RESAMPLES = 2000
LEVEL = 0.95
PERMUTATIONS = 10_000
_PLACES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its 95 % interval.

    Attributes:
        value: The number.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Estimate":
        """The same in another unit; the factor is positive."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


class Resampling:
    """Two-way bootstrap of judged patterns and seeds (Owen 2007, Ann. Appl. Stat. 1, 386).

    It counts what is neither of the pattern nor of the seed more than once, so its intervals are
    rather too wide than too narrow.

    What is drawn of the patterns is the specimen, for patterns of one specimen resemble each other.
    Of s seeds, s − 1 are drawn, which makes the variance of the mean unbiased for few seeds (Rao &
    Wu 1988, J. Am. Stat. Assoc. 83, 231). But an unbiased variance of two or three numbers is a
    guess itself, which percentiles take for the truth. So intervals are stretched: by the quantile
    of the sum of two Student's variables, one of the specimens and one of the seeds (Fisher 1935,
    Ann. Eugen. 6, 391, for Behrens' problem), over that of a normal one.

    Args:
        specimen: Which specimen each pattern shows, (n,).
        shares: Whether what is averaged is right or wrong, 1 or 0, so that means lie in [0, 1].
        resamples: How many to draw.
        seed: Draws them.
    """

    def __init__(
        self,
        specimen: Int[np.ndarray, "n"],
        *,
        shares: bool = True,
        resamples: int = RESAMPLES,
        seed: int = 0,
    ) -> None:
        self.shares = shares
        self.unit_of = np.unique(specimen, return_inverse=True)[1]
        self._sizes = np.bincount(self.unit_of).astype(np.float64)
        self._resamples = resamples
        self._seed = seed

    @property
    def units(self) -> int:
        """How many specimens there are."""
        return len(self._sizes)

    def part(self, chosen: Int[np.ndarray, "m"]) -> "Resampling":
        """The same for some of the patterns, by place."""
        return Resampling(
            self.unit_of[chosen],
            shares=self.shares,
            resamples=self._resamples,
            seed=self._seed,
        )

    def mean(self, scores: Float[np.ndarray, "n s"]) -> Estimate:
        """Mean of the scores over patterns and seeds.

        Where every answer, or none, is right, resampling sees no doubt: Wilson's interval of the
        specimens then takes its place.
        """
        value = float(scores.mean())
        if self.shares and value in {0.0, 1.0}:
            return Estimate(value, *wilson_interval(round(value * self.units), self.units))
        return Estimate(value, *self._ends(scores, least=0))

    def difference(self, differences: Float[np.ndarray, "n s"]) -> Estimate:
        """Mean of paired differences of scores; of shares, of correctness: −1, 0 or 1.

        Where no answer differs, the interval is as wide as Wilson's upper end for no specimen.
        """
        if self.shares and not differences.any():
            most = wilson_interval(0, self.units)[1]
            return Estimate(0.0, -most, most)
        return Estimate(float(differences.mean()), *self._ends(differences, least=-1))

    def sums(self, values: Float[np.ndarray, "n s"]) -> Float[np.ndarray, "u s"]:
        """Sum of the values of each specimen."""
        return np.stack(
            [np.bincount(self.unit_of, column, self.units) for column in values.T], axis=1
        )

    @cached_property
    def _weights(self) -> Float[np.ndarray, "r u"]:
        """How much each pattern of each specimen counts in each resample."""
        rng = np.random.default_rng([self._seed, 0])
        drawn = rng.integers(self.units, size=(self._resamples, self.units))
        drawn += self.units * np.arange(self._resamples)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=self._resamples * self.units)
        weights = counts.reshape(self._resamples, self.units).astype(np.float64)
        normalised: Float[np.ndarray, "r u"] = weights / (weights @ self._sizes)[:, None]
        return normalised

    def _stretch(self, values: Float[np.ndarray, "n s"]) -> float:
        """How much wider than the normal one an interval is, for want of specimens and seeds."""
        seeds = values.shape[1]
        if seeds == 1 or self.units == 1:
            return 1.0
        rest = (self.sums(values).mean(axis=1) - values.mean() * self._sizes) / len(values)
        of_units = float((rest**2).sum()) * self.units / (self.units - 1)
        of_seeds = float(values.mean(axis=0).var(ddof=1)) / seeds
        return behrens_fisher_stretch(of_units, self.units - 1, of_seeds, seeds - 1)

    def _ends(self, values: Float[np.ndarray, "n s"], *, least: float) -> tuple[float, float]:
        seeds = values.shape[1]
        rng = np.random.default_rng([self._seed, 1])
        draws = max(1, seeds - 1)
        of_seeds = rng.multinomial(draws, np.full(seeds, 1 / seeds), size=self._resamples) / draws
        means = ((self._weights @ self.sums(values)) * of_seeds).sum(axis=1)
        ends = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        value = values.mean()
        low, high = value + self._stretch(values) * (ends - value)
        if self.shares:
            low, high = np.clip((low, high), least, 1)
        return float(low), float(high)


def behrens_fisher_stretch(
    first: float, first_freedom: int, second: float, second_freedom: int
) -> float:
    """Half an interval over two estimated variances, over half the one of known variances.

    Args:
        first: Estimated variance of one part of a mean.
        first_freedom: Its degrees of freedom.
        second: Of the other part, likewise.
        second_freedom: Its degrees of freedom.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri, stdtr, stdtrit

    total = first + second
    if not total:
        return 1.0
    chance = (1 + LEVEL) / 2
    one, other = np.sqrt([first / total, second / total])
    if not one:
        return float(stdtrit(second_freedom, chance) / ndtri(chance))
    # Every place of the grid is as probable as every other.
    drawn = other * stdtrit(second_freedom, (np.arange(_PLACES) + 0.5) / _PLACES)
    most = stdtrit(first_freedom, chance) + stdtrit(second_freedom, chance)

    def missing(end: float) -> float:
        return float(stdtr(first_freedom, (end - drawn) / one).mean()) - chance

    return float(brentq(missing, 0, most) / ndtri(chance))


def sign_flip_p(differences: Int[np.ndarray, "u"]) -> float:
    """Two-sided p-value of the paired permutation test, exactly.

    Under the null hypothesis the two systems could change places on any specimen: the sign of each
    difference is a fair coin's. The p-value is the share of all 2^u flips whose sum is at least as
    far from zero. Differences of 0 and ±1 make it McNemar's exact test.

    Args:
        differences: Difference of each specimen as a whole number: right answers of one system
            minus those of the other, over patterns and seeds, (u,).
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    total = int((sizes * counts).sum())
    chance = np.ones(1)  # of each sum of the differences whose sign is positive
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        grown = np.zeros(len(chance) + size * count)
        for positive, weight in enumerate(_coins(count)):
            grown[positive * size : positive * size + len(chance)] += weight * chance
        chance = grown
    distance = np.abs(2 * np.arange(total + 1) - total)
    p = float(chance[distance >= abs(int(differences.sum()))].sum())
    return min(1.0, p)


def permutation_p(
    differences: Float[np.ndarray, "u"], draws: int = PERMUTATIONS, seed: int = 0
) -> float:
    """Two-sided p-value of the paired permutation test, from signs that are drawn.

    As `sign_flip_p`, for scores that are no whole numbers: of the flips, `draws` are tried, and the
    flips of the data themselves are one more (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. 9, 39).

    Args:
        differences: Difference of the summed scores of each specimen, (u,).
        draws: Flips to try.
        seed: Draws them.
    """
    rng = np.random.default_rng([seed, 2])
    found, reached = abs(float(differences.sum())), 1
    for start in range(0, draws, 1000):
        signs = rng.integers(0, 2, size=(min(1000, draws - start), len(differences))) * 2.0 - 1
        # Sums in another order differ in the last digit.
        reached += int((np.abs(signs @ differences) >= found * (1 - 1e-12)).sum())
    return reached / (draws + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for many comparisons (Holm 1979, Scand. J. Stat. 6, 65)."""
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


def _coins(count: int) -> Float[np.ndarray, "k"]:
    """Chance of each number of heads of `count` fair coins."""
    from scipy.stats import binom

    chances: Float[np.ndarray, "k"] = binom.pmf(np.arange(count + 1), count, 0.5)
    return chances
