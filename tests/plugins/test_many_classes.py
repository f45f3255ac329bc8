"""Classical systems where there are as many classes as a library has phases."""

import numpy as np

from crystalvision.classical import ClassicalSystem, load_classical, save_classical
from crystalvision.contracts import Features, Target
from crystalvision.plugins import Catalogue
from crystalvision_classical.estimators import _support_vectors

CATALOGUE = Catalogue.load()
CLASSES, WIDTH = 8, 10


class _Corner(Features):
    def __call__(self, images):
        return images[:, 0, 0, :WIDTH]


def patterns(of_each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clouds that hardly overlap, (n, f), and their labels, (n,)."""
    centres = np.random.default_rng(9).normal(size=(CLASSES, WIDTH))
    labels = np.repeat(np.arange(CLASSES), of_each)
    noise = np.random.default_rng(seed).normal(size=(len(labels), WIDTH))
    return (centres[labels] + 0.1 * noise).astype(np.float32), labels


def test_a_support_vector_machine_needs_no_score_for_each_pair_of_them(monkeypatch, tmp_path):
    monkeypatch.setattr(_support_vectors, "_MOST_IN_PAIRS", CLASSES - 1)

    def system():
        estimator = CATALOGUE.create("estimator", "svm", {"folds": 2}, seed=0)
        target = Target(
            name="label", task="classification", classes=tuple(map(str, range(CLASSES)))
        )
        shape = (1, 1, WIDTH)
        return ClassicalSystem(
            ["corner"], [_Corner()], "svm", estimator, target=target, image_shape=shape
        )

    first, second = system(), system()
    first.estimator.fit(*patterns(4, seed=0))
    points, labels = patterns(2, seed=1)
    machine = first.estimator.calibrated_classifiers_[0].estimator[-1]
    assert machine.decision_function(points).shape == (len(points), CLASSES)
    assert len(machine.machine_.estimators_) == CLASSES
    save_classical(tmp_path, first)
    load_classical(tmp_path, second)
    found = second.predict_features(points)
    assert np.array_equal(found, first.predict_features(points))
    assert (found.argmax(axis=1) == labels).mean() > 0.95
