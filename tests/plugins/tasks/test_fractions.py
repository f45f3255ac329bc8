"""Shares of components: what is found, what is false, and by how much shares are off."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Estimate, EvaluatedEstimates, Target
from crystalvision.errors import InputError
from crystalvision.evaluation import judge_target
from crystalvision_heads.fractions import FractionsHead
from crystalvision_tasks.fractions import Fractions

NAMES = ("salt", "sugar", "sand", "flour")
TARGET = Target(name="fractions", task="fractions", shape=(4,), components=NAMES)
TRUTH = np.array([[0.5, 0.5, 0, 0], [0, 0, 1, 0], [0.2, 0.3, 0.5, 0]], dtype=np.float32)
SAID = np.array(
    [[0.6, 0.1, 0.3, 0.0], [0.01, 0.03, 0.96, 0.0], [0.02, 0.38, 0.4, 0.2]], dtype=np.float32
)


def judged(value=SAID, truth=TRUTH):
    return EvaluatedEstimates(TARGET, truth, value, None, np.arange(len(truth)))


def test_numbers_are_those_worked_out_by_hand():
    found = Fractions().metrics(judged())
    assert found["found"] == pytest.approx((0.5 + 1 + 2 / 3) / 3)
    assert found["found_in_3"] == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert found["found_in_5"] == 1
    assert found["all_found"] == pytest.approx(1 / 3)
    assert found["false"] == pytest.approx((1 / 3 + 0 + 1 / 3) / 3)
    errors = [np.mean([0.1, 0.4, 0.3]), 0.04, np.mean([0.18, 0.08, 0.1, 0.2])]
    assert found["mae"] == pytest.approx(np.mean(errors))


def test_resamples_of_all_samples_once_are_the_numbers_and_intervals_hold_them():
    numbers = Fractions().metrics(judged())
    told = judge_target(Fractions(), judged(), source="head", resamples=200, seed=0)
    assert told.metrics == numbers
    low, high = told.intervals.of("mae")
    assert low <= numbers["mae"] <= high
    score = Fractions().score(Estimate(torch.from_numpy(SAID)), torch.from_numpy(TRUTH), TARGET)
    assert float(score.mean()) == pytest.approx(numbers["found"])


def test_a_sample_of_nothing_has_no_number_and_spoils_none():
    empty = judged(np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32))
    assert set(Fractions().metrics(empty).values()) == {None, 0.0}
    both = judged(np.vstack([SAID, np.zeros((1, 4))]), np.vstack([TRUTH, np.zeros((1, 4))]))
    assert Fractions().metrics(both)["found"] == Fractions().metrics(judged())["found"]


def test_columns_say_what_is_there_in_words_and_the_figure_can_be_drawn():
    columns = Fractions().columns(judged())
    assert columns["estimated"][0] == "salt 0.60, sand 0.30, sugar 0.10"
    assert columns["actual"][1] == "sand 1.00"
    (figure,) = Fractions().figures(judged(), {})
    assert figure.figure.axes[0].get_ylabel() == "estimated share"


def test_other_targets_are_refused():
    other = Target(name="stress", task="regression", shape=(4,))
    with pytest.raises(InputError, match="0 components"):
        Fractions().check(other)
    with pytest.raises(InputError, match="'stress' has none"):
        FractionsHead(3, {"stress": other}, "stress")


def test_the_head_s_loss_is_least_where_it_says_the_true_shares():
    head = FractionsHead(3, {"fractions": TARGET})
    truth = torch.from_numpy(TRUTH[2:])
    exact = truth.clamp(min=1e-6).log()
    least = float(head.loss(exact, {"fractions": truth}))
    assert head.predict(exact)["fractions"].value.tolist()[0] == pytest.approx(
        TRUTH[2].tolist(), abs=1e-4
    )
    for shift in torch.eye(4):
        assert float(head.loss(exact + 0.3 * shift, {"fractions": truth})) > least
