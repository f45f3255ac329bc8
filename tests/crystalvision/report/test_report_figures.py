"""Figures of predictions that are out of the ordinary."""

import base64
from xml.etree import ElementTree

import numpy as np
import pytest

from crystalvision.figures import drawing, look, wrapped
from crystalvision.report._figures import (
    bland_altman_picture,
    confusion_picture,
    reliability_picture,
    roc_picture,
    severity_picture,
)
from crystalvision.report._training_figures import training_pictures


def draw(metrics, judged):
    with drawing():
        pictures = [
            confusion_picture(metrics),
            roc_picture(metrics, judged),
            bland_altman_picture(metrics, judged),
            severity_picture(metrics, judged),
            reliability_picture(metrics, judged),
        ]
    return [each for each in pictures if ElementTree.fromstring(svg(each)) is not None]


def svg(picture):
    return base64.b64decode(picture.uri.partition(",")[2]).decode()


def test_a_single_pattern(judge):
    pictures = draw(*judge([0], [[0.9, 0.1]], [0.3], [0.3], ["one", "two"]))
    assert pictures[1].alt == "ROC curves of each class against the rest: no class can be judged."
    assert pictures[2].alt == "Bland–Altman plot of severity: bias +0.000."


def test_many_classes_of_which_one_does_not_occur(judge):
    rng = np.random.default_rng(0)
    names = [f"a_class_with_a_long_name_{k}" for k in range(9)]
    label = rng.integers(0, 8, 90)
    probabilities = rng.dirichlet(np.ones(9), 90)
    pictures = draw(*judge(label, probabilities, rng.random(90), rng.random(90), names))
    assert names[7] in pictures[1].alt
    assert names[8] not in pictures[1].alt


def test_many_points_are_drawn_as_a_bitmap(judge):
    rng = np.random.default_rng(0)
    count = 5000
    label = rng.integers(0, 2, count)
    probabilities = rng.dirichlet([1, 1], count)
    metrics, judged = judge(label, probabilities, rng.random(count), rng.random(count), "ab")
    pictures = draw(metrics, judged)
    assert all("<image" in svg(each) for each in pictures[2:4])
    assert max(len(each.uri) for each in pictures) < 400_000


def test_the_corner_is_shown_larger_where_all_curves_lie_there(judge):
    label = np.arange(40) % 2
    sure = np.where(label[:, None] == [0, 1], 0.9, 0.1)
    severity = label * 0.5
    good = draw(*judge(label, sure, severity, severity + 0.01, "ab"))[1]
    assert "shown larger" in good.caption
    poor = draw(*judge(label, np.full((40, 2), 0.5), severity, severity + 0.01, "ab"))[1]
    assert "shown larger" not in poor.caption


def test_bland_altman_shows_the_bias_and_the_limits(judge):
    rng = np.random.default_rng(2)
    severity = rng.choice([0, 0.5], 400)
    predicted = severity + rng.normal(-0.2, 0.1, 400)
    metrics, judged = judge([0] * 400, [[1.0, 0.0]] * 400, severity, predicted, "ab")
    difference = predicted - severity
    limits = difference.mean() + 1.96 * difference.std(ddof=1) * np.array([-1, 1])
    told = draw(metrics, judged)[2].alt
    for name, value in [("bias", difference.mean()), ("−1.96 SD", limits[0])]:
        assert f"{name} −{abs(value):.3f}" in told
    assert f"+1.96 SD {limits[1]:+.3f}".replace(" -", " −") in told


def test_points_are_spread_only_where_severity_takes_few_values(judge):
    rng = np.random.default_rng(3)
    for severity, few in [(rng.choice([0, 0.5], 60), True), (rng.random(60), False)]:
        picture = draw(*judge([0] * 60, [[1.0, 0.0]] * 60, severity, rng.random(60), "ab"))[3]
        assert ("spread sideways" in picture.caption) == few


def test_training_has_a_figure_for_each_phase(result):
    with drawing():
        pictures = training_pictures(result)
    for picture, phase in zip(pictures, result.record.phases, strict=True):
        assert f"Phase {phase.name}, which trains" in picture.caption
        assert f"kept: epoch {phase.best_epoch} of {phase.epochs}" in picture.caption


def test_user_settings_of_matplotlib_change_nothing(judge):
    import matplotlib as mpl

    told = judge([0, 1], [[0.9, 0.1], [0.2, 0.8]], [0, 0.5], [0.1, 0.4], "ab")
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
