"""Intervals, p-values and their correction, against known values and simulations."""

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest, norm, permutation_test, t

from crystalvision.benchmarks.report._statistics import (
    Resampling,
    behrens_fisher_stretch,
    holm,
    permutation_p,
    sign_flip_p,
)


def draw_right(rng, patterns, seeds, *, accuracy=0.8, seed_spread=0.0):
    """Correctness (n, s): patterns differ in difficulty, seeds in accuracy."""
    hardness = 0.3 * rng.normal(size=(patterns, 1))
    luck = seed_spread * rng.normal(size=(1, seeds))
    chance = np.clip(accuracy + hardness * accuracy * (1 - accuracy) + luck, 0, 1)
    return (rng.random((patterns, seeds)) < chance).astype(float)


@pytest.mark.parametrize(("gains", "losses"), [(3, 9), (0, 5), (4, 4), (120, 80), (1, 0)])
def test_with_one_seed_it_is_mcnemars_exact_test(gains, losses):
    differences = np.array([1] * gains + [-1] * losses + [0] * 30)
    expected = binomtest(gains, gains + losses, 0.5).pvalue
    assert sign_flip_p(differences) == pytest.approx(expected, rel=1e-9)


def test_it_counts_every_flip():
    differences = np.array([3, -1, 2, 0, -2, 1, 1, 3, -1, 2])
    flips = np.array(list(itertools.product([1, -1], repeat=len(differences))))
    sums = np.abs(flips @ np.abs(differences))
    assert sign_flip_p(differences) == pytest.approx((sums >= abs(differences.sum())).mean())


def test_scores_that_are_no_whole_numbers_are_tried_by_drawn_signs():
    """As scipy's own test, and as the exact one where differences are whole numbers."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40))
    differences = first - second + 0.3
    peer = permutation_test(
        (differences, np.zeros(40)),
        lambda x, y, axis: (x - y).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=10_000,
        rng=1,
    )
    assert permutation_p(differences) == pytest.approx(peer.pvalue, abs=0.02)
    whole = rng.integers(-2, 4, 40)
    assert permutation_p(whole.astype(float)) == pytest.approx(sign_flip_p(whole), abs=0.02)
    assert permutation_p(np.zeros(20)) == 1.0


def test_intervals_of_scores_are_not_held_within_shares():
    rng = np.random.default_rng(1)
    angles = rng.gamma(2, 5, size=(300, 2))
    estimate = Resampling(np.arange(300), shares=False).mean(angles)
    half = 1.96 * angles.mean(axis=1).std(ddof=1) / np.sqrt(300)
    assert estimate.low < angles.mean() - 0.8 * half
    assert estimate.high > angles.mean() + 0.8 * half > 1


def test_no_difference_is_no_evidence():
    assert sign_flip_p(np.zeros(20, dtype=int)) == 1.0


@pytest.mark.parametrize("seeds", [1, 3])
def test_p_is_rarely_small_without_a_difference(seeds):
    """Two systems whose trainings have one accuracy: p is uniform, but for its steps."""
    rng = np.random.default_rng(seeds)
    found = np.array(
        [
            sign_flip_p(
                (draw_right(rng, 200, seeds) - draw_right(rng, 200, seeds)).sum(axis=1).astype(int)
            )
            for _ in range(1000)
        ]
    )
    for level in (0.05, 0.1, 0.5):
        noise = 3 * np.sqrt(level * (1 - level) / len(found))
        assert 0.5 * level < (found <= level).mean() <= level + noise


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_an_interval_of_one_seed_is_the_normal_one():
    right = np.repeat([1.0, 0.0], [700, 300])[:, None]
    estimate = Resampling(np.arange(1000)).mean(right)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert estimate.value == 0.7
    assert [estimate.low, estimate.high] == pytest.approx([0.7 - half, 0.7 + half], abs=0.004)


def test_patterns_of_one_specimen_count_together():
    right = np.repeat((np.arange(200) % 3 > 0).astype(float), 4)[:, None]
    single = Resampling(np.arange(800)).mean(right)
    together = Resampling(np.repeat(np.arange(200), 4)).mean(right)
    ratio = (together.high - together.low) / (single.high - single.low)
    assert ratio == pytest.approx(2, rel=0.1)


def test_seeds_that_disagree_widen_the_interval():
    alike = np.tile((np.arange(400) % 5 > 0)[:, None], (1, 3)).astype(float)
    unlike = np.stack([np.arange(400) % 5 > k for k in (-1, 0, 1)], axis=1).astype(float)
    resampling = Resampling(np.arange(400))
    narrow, wide = resampling.mean(alike), resampling.mean(unlike)
    assert narrow.value == pytest.approx(wide.value) == 0.8
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


@pytest.mark.parametrize("spread", [0.0, 0.03])
def test_intervals_hold_the_truth_often(spread):
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        right = draw_right(rng, 150, 5, seed_spread=spread)
        estimate = Resampling(np.arange(150), resamples=300).mean(right)
        held += estimate.low <= 0.8 <= estimate.high
    assert held / 200 >= 0.89


@pytest.mark.parametrize("seeds", [2, 3])
def test_lucky_seeds_are_rarely_called_a_difference(seeds):
    """P takes the trainings as they are; the interval, which does not, must hold it back."""
    rng = np.random.default_rng(seeds)
    resampling = Resampling(np.arange(700), resamples=100)
    small, called = 0, 0
    for _ in range(150):
        first, second = (draw_right(rng, 700, seeds, seed_spread=0.03) for _ in range(2))
        differences = first - second
        estimate = resampling.difference(differences)
        below = sign_flip_p(differences.sum(axis=1).astype(int)) < 0.05
        small += below
        called += below and not estimate.low <= 0 <= estimate.high
    assert small / 150 > 0.2
    assert called / 150 <= 0.07


def test_an_interval_over_seeds_that_alone_differ_is_students():
    means = np.array([0.8, 0.86, 0.83])
    stretch = behrens_fisher_stretch(0.0, 99, means.var(ddof=1) / 3, 2)
    assert stretch * norm.ppf(0.975) == pytest.approx(t.ppf(0.975, 2))
    assert behrens_fisher_stretch(1.0, 10_000, 0.0, 2) == pytest.approx(1, abs=1e-3)
    # Of Fisher and Yates, Statistical Tables, VI: 6 and 6 degrees of freedom at 45 degrees.
    assert behrens_fisher_stretch(1.0, 6, 1.0, 6) * norm.ppf(0.975) == pytest.approx(
        2.435, abs=0.01
    )


@pytest.mark.parametrize("all_right", [True, False])
def test_certainty_is_never_claimed(all_right):
    estimate = Resampling(np.arange(100)).mean(np.full((100, 3), float(all_right)))
    assert estimate.high - estimate.low == pytest.approx(0.037, abs=0.001)
    same = Resampling(np.arange(100)).difference(np.zeros((100, 3)))
    assert (same.low, same.value, same.high) == pytest.approx((-0.037, 0, 0.037), abs=0.001)


def test_intervals_repeat():
    right = draw_right(np.random.default_rng(0), 100, 3)
    assert Resampling(np.arange(100)).mean(right) == Resampling(np.arange(100)).mean(right)
