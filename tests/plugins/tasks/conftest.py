"""Classes and values with estimates, as the tasks are given them."""

import numpy as np
import pytest

from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision_tasks.classification import Classification
from crystalvision_tasks.regression import Regression


def classes(probabilities, label, names="abcd", specimen=None, **options) -> EvaluatedEstimates:
    probabilities, label = np.asarray(probabilities), np.asarray(label)
    target = Target(name="label", task="classification", classes=tuple(names))
    own = np.arange(len(label)) if specimen is None else specimen
    value = probabilities.argmax(axis=1)
    return EvaluatedEstimates(target, label, value, probabilities, own, group=label,
                  group_names=target.classes, **options)  # fmt: skip


def values(predicted, actual, specimen=None, **target) -> EvaluatedEstimates:
    predicted, actual = np.asarray(predicted), np.asarray(actual)
    own = np.arange(len(actual)) if specimen is None else specimen
    target = {"name": "severity", "task": "regression", **target}
    return EvaluatedEstimates(Target(**target), actual, predicted, None, own)


@pytest.fixture(scope="session")
def judged_classes():
    return classes


@pytest.fixture(scope="session")
def judged_values():
    return values


@pytest.fixture(scope="session")
def classification():
    return Classification()


@pytest.fixture(scope="session")
def regression():
    return Regression()
