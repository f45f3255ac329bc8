"""What each of our features says of patterns whose answer is known."""

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

CATALOGUE = Catalogue.load()
SIZE = 33


def create(name, size=SIZE, centre=None, **options):
    centre = centre or ((size - 1) / 2, (size - 1) / 2)
    return CATALOGUE.create(
        "feature", name, options, image_shape=(1, size, size), centre=centre, seed=0
    )


def radius(centre, size=SIZE):
    y, x = np.mgrid[:size, :size]
    return np.hypot(y - centre[0], x - centre[1])


def batch(plane):
    return plane.astype(np.float32)[None, None]


@pytest.mark.parametrize("centre", [(16, 16), (12, 18)])
def test_a_ring_is_one_point_of_the_mean_and_has_no_spread(centre):
    ring = (radius(centre) >= 5) & (radius(centre) < 6)
    mean, spread = np.split(create("radial-profile", centre=centre)(batch(ring))[0], 2)
    assert np.flatnonzero(mean).tolist() == [5]
    assert mean[5] == 1
    assert not spread.any()


def test_the_rings_reach_to_the_nearest_edge():
    assert (
        create("radial-profile", centre=(16, 16), spread=False)(batch(np.zeros((33, 33)))).shape[1]
        == 16
    )
    near = create("radial-profile", centre=(10, 16), spread=False)
    assert near(batch(np.zeros((33, 33)))).shape[1] == 10


def test_spots_have_a_spread_that_a_ring_of_the_same_mean_has_not():
    ring = (radius((16, 16)) >= 8) & (radius((16, 16)) < 9)
    spots = np.zeros((SIZE, SIZE))
    spots[[8, 24, 16, 16], [16, 16, 8, 24]] = ring.sum() / 4
    profile = create("radial-profile")
    mean, spread = np.split(profile(batch(spots))[0], 2)
    assert np.allclose(mean, np.split(profile(batch(ring))[0], 2)[0])
    assert spread[8] > 1


def test_ring_moments_know_no_dose_and_no_counting_noise():
    rng = np.random.default_rng(0)
    rate = rng.gamma(0.5, 2.0, (200, 200))  # as uneven as spots
    moments = create("ring-moments", size=200, ring_pixels=50, binnings=(1,))
    for dose in (20, 2):
        counts = moments(batch(rng.poisson(rate * dose)))[0]
        found = np.split(counts, 4)
        rings = radius((99.5, 99.5), 200) // 50
        for k, (one, two, three) in enumerate(zip(*found[:3], strict=True)):
            inside = rate[rings == k] / rate.mean()
            assert one == pytest.approx(inside.mean(), rel=0.05)
            assert two == pytest.approx(np.sqrt((inside**2).mean()), rel=0.05)
            assert three == pytest.approx(np.cbrt((inside**3).mean()), rel=0.12)


def test_ring_moments_of_a_turned_and_of_an_empty_pattern():
    moments = create("ring-moments", size=32)
    counts = np.random.default_rng(0).poisson(0.7, (32, 32))
    assert np.allclose(moments(batch(counts)), moments(batch(np.rot90(counts))))
    assert moments(batch(counts)).shape == (1, 4 * (4 + 4 + 4))
    empty = moments(batch(np.zeros((32, 32))))[0].reshape(3, 4, 4)
    assert (empty[:, :3] == 0).all()
    assert (empty[:, 3] == 1).all()


def test_the_profile_is_the_same_for_a_turned_crystal():
    pattern = np.random.default_rng(0).random((SIZE, SIZE))
    profile = create("radial-profile")
    assert np.allclose(profile(batch(pattern)), profile(batch(np.rot90(pattern))))


def test_gradients_along_a_row_and_along_a_column_fall_into_different_bins():
    ramp = np.tile(np.arange(32.0), (32, 1))
    hog = create("hog", size=32, cell_pixels=32, block_cells=1, orientations=9)
    across, along = hog(batch(ramp))[0], hog(batch(ramp.T))[0]
    assert across.argmax() != along.argmax()
    assert across.max() == pytest.approx(1)


