"""The oracle against sums over everything that can be counted in one or two pixels."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import poisson

from crystalvision_simulate.bound._oracle import Oracle

TRIALS = 3000
CASES = [
    pytest.param([[[2.0]], [[5.0]]], [0.5, 0.5], id="one pixel"),
    pytest.param([[[1.0, 3.0]], [[3.0, 1.5]]], [0.3, 0.7], id="two pixels"),
    pytest.param([[[2.0], [4.0]], [[5.0], [9.0]]], [0.4, 0.6], id="two specimens"),
    pytest.param(
        [[[1.0, 3.0], [2.0, 2.0], [4.0, 0.0]], [[3.0, 1.5], [1.0, 5.0], [0.0, 0.5]]],
        [0.5, 0.5],
        id="three specimens, dark pixels",
    ),
]


def exact(rates, shares):
    """Accuracy of both oracles, by a sum over all counts."""
    classes, specimens, pixels = rates.shape
    upper = informed = 0.0
    for counts in product(range(30), repeat=pixels):
        seen = poisson.pmf(counts, rates).prod(axis=2)
        upper += (shares * seen.mean(axis=1)).max()
        for label, place in np.ndindex(classes, specimens):
            if specimens > 1:
                rest = shares * np.delete(seen, place, axis=1).sum(axis=1)
                informed += (
                    shares[label] / specimens * seen[label, place] * (rest.argmax() == label)
                )
    return upper, informed


@pytest.mark.parametrize(("rates", "shares"), CASES)
def test_accuracies_are_those_of_a_sum_over_all_counts(rates, shares):
    rates, shares = np.array(rates), np.array(shares)
    upper, informed = exact(rates, shares)
    found = Oracle(rates, shares).judge(1.0, np.random.default_rng(0), exposures=TRIALS)
    spread = 4 * 0.5 / np.sqrt(TRIALS * rates.shape[0] * rates.shape[1])
    assert found.upper == pytest.approx(upper, abs=spread)
    if rates.shape[1] == 1:
        assert found.confusion is None
        return
    assert shares @ np.diag(found.confusion) == pytest.approx(informed, abs=spread)
    assert found.confusion.sum(axis=1) == pytest.approx(1)


def test_without_electrons_everyone_guesses_and_with_many_no_one_errs():
    rng = np.random.default_rng(1)
    oracle = Oracle(rng.uniform(0.5, 1.5, (3, 2, 50)), np.array([0.2, 0.5, 0.3]))
    assert oracle.judge(1e-9, rng).upper == pytest.approx(0.5, abs=1e-3)
    assert oracle.judge(1e4, rng).upper == pytest.approx(1, abs=1e-6)


def test_dose_and_rate_are_one():
    rates = np.random.default_rng(2).uniform(0, 0.1, (2, 3, 40))
    shares = np.array([0.5, 0.5])
    one = Oracle(rates, shares).judge(100, np.random.default_rng(3), exposures=20)
    other = Oracle(rates * 100, shares).judge(1, np.random.default_rng(3), exposures=20)
    assert one.upper == pytest.approx(other.upper, abs=1e-9)
    assert np.array_equal(one.confusion, other.confusion)


def test_pixels_that_are_dark_for_all_tell_nothing():
    rates = np.random.default_rng(4).uniform(0, 2, (2, 2, 5))
    shares = np.array([0.5, 0.5])
    with_dark = np.concatenate((rates, np.zeros((2, 2, 7))), axis=2)
    one, other = (
        Oracle(each, shares).judge(1, np.random.default_rng(5), exposures=50)
        for each in (rates, with_dark)
    )
    assert one.upper == other.upper


def test_the_true_specimen_on_the_list_helps():
    rates = np.random.default_rng(6).uniform(0, 2, (4, 3, 30))
    shares = np.full(4, 0.25)
    found = Oracle(rates, shares).judge(1, np.random.default_rng(7), exposures=100)
    assert shares @ np.diag(found.confusion) < found.upper - 0.1
