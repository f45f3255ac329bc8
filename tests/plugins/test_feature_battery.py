"""What all features must do, whoever brings them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from crystalvision.contracts import Features
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()
SHAPES = [(1, 40, 40), (2, 33, 47), (2, 90), (1, 8, 9, 10)]

every_feature = pytest.mark.parametrize("name", CATALOGUE.names("feature"))
every_feature_and_shape = pytest.mark.parametrize(
    ("name", "shape"),
    [
        pytest.param(name, shape, id=f"{name}-{shape}")
        for name in CATALOGUE.names("feature")
        for shape in SHAPES
        if len(shape) - 1 in CATALOGUE.entry("feature", name).load().dimensions
    ],
)


def make(name: str, shape: tuple[int, ...] = SHAPES[0], **options: object) -> Features:
    """Features that have learnt, where they learn."""
    features = create(name, shape, **options)
    features.fit(images(40, shape, seed=1))
    return features


def create(name: str, shape: tuple[int, ...] = SHAPES[0], **options: object) -> Features:
    centre = tuple((side - 1) / 2 for side in shape[1:])
    return CATALOGUE.create("feature", name, options, image_shape=shape, centre=centre, seed=3)


def images(count: int, shape: tuple[int, ...] = SHAPES[0], seed: int = 0) -> np.ndarray:
    """Noise, (count, *shape)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, *shape)).astype(np.float32)


@every_feature_and_shape
def test_each_image_gets_the_same_number_of_finite_numbers(name, shape):
    features = make(name, shape)
    many, one = features(images(3, shape)), features(images(1, shape))
    assert many.ndim == 2
    assert many.shape == (3, one.shape[1])
    assert one.shape[1] > 0
    assert np.isfinite(many).all()


@every_feature
def test_an_empty_pattern_is_described_by_finite_numbers(name):
    assert np.isfinite(make(name)(np.zeros((2, *SHAPES[0]), np.float32))).all()


@every_feature
def test_different_images_are_told_apart(name):
    first, second = make(name)(images(2))
    assert not np.array_equal(first, second)


@every_feature
def test_the_rest_of_the_batch_does_not_matter(name):
    features, batch = make(name), images(5)
    alone = np.concatenate([features(batch[[row]]) for row in range(5)])
    assert np.array_equal(features(batch), alone)


@every_feature
def test_images_are_left_as_they_are(name):
    batch = images(2)
    make(name)(batch)
    assert np.array_equal(batch, images(2))


@every_feature
def test_made_and_fitted_again_they_say_the_same(name):
    assert np.array_equal(make(name)(images(3)), make(name)(images(3)))


@every_feature
def test_several_threads_get_what_one_gets(name):
    features, batches = make(name), [images(2, seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(features, batches))
    assert all(
        np.array_equal(one, features(batch)) for one, batch in zip(together, batches, strict=True)
    )


@every_feature
def test_what_was_learnt_is_kept_by_its_state(name):
    first, second = make(name), create(name)
    assert bool(first.state()) == first.learns
    second.load_state(first.state())
    assert np.array_equal(first(images(3)), second(images(3)))


@every_feature
def test_a_state_of_something_else_is_refused(name):
    with pytest.raises(ValueError, match=r"\w"):
        create(name).load_state({"wibble": np.zeros(3)})


@every_feature
def test_wrong_options_are_refused(name):
    with pytest.raises(InputError, match="has no option 'wibble'"):
        create(name, wibble=1)
