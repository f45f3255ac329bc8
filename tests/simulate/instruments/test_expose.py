"""One exposure: electrons, stop, mask, and what the order of the stages implies."""

import numpy as np
import pytest
import torch

from crystalvision.errors import InputError
from crystalvision_simulate.instruments.detector import (
    BeamStop,
    Exposure,
    Inelastic,
    Readout,
    expose,
    expose_batch,
)
from crystalvision_simulate.instruments.detector._expected import expected_electrons

SIDE = 0.02
Q = torch.stack(torch.meshgrid(*[(torch.arange(64) - 32.0) * SIDE] * 2, indexing="ij"))
"""q_y and q_x of 64² pixels about the direct beam [1/Å]."""
FLAT = torch.full((1, 64, 64), 1 / 4096)


def q_of(pixels, side=SIDE):
    line = (torch.arange(pixels, dtype=torch.float64) - pixels // 2) * side
    return torch.stack(torch.meshgrid(line, line, indexing="ij"))


def point(pixels=65, where=(32, 32)):
    fraction = torch.zeros(1, pixels, pixels, dtype=torch.float64)
    fraction[0, *where] = 1
    return fraction


def rng(seed=0):
    return np.random.default_rng(seed)


def exposures(fraction, exposure, number, seed=0):
    """Independent exposures of one pattern, (number, c, h, w), in float64."""
    q = q_of(fraction.shape[-1])
    generator = rng(seed)
    images = [expose(fraction, q, generator, exposure) for _ in range(number)]
    return np.stack(images).astype(np.float64)


def test_counts_are_poisson_at_the_stated_dose():
    counts = exposures(FLAT, Exposure(20000), 50)
    mean = 20000 / 4096
    standard_error = np.sqrt(mean / counts.size)
    assert counts.mean() == pytest.approx(mean, abs=4 * standard_error)
    assert counts.var() == pytest.approx(mean, rel=0.02)
    histogram = np.bincount(counts.astype(int).ravel(), minlength=3) / counts.size
    assert histogram[0] == pytest.approx(np.exp(-mean), rel=0.05)
    assert histogram[2] == pytest.approx(np.exp(-mean) * mean**2 / 2, rel=0.03)


def test_every_channel_is_counted():
    fraction = torch.stack([FLAT[0], 3 * FLAT[0]])
    counts = expose(fraction, Q, rng(), Exposure(1e6))
    assert counts.shape == (2, 64, 64)
    assert counts[1].mean() / counts[0].mean() == pytest.approx(3, rel=0.01)


def test_counted_electrons_are_independent_and_integrated_ones_are_not():
    """The autocovariance of integrated noise is that of the point spread: 1/(4πσ²) at no shift."""
    sigma, dose = 0.8, 4e5
    mean = dose / 4096
    counting, integrating = (
        exposures(FLAT, Exposure(dose, kind=kind, point_spread_px=sigma), 40)[..., 8:-8, 8:-8]
        for kind in ("counting", "integrating")
    )

    def covariance(images, shift):
        noise = images - images.mean()
        return (noise[..., shift:] * noise[..., : noise.shape[-1] - shift]).mean()

    spread = np.exp(-0.5 * (np.arange(-4, 5) / sigma) ** 2)
    overlap = np.correlate(spread / spread.sum(), spread / spread.sum(), "full")[8:]
    for shift in (0, 1, 2):
        assert covariance(counting, shift) / mean == pytest.approx(float(shift == 0), abs=0.02)
        assert covariance(integrating, shift) / mean == pytest.approx(
            overlap[shift] * overlap[0], abs=0.02
        )
    assert integrating.mean() == pytest.approx(counting.mean(), rel=2e-3)


def test_the_stop_takes_the_direct_beam_and_nothing_else():
    counts = expose(FLAT, Q, rng(), Exposure(1e6, beam_stop=BeamStop(0.1)))[0]
    radius = torch.hypot(*Q).numpy()
    inside = radius < 0.1 - 1e-6
    assert (counts[inside] == 0).all()
    assert (counts[radius > 0.1 + 1e-6] > 0).all()


@pytest.mark.parametrize(
    ("angle", "tip"), [(0, (0, 1)), (90, (1, 0)), (180, (0, -1)), (45, (1, 1))]
)
def test_the_arm_of_the_stop_reaches_the_edge_on_its_side_only(angle, tip):
    stop = BeamStop(0.05, arm_width_inv_angstrom=0.09, arm_angle_deg=angle)
    blocked = expose(FLAT, Q, rng(), Exposure(1e6, beam_stop=stop))[0] == 0
    for steps in (1, 10, 20, 31):
        assert blocked[32 + steps * tip[0], 32 + steps * tip[1]]
        away = blocked[32 - steps * tip[0], 32 - steps * tip[1]]
        assert away == (steps * SIDE * np.hypot(*tip) < 0.05)
    if angle == 0:
        assert blocked[:, 60].nonzero()[0].tolist() == [30, 31, 32, 33, 34]  # 0.09 / 0.02 = 4.5


def test_the_stop_comes_before_the_point_spread_and_the_mask_after_everything():
    shadow = Exposure(1e7, point_spread_px=1.0, beam_stop=BeamStop(0.1))
    counts = expose(FLAT, Q, rng(), shadow)[0]
    radius = torch.hypot(*Q).numpy()
    assert 0 < counts[32, 36] < 0.9 * counts[32, 50]  # at 0.08 1/Å, one pixel within the edge
    masked = Exposure(
        1e7, point_spread_px=1.0, mask_radius_inv_angstrom=0.1, readout=Readout(offset_counts=7)
    )
    counts = expose(FLAT, Q, rng(), masked)[0]
    assert (counts[radius < 0.1 - 1e-6] == 0).all()
    assert counts[32, 38] == pytest.approx(1e7 / 4096, rel=0.1)  # at 0.12 1/Å


def test_the_same_generator_gives_the_same_counts_and_the_next_call_others():
    exposure = Exposure(1e4, readout=Readout(2, 0.3, 5, 1, 2))
    generator = rng(7)
    first, second = (expose(FLAT, Q, generator, exposure) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, expose(FLAT, Q, rng(7), exposure))
    seeds = np.random.SeedSequence(3)
    again = [expose(FLAT, Q, np.random.default_rng(seeds), exposure) for _ in range(2)]
    assert np.array_equal(*again)


def test_an_exposure_takes_as_much_from_its_generator_whatever_is_drawn():
    """So what is drawn after it does not depend on the dose or on which noise is on."""
    states = []
    for exposure in (
        Exposure(1.0),
        Exposure(1e7),
        Exposure(1e4, kind="integrating", readout=Readout(2, 0.5, 1, 1, 1, 8)),
    ):
        generator = rng(5)
        expose(FLAT, Q, generator, exposure)
        states.append(generator.random())
    assert len(set(states)) == 1


def test_noise_of_reading_leaves_the_electrons_as_they_were():
    plain = expose(FLAT, Q, rng(1), Exposure(1e5)).astype(int)
    noisy = expose(FLAT, Q, rng(1), Exposure(1e5, readout=Readout(1, 0, 100, 0, 0.05)))
    assert np.array_equal(noisy - 100, plain)  # 0.05 counts are lost in rounding


BATCH = [
    Exposure(1e4, point_spread_px=0.5, beam_stop=BeamStop(0.07)),
    Exposure(1e6, point_spread_px=1.5, inelastic=Inelastic(0.3)),
    Exposure(1e5, mtf=((0, 1), (1, 0.3)), readout=Readout(3, 0.4, 10, 1, 2, 12)),
    Exposure(1e5, beam_stop=BeamStop(0.07, 0.05, 30)),
]


def batch_of_fractions():
    fractions = torch.rand((4, 2, 64, 64), generator=torch.Generator().manual_seed(0)) ** 8
    scales = torch.tensor([1.0, 0.98, 1.0, 1.02])[:, None, None, None]
    return fractions / fractions.sum(dim=(2, 3), keepdim=True), Q[None] * scales


def test_a_batch_gives_what_single_calls_give():
    fractions, q = batch_of_fractions()
    together = expose_batch(fractions, q, [rng(i) for i in range(4)], BATCH)
    for index, exposure in enumerate(BATCH):
        alone = expose(fractions[index], q[index], rng(index), exposure)
        assert np.array_equal(together[index], alone)


def test_what_is_expected_of_a_batch_is_what_is_expected_of_each():
    """As on a GPU, where a batch is computed in one go."""
    fractions, q = batch_of_fractions()
    together = expected_electrons(fractions.double(), q.double(), BATCH)
    for index, exposure in enumerate(BATCH):
        one = slice(index, index + 1)
        alone = expected_electrons(fractions[one].double(), q[one].double(), [exposure])[0]
        assert (together[index] - alone).abs().max() < 1e-12 * alone.max()
    single = expected_electrons(fractions, q, BATCH)
    assert ((single - together).abs().amax((1, 2, 3)) < 1e-5 * together.amax((1, 2, 3))).all()


def test_a_batch_is_of_one_kind():
    fractions, q = batch_of_fractions()
    mixed = [Exposure(1.0), Exposure(1.0, kind="integrating")]
    with pytest.raises(InputError, match=r"kinds \['counting', 'integrating'\] in one batch"):
        expose_batch(fractions[:2], q[:2], [rng(), rng()], mixed)


def test_point_spread_moves_electrons_and_loses_none():
    sigma = 0.8
    (image,) = expected_electrons(
        point()[None], q_of(65)[None], [Exposure(1e5, point_spread_px=sigma)]
    )
    rows, columns = np.indices((65, 65)) - 32
    image = image[0].numpy()
    assert image.sum() == pytest.approx(1e5, rel=1e-9)
    for distance in (rows, columns):
        assert np.sqrt((image * distance**2).sum() / image.sum()) == pytest.approx(sigma, rel=2e-3)
    assert image[32, 33] / image[32, 32] == pytest.approx(np.exp(-0.5 / sigma**2), rel=1e-6)
