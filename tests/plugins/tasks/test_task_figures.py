"""Figures of predictions that are out of the ordinary."""

import base64
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from crystalvision.figures import drawing, look, wrapped
from crystalvision.report import picture
from crystalvision_tasks._class_figures import roc_curve as our_curve
from crystalvision_tasks.classification import Classification
from crystalvision_tasks.regression import Regression


@pytest.fixture
def draw(judged_classes, judged_values):
    """Pictures by name: confusion, roc, reliability; agreement, scatter."""

    def pictures(label, probabilities, severity, predicted, names):
        of_classes = judged_classes(np.asarray(probabilities, float), label, names)
        of_values = judged_values(np.asarray(predicted, float), np.asarray(severity, float))
        of_values = replace(of_values, group=np.asarray(label), group_names=tuple(names))
        with drawing():
            return {
                each.name: picture(each.figure, each.alt or each.caption, each.caption)
                for task, judged in ((Classification(), of_classes), (Regression(), of_values))
                for each in task.figures(judged, task.metrics(judged))
            }

    return pictures


def svg(picture):
    return base64.b64decode(picture.uri.partition(",")[2]).decode()


def test_a_single_pattern(draw):
    pictures = draw([0], [[0.9, 0.1]], [0.3], [0.3], ["one", "two"])
    assert (
        pictures["roc"].alt == "ROC curves of each class against the rest: no class can be judged."
    )
    assert pictures["agreement"].alt == "Bland–Altman plot of severity: bias +0.000."


def test_many_classes_of_which_one_does_not_occur(draw):
    rng = np.random.default_rng(0)
    names = [f"a_class_with_a_long_name_{k}" for k in range(9)]
    label = rng.integers(0, 8, 90)
    probabilities = rng.dirichlet(np.ones(9), 90)
    pictures = draw(label, probabilities, rng.random(90), rng.random(90), names)
    assert names[7] in pictures["roc"].alt
    assert names[8] not in pictures["roc"].alt


def test_many_points_are_drawn_as_a_bitmap(draw):
    rng = np.random.default_rng(0)
    count = 5000
    label = rng.integers(0, 2, count)
    probabilities = rng.dirichlet([1, 1], count)
    pictures = draw(label, probabilities, rng.random(count), rng.random(count), "ab")
    assert all("<image" in svg(pictures[name]) for name in ("agreement", "scatter"))
    assert max(len(each.uri) for each in pictures.values()) < 400_000


def test_the_corner_is_shown_larger_where_all_curves_lie_there(draw):
    label = np.arange(40) % 2
    sure = np.where(label[:, None] == [0, 1], 0.9, 0.1)
    severity = label * 0.5
    good = draw(label, sure, severity, severity + 0.01, "ab")["roc"]
    assert "shown larger" in good.caption
    poor = draw(label, np.full((40, 2), 0.5), severity, severity + 0.01, "ab")["roc"]
    assert "shown larger" not in poor.caption


def test_bland_altman_shows_the_bias_and_the_limits(draw):
    rng = np.random.default_rng(2)
    severity = rng.choice([0, 0.5], 400)
    predicted = severity + rng.normal(-0.2, 0.1, 400)
    pictures = draw([0] * 400, [[1.0, 0.0]] * 400, severity, predicted, "ab")
    difference = predicted - severity
    limits = difference.mean() + 1.96 * difference.std(ddof=1) * np.array([-1, 1])
    told = pictures["agreement"].alt
    for name, value in [("bias", difference.mean()), ("−1.96 SD", limits[0])]:
        assert f"{name} −{abs(value):.3f}" in told
    assert f"+1.96 SD {limits[1]:+.3f}".replace(" -", " −") in told


def test_points_are_spread_only_where_severity_takes_few_values(draw):
    rng = np.random.default_rng(3)
    for severity, few in [(rng.choice([0, 0.5], 60), True), (rng.random(60), False)]:
        pictures = draw([0] * 60, [[1.0, 0.0]] * 60, severity, rng.random(60), "ab")
        assert ("spread sideways" in pictures["scatter"].caption) == few


def test_user_settings_of_matplotlib_change_nothing(draw):
    import matplotlib as mpl

    told = ([0, 1], [[0.9, 0.1], [0.2, 0.8]], [0, 0.5], [0.1, 0.4], "ab")
    plain = draw(*told)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        assert draw(*told) == plain


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("no_defect", "no_defect"),
        ("random_displacement", "random_\ndisplacement"),
        ("two words here", "two words\nhere"),
        ("x", "x"),
    ],
)
def test_names_are_wrapped(name, lines):
    assert wrapped(name) == lines


def test_no_two_classes_look_alike():
    assert len({str(look(index)) for index in range(49)}) == 49
    assert len({look(index)[:2] for index in range(49)}) == 49


@pytest.mark.parametrize("decimals", [1, 6])  # with and without ties
def test_roc_curve_agrees_with_scikit_learn(decimals):
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.3
    score = (rng.normal(size=200) + positive).round(decimals)
    false, true = our_curve(score, positive)
    expected = roc_curve(positive, score, drop_intermediate=False)
    assert np.allclose(false, expected[0])
    assert np.allclose(true, expected[1])
    assert np.trapezoid(true, false) == pytest.approx(roc_auc_score(positive, score))


def test_too_many_classes_for_a_matrix_have_their_commonest_mistakes_and_ranks(draw):
    names = [f"phase {number}" for number in range(40)]
    label = np.arange(80) % 40
    probabilities = np.full((80, 40), 0.01)
    probabilities[np.arange(80), label] = 0.5
    probabilities[:5, 7] = 0.9  # five of other classes are taken for it, and lie second
    pictures = draw(label, probabilities, np.linspace(0, 1, 80), np.linspace(0, 1, 80), names)
    assert set(pictures) == {"confusion", "ranks", "reliability", "agreement", "scatter"}
    assert "phase 3 → phase 7" in svg(pictures["confusion"])
    assert "The commonest of 5 mistakes" in pictures["confusion"].caption
    assert "93.8% among 1, 100.0% among 3" in pictures["ranks"].alt
    assert "phase 3" not in svg(pictures["scatter"])
