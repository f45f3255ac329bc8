"""The input that folds a pattern along the net of its spots."""

import math

import numpy as np
import pytest
import torch

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision_inputs._net import find_net
from crystalvision_inputs.lattice import Lattice

SIZE = 96
RECTANGLE = ((0.0, 9.0), (12.0, 0.0))
HEXAGON = ((0.0, 10.0), (10 * math.sqrt(3) / 2, 5.0))
OBLIQUE = ((1.0, 9.0), (11.0, 4.0))
NETS = pytest.mark.parametrize("net", [RECTANGLE, HEXAGON, OBLIQUE])


def axes(size: int = SIZE) -> list[Axis]:
    return [
        Axis(name=name, size=size, scale=0.02, offset=-0.02 * (size // 2))
        for name in ("q_y", "q_x")
    ]


def pattern(net, *, turned=0.0, centre=(0.0, 0.0), diffuse=0.3, scale=1.0) -> torch.Tensor:
    """Expected intensity of Gaussian spots on a net of vectors (y, x) [pixels], and of a halo."""
    cos, sin = math.cos(turned), math.sin(turned)
    vectors = scale * np.array(net) @ np.array([[cos, -sin], [sin, cos]])
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2 - np.array(centre)[:, None, None]
    image = diffuse * np.exp(-(y**2 + x**2) / (2 * 25**2)) / 30
    for h in range(-14, 15):
        for k in range(-14, 15):
            if h or k:
                v, u = h * vectors[0] + k * vectors[1]
                height = np.exp(-(v**2 + u**2) / (2 * 25**2))
                image = image + height * np.exp(-((y - v) ** 2 + (x - u) ** 2) / 2)
    return torch.from_numpy(image / image.sum()).float()[None, None]


def exposed(image: torch.Tensor, electrons: float, seed: int = 0) -> torch.Tensor:
    return torch.poisson(image * electrons, generator=torch.Generator().manual_seed(seed))


def found(image: torch.Tensor):
    step = Lattice(axes())
    return find_net(image[:, 0], step.y, step.x, step.orders)


@NETS
@pytest.mark.parametrize(("electrons", "within"), [(1e5, 0.05), (400, 0.4)])
def test_the_net_and_the_beam_are_found(net, electrons, within):
    centre, turned, scale = (1.6, -0.7), 0.4, 1.03
    net_found = found(exposed(pattern(net, turned=turned, centre=centre, scale=scale), electrons))
    assert net_found.centre[0].numpy() == pytest.approx(centre, abs=within)
    cos, sin = math.cos(turned), math.sin(turned)
    vectors = scale * np.array(net) @ np.array([[cos, -sin], [sin, cos]])
    numbers = vectors @ net_found.waves[0].numpy().T  # whole, of each spot
    assert numbers == pytest.approx(np.round(numbers), abs=within / 10)
    assert abs(np.linalg.det(np.round(numbers))) == pytest.approx(1)  # no coarser and no finer net


@NETS
def test_quarter_turns_change_nothing(net):
    image = exposed(pattern(net), 3e4)[..., 1:, 1:]  # the beam in the middle of an odd image
    step = Lattice(
        [Axis(name=n, size=SIZE - 1, scale=0.02, offset=-0.02 * 47) for n in ("q_y", "q_x")]
    )
    expected = step(image)[0]
    for turn in (1, 2, 3):
        folded = step(torch.rot90(image, turn, (-2, -1)))[0]
        assert torch.allclose(folded, expected, atol=0.01 * float(expected.max()))


@NETS
def test_any_turn_and_centre_change_little(net):
    step = Lattice(axes())
    folded = [
        step(1e5 * pattern(net, turned=turned, centre=centre))[0]
        for turned, centre in ((0.0, (0.0, 0.0)), (0.3, (1.3, -0.4)), (1.0, (-0.5, 2.0)))
    ]
    middle = slice(0, 5)  # rings that no image's edge cuts
    for other in folded[1:]:
        difference = (other - folded[0])[..., middle, :].abs().sum()
        # How pixels cut the spots is left.
        assert difference < 0.05 * folded[0][..., middle, :].sum()


def test_bragg_lies_near_spots_and_diffuse_between():
    step = Lattice(axes())
    few, many = (
        step(1e5 * pattern(HEXAGON, turned=0.2, diffuse=share))[0][0, 0, 1:5]
        for share in (0.0, 3.0)
    )
    far = slice(4, None)
    assert few[:, far].sum() < 0.01 * few.sum()
    assert many[:, far].sum() > 0.05 * many.sum()


def test_no_count_is_lost():
    image = exposed(pattern(OBLIQUE, turned=0.7), 2e3)
    folded, seen = Lattice(axes(), rings=5, distances=3)(image)
    assert seen is None
    assert folded.shape == (1, 1, 5, 3)
    assert float(folded.sum()) == pytest.approx(float(image.sum()), rel=1e-5)


def test_each_channel_has_a_net_of_its_own():
    step = Lattice(axes())
    one, other = exposed(pattern(HEXAGON), 1e4), exposed(pattern(RECTANGLE, turned=0.5), 1e4)
    both = step(torch.cat([one, other], dim=1))[0]
    assert torch.allclose(both[:, :1], step(one)[0], rtol=1e-3, atol=1e-2)
    assert torch.allclose(both[:, 1:], step(other)[0], rtol=1e-3, atol=1e-2)


def test_a_beam_stop_is_no_zero():
    step = Lattice(axes())
    image = 1e5 * pattern(HEXAGON, turned=0.2)
    seen = torch.ones_like(image, dtype=torch.bool)
    seen[..., 44:52, :48] = False  # an arm from the left to the middle
    folded, measured = step(image * seen, seen)
    expected = step(image)[0]
    rings = slice(2, 4)
    assert measured is not None
    assert bool(measured[..., rings, :5].all())
    ratio = folded[..., rings, :4].sum() / expected[..., rings, :4].sum()
    assert float(ratio) == pytest.approx(1, abs=0.05)


def test_the_axes_are_calibrated():
    ring, distance = Lattice(axes(), rings=6, ring_pixels=8, distances=5).axes(axes())
    assert (ring.name, ring.size, ring.units) == ("q", 6, "1/angstrom")
    assert ring.values()[1] == pytest.approx(8 * 0.02)
    assert (distance.name, distance.size) == ("distance", 5)
    assert distance.values()[2] == pytest.approx(2 * 0.02)


def test_pixels_that_are_no_squares_are_refused():
    rows, columns = axes()
    with pytest.raises(InputError, match=r"square pixels, not q_y of 0\.02 .* q_x of 0\.03"):
        Lattice([rows, columns.model_copy(update={"scale": 0.03})])
    with pytest.raises(InputError, match=r"at least 8×8 pixels, not 6×6"):
        Lattice(axes(6))