def test_texture_of_stripes_is_as_reckoned_by_hand():
    stripes = np.tile([0.0, 1.0], (32, 16))
    told = create("haralick", size=32, distances_pixels=(2,), levels=2)(batch(stripes))[0]
    contrast, _, homogeneity, _, correlation, entropy = told[:6]
    # At distance two, the neighbours of 0°, and of 45°, 90° and 135° (two columns or none), agree;
    # diagonal steps of 2·sin 45° are rounded to one pixel and disagree.
    assert contrast == pytest.approx(0.5)
    assert homogeneity == pytest.approx(0.75)
    assert correlation == pytest.approx(0.0, abs=0.01)
    assert entropy == pytest.approx(1.0, abs=0.01)
    assert told[6] == pytest.approx(1)  # the range of contrast over directions


def test_texture_does_not_see_the_scale_of_a_pattern():
    pattern = np.random.default_rng(0).random((SIZE, SIZE))
    haralick = create("haralick")
    assert np.allclose(haralick(batch(pattern)), haralick(batch(3 * pattern - 1)))


def test_principal_components_give_back_patterns_of_as_many_dimensions():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(3, SIZE * SIZE))
    patterns = (rng.normal(size=(30, 3)) @ basis).reshape(30, 1, SIZE, SIZE).astype(np.float32)
    pca = create("pca", components=3)
    pca.fit(patterns)
    state = pca.state()
    again = pca(patterns) @ state["components"] + state["mean"]
    assert np.allclose(again, patterns.reshape(30, -1), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("radial-profile", {"ring_pixels": 20}, r"ring_pixels=20 leaves 0 rings"),
        ("ring-moments", {"ring_pixels": 20}, r"ring_pixels=20 leaves 0 rings"),
        ("ring-moments", {"binnings": (1, 40)}, r"40×40 pixels do not fit images of 33×33"),
        ("hog", {"cell_pixels": 32}, r"needs 64×64 pixels, but prepared images have 33×33"),
        ("haralick", {"distances_pixels": [1, 33]}, r"distances_pixels=33 reaches past"),
        ("haralick", {"levels": 1}, r"levels=1: .*greater than or equal to 2"),
        ("pca", {"components": 0}, r"components=0"),
    ],
)
def test_options_that_cannot_work_say_why(name, options, message):
    with pytest.raises(InputError, match=message) as caught:
        create(name, **options)
    assert "\n" not in str(caught.value)


def net(first, second, size=65, centre=None):
    """An image of Gaussian spots on a net of two vectors (row, column) [pixels]."""
    centre = np.array(centre or ((size - 1) / 2, (size - 1) / 2))
    y, x = np.mgrid[:size, :size]
    image = np.zeros((size, size))
    for i in range(-4, 5):
        for j in range(-4, 5):
            if i or j:
                row, column = centre + i * np.array(first) + j * np.array(second)
                image += np.exp(-((y - row) ** 2 + (x - column) ** 2) / 4) / (1 + i**2 + j**2)
    return image


def test_spots_are_found_where_they_are():
    spots = create("spot-positions", size=65)
    found = spots.find(net((0, 13.3), (13.3, 0)))
    nearest = found[np.hypot(*(found - 32).T).argsort()[:4]] - 32
    np.testing.assert_allclose(np.hypot(*nearest.T), 13.3, atol=0.15)


def test_the_net_of_spots_is_that_of_the_pattern_whatever_its_rotation_and_centre():
    turn = np.deg2rad(33)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    spots = create("spot-positions", size=65, spots=8)
    for centre in (None, (33.4, 31.1)):
        for matrix in (np.eye(2), rotation):
            image = net(matrix @ (12, 0), matrix @ (0, 12 * np.sqrt(2)), centre=centre)
            told = spots(batch(image))[0]
            length, ratio, cosine = told[16:19]
            assert length == pytest.approx(12, abs=0.3)
            assert ratio == pytest.approx(np.sqrt(2), abs=0.05)
            assert cosine == pytest.approx(0, abs=0.05)
