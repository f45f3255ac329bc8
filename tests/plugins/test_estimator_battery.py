"""What every estimator must do, whoever brings it."""

import numpy as np
import pytest
from joblib import parallel_config

from crystalvision.classical import ClassicalSystem, load_classical, save_classical
from crystalvision.contracts import Estimator, Features, Target, is_classifier
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()
WIDTH = 12
CENTRES = np.random.default_rng(9).normal(size=(4, WIDTH))

every_estimator = pytest.mark.parametrize("name", CATALOGUE.names("estimator"))
LABEL = Target(name="label", task="classification", classes=tuple("abcd"))
NUMBER = Target(name="label", task="regression")


def create(name: str, seed: int = 0, **options: object) -> Estimator:
    return CATALOGUE.create("estimator", name, options, seed=seed)


def problem(count: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Four clouds that hardly overlap, (n, f), of very different scales; and their labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    points = CENTRES[labels] + 0.4 * rng.normal(size=(count, WIDTH))
    return (points * np.logspace(-2, 2, WIDTH)).astype(np.float32), labels


def fitted(name: str, seed: int = 0) -> Estimator:
    estimator = create(name, seed)
    estimator.fit(*problem())
    return estimator


def told_by(estimator: Estimator, points: np.ndarray) -> np.ndarray:
    """Probabilities (n, k) of a classifier, values (n,) of another."""
    return np.asarray(
        estimator.predict_proba(points) if is_classifier(estimator) else estimator.predict(points)
    )


@every_estimator
def test_probabilities_have_a_row_for_each_image_that_sums_to_one(name):
    estimator = fitted(name)
    told = told_by(estimator, problem(7, seed=1)[0])
    if not is_classifier(estimator):
        assert told.shape == (7,)
        return
    assert told.shape == (7, 4)
    assert (told >= 0).all()
    assert np.allclose(told.sum(axis=1), 1)


@every_estimator
def test_it_learns(name):
    estimator, (points, labels) = fitted(name), problem(200, seed=1)
    if not is_classifier(estimator):
        assert np.corrcoef(estimator.predict(points), labels)[0, 1] > 0.9
        return
    assert estimator.classes_.tolist() == [0, 1, 2, 3]
    assert (estimator.predict_proba(points).argmax(axis=1) == labels).mean() > 0.9


@every_estimator
def test_one_seed_gives_one_result_whatever_the_number_of_jobs(name):
    points = problem(20, seed=1)[0]
    expected = told_by(fitted(name), points)
    with parallel_config(backend="threading", n_jobs=3):
        estimator = fitted(name)
    assert np.array_equal(told_by(estimator, points), expected)


@every_estimator
def test_a_seed_of_64_bits_is_taken(name):
    create(name, seed=2**63 - 1).fit(*problem())


@every_estimator
def test_the_rest_of_the_batch_does_not_matter(name):
    estimator, points = fitted(name), problem(5, seed=1)[0]
    alone = np.concatenate([told_by(estimator, points[[row]]) for row in range(5)])
    assert np.allclose(told_by(estimator, points), alone, atol=1e-6)


@every_estimator
def test_features_that_never_change_and_empty_ones_do_no_harm(name):
    points, labels = problem()
    points[:, 0], points[:, 1] = 5, 0
    estimator = create(name)
    estimator.fit(points, labels)
    assert np.isfinite(told_by(estimator, np.zeros((2, WIDTH), np.float32))).all()


@every_estimator
def test_saved_and_loaded_it_says_the_same(name, tmp_path):
    class Corner(Features):
        def __call__(self, images):
            return images[:, 0, 0, :WIDTH]

    def system(estimator):
        shape = (1, 1, WIDTH)
        target = LABEL if is_classifier(estimator) else NUMBER
        return ClassicalSystem(
            ["corner"], [Corner()], name, estimator, target=target, image_shape=shape
        )

    first, second = system(create(name)), system(create(name))
    first.estimator.fit(*problem())
    save_classical(tmp_path, first)
    load_classical(tmp_path, second)
    points = problem(20, seed=1)[0]
    assert np.array_equal(first.predict_features(points), second.predict_features(points))


@every_estimator
def test_wrong_options_are_refused(name):
    with pytest.raises(InputError, match="has no option 'wibble'"):
        create(name, wibble=1)


def test_probabilities_of_the_svm_are_calibrated():
    """Overlapping clouds: what is said with confidence p is right in about p of the cases."""
    rng = np.random.default_rng(0)
    labels = np.arange(1200) % 2
    points = rng.normal(size=(1200, 3)) + labels[:, None] * 0.8
    estimator = create("svm", kernel="linear")
    estimator.fit(points[:400], labels[:400])
    told = estimator.predict_proba(points[400:])
    right = told.argmax(axis=1) == labels[400:]
    assert told.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.03)
