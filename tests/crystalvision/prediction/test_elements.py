"""Candidates that are left out because of what they consist of."""

import numpy as np
import pytest

from crystalvision.contracts import Target
from crystalvision.errors import InputError
from crystalvision.prediction import Estimates, Predictions, most_probable, parse_elements, restrict

TARGET = Target(
    name="label",
    task="classification",
    classes=("TiO2", "Ti", "ZrO2", "TiZrO4"),
    class_elements=(("O", "Ti"), ("Ti",), ("O", "Zr"), ("O", "Ti", "Zr")),
)


def said(target=TARGET):
    probabilities = np.array([[0.1, 0.2, 0.6, 0.1], [0.0, 0.0, 1.0, 0.0]], dtype=np.float32)
    estimates = Estimates(target, probabilities.argmax(1), probabilities)
    return Predictions({"label": estimates}, {"label": "head"})


def test_probabilities_of_those_that_can_be_sum_to_one_in_the_same_order():
    found = restrict(said(), {"Ti", "O"})["label"]
    assert found.names == ["Ti", "TiO2"]
    assert found.probabilities[0].tolist() == pytest.approx([1 / 3, 2 / 3, 0, 0])
    assert found.probabilities.sum(axis=1).tolist() == pytest.approx([1, 1])
    assert most_probable(found, 0, 5) == [
        ("Ti", pytest.approx(2 / 3)),
        ("TiO2", pytest.approx(1 / 3)),
    ]


def test_elements_that_must_be_there_leave_out_those_without():
    found = restrict(said(), None, {"Ti", "O"})["label"]
    assert found.probabilities[0].tolist() == pytest.approx([0.5, 0, 0, 0.5])
    both = restrict(said(), {"Ti", "O"}, {"O"})["label"]
    assert both.probabilities[0].tolist() == [1, 0, 0, 0]


def test_what_leaves_none_is_refused_with_what_was_asked():
    with pytest.raises(InputError, match="none of the 4 candidates consists of Fe, O alone"):
        restrict(said(), {"Fe", "O"})
    with pytest.raises(InputError, match="holds Fe: give other elements"):
        restrict(said(), None, {"Fe"})
    plain = TARGET.model_copy(update={"class_elements": ()})
    with pytest.raises(InputError, match="the classes of 'label' of this run have no formula"):
        restrict(said(plain), {"Ti"})


def test_symbols_are_read_from_text_and_nothing_else_is_taken_for_one():
    assert parse_elements("Ti, O", "--elements") == {"Ti", "O"}
    for text in ("ti", "Ti,,O", "Ti O", "X", "TiO2", ""):
        with pytest.raises(InputError, match="is no element; expected symbols such as Ti,O"):
            parse_elements(text, "--elements")
