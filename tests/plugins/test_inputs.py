"""What networks see of raw patterns: the toolkit's own steps, and lists of them."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.inputs import Preprocess, as_parts, build_preprocess
from crystalvision.plugins import Catalogue
from crystalvision.testing._export import Exported

USUAL = ["log1p", "standardise"]


def axes(*sizes: int, scale: float = 0.1, middle: bool = True) -> list[Axis]:
    names = ("q_z", "q_y", "q_x")[-len(sizes) :]
    return [
        Axis(name=name, size=size, scale=scale, offset=-scale * (size // 2) if middle else 1.0)
        for name, size in zip(names, sizes, strict=True)
    ]


def steps(parts: object, grid: list[Axis]) -> Preprocess:
    return build_preprocess(as_parts(parts), Catalogue.load(), grid)


def counts(*shape: int, mean: float = 4.0) -> torch.Tensor:
    return torch.poisson(torch.full(shape, mean), generator=torch.Generator().manual_seed(0))


def mask(*shape: int, share: float = 0.7) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) < share


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_binning_sums_exactly(size):
    images = torch.randint(0, 65536, (2, 3, 24, 12), generator=torch.Generator().manual_seed(0))
    found, _ = steps({"name": "bin", "size": size}, axes(24, 12)).count(images)
    expected = images.reshape(2, 3, 24 // size, size, 12 // size, size).sum((3, 5))
    assert found.dtype == torch.float32
    assert torch.equal(found, expected.float())


def test_a_point_of_binned_patterns_lies_in_the_middle_of_its_block():
    prepare = steps({"name": "bin", "size": [2, 4]}, axes(8, 8))
    for before, after, size in zip(prepare.raw_axes, prepare.axes, (2, 4), strict=True):
        blocks = before.values().reshape(-1, size).mean(axis=1)
        assert np.allclose(after.values(), blocks)
        assert (after.name, after.units) == (before.name, before.units)


def test_a_block_that_was_seen_in_part_counts_for_the_whole():
    images = torch.ones(1, 1, 4, 4)
    seen = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    seen[0, 0, :2, :2] = torch.tensor([[False, True], [True, True]])
    seen[0, 0, :2, 2:] = torch.tensor([[False, False], [False, True]])
    found, still = steps({"name": "bin", "size": 2}, axes(4, 4)).count(images, seen)
    assert found[0, 0].tolist() == [[4, 0], [4, 4]]
    assert still[0, 0].tolist() == [[True, False], [True, True]]


def test_each_image_has_mean_zero_and_deviation_one():
    images = counts(5, 3, 8, 8) * torch.arange(1, 6)[:, None, None, None]
    prepared = steps(USUAL, axes(8, 8))(images)
    assert prepared.mean((1, 2, 3)).abs().max() < 1e-6
    assert torch.allclose(prepared.std((1, 2, 3), correction=0), torch.ones(5), atol=1e-5)


def test_a_constant_image_becomes_zeros():
    images = torch.tensor([0.0, 7.0, 60_000.0])[:, None, None, None].expand(3, 1, 64, 64)
    assert steps(USUAL, axes(64, 64))(images).abs().max() < 1e-4


def test_the_root_makes_the_noise_the_same_everywhere():
    images = torch.cat([counts(1, 1, 100, 100, mean=mean) for mean in (4.0, 40.0, 4000.0)])
    assert steps("sqrt", axes(100, 100))(images).std((1, 2, 3)).tolist() == pytest.approx(
        [1, 1, 1], abs=0.04
    )


@pytest.mark.parametrize("grid", [(60,), (12, 10), (4, 6, 5)], ids=str)
@pytest.mark.parametrize("parts", [USUAL, ["log1p"], ["sqrt", "standardise"], "none"], ids=str)
def test_what_was_not_seen_does_not_matter_and_becomes_the_mean(parts, grid):
    """Whatever a hidden point holds: a network never takes it for a zero."""
    images, seen = counts(4, 1, *grid, mean=20.0), mask(4, 1, *grid)
    prepare = steps(parts, axes(*grid))
    found = prepare(images * seen, seen=seen)
    assert torch.equal(found, prepare(images.masked_fill(~seen, 1e6), seen=seen))
    for image, visible, raw in zip(found, seen, images, strict=True):
        assert torch.allclose(image[~visible], image[visible].mean(), atol=1e-4)
        alone = steps(parts, axes(int(visible.sum())))(raw[visible][None, None])
        assert torch.allclose(image[visible], alone[0, 0], atol=1e-4)


def test_an_image_of_which_nothing_was_seen_is_nothing():
    found = steps(USUAL, axes(6, 6))(
        counts(1, 1, 6, 6), seen=torch.zeros(1, 1, 6, 6, dtype=torch.bool)
    )
    assert (found == 0).all()


def test_crop_keeps_ranges_of_axes_in_their_units():
    prepare = steps({"name": "crop", "ranges": {"q_x": [-0.2, 0.1]}}, axes(6, 8))
    images = torch.arange(48.0).reshape(1, 1, 6, 8)
    assert torch.equal(prepare(images), images[..., 2:6])
    assert prepare.axes[1].values() == pytest.approx([-0.2, -0.1, 0, 0.1])
    assert prepare.axes[0] == prepare.raw_axes[0]


def test_crop_keeps_points_in_the_middle():
    images = torch.arange(48.0).reshape(1, 1, 6, 8)
    prepare = steps({"name": "crop", "points": 4}, axes(6, 8))
    assert torch.equal(prepare(images), images[..., 1:5, 2:6])
    assert [axis.size for axis in prepare.axes] == [4, 4]


def test_counts_end_at_the_first_step_that_keeps_none():
    parts = [{"name": "crop", "points": 8}, {"name": "bin", "size": 2}, *USUAL]
    prepare = steps(parts, axes(12, 12))
    assert [axis.size for axis in prepare.count_axes] == [4, 4]
    doubled = prepare(counts(2, 1, 12, 12), lambda images, seen: (images * 0 + 3, seen))
    assert doubled.abs().max() < 1e-5


def wheel(turn: float, size: int = 65) -> torch.Tensor:
    """Two spokes about a beam that is not in the middle."""
    y, x = np.mgrid[:size, :size] - np.array([size // 2 - 5, size // 2 + 3])[:, None, None]
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    image = np.exp(-radius / 20) * (2 + np.cos(2 * (angle - turn)))
    return torch.from_numpy(image).float()[None, None]


def off_centre(size: int = 65) -> list[Axis]:
    places = {"q_y": size // 2 - 5, "q_x": size // 2 + 3}
    return [
        Axis(name=name, size=size, scale=0.1, offset=-0.1 * place) for name, place in places.items()
    ]


def test_polar_turns_a_turn_about_the_beam_into_a_shift_along_the_angle():
    prepare = steps({"name": "polar", "angles": 72}, off_centre())
    still, turned = (prepare(wheel(turn)) for turn in (0.0, 2 * np.pi / 72 * 7))
    outer = slice(6, None)  # nearer, a point is the mean of most of the circle
    shifted = still.roll(7, dims=3)
    assert (turned - shifted)[:, :, outer].abs().max() < 0.03
    assert (turned - still)[:, :, outer].abs().max() > 0.5


def test_polar_gives_counts_a_pixel_at_radius_and_angle():
    prepare = steps({"name": "polar", "angles": 90, "radii": 27}, off_centre())
    radius, angle = prepare.axes
    assert (radius.units, angle.units, angle.size) == ("1/angstrom", "degree", 90)
    assert radius.values()[0] == pytest.approx(radius.scale / 2)
    assert radius.values()[-1] + radius.scale / 2 == pytest.approx(2.7)  # the nearest edge
    expected = np.exp(-radius.values()[:, None] / 0.1 / 20) * (
        2 + np.cos(2 * np.radians(angle.values()))
    )
    found = prepare(wheel(0.0))[0, 0].numpy()
    assert np.abs(found - expected)[6:].max() < 0.03


def test_polar_is_of_what_was_seen():
    images = torch.full((1, 1, 65, 65), 5.0)
    seen = torch.ones_like(images, dtype=torch.bool)
    seen[..., 20:24, :] = False
    (step,) = steps("polar", off_centre()).steps
    found, still = step(images.masked_fill(~seen, 0), seen)
    assert 0 < int((~still).sum()) < still.numel() / 4
    assert torch.allclose(found[still], torch.tensor(5.0))


@pytest.mark.parametrize(
    ("parts", "grid", "message"),
    [
        ({"name": "bin", "size": 3}, axes(8, 8), "'bin': size=3 does not divide images of 8×8"),
        ({"name": "bin", "size": [2, 2]}, axes(8), r"size=\[2, 2\] for patterns of 1 dimensions"),
        ({"name": "bin", "size": 0}, axes(8, 8), "'bin': option size=0: "),
        ("polar", axes(8), r"'polar' is for patterns of 2 dimensions, .* has 1 \(q_x\): leave"),
        (["polar", "polar"], axes(8, 8), "'polar' needs axes of the same units, not q in 1/ang"),
        ("polar", axes(8, 8, middle=False), "direct beam within the pattern, but q_y goes from 1"),
        ({"name": "crop", "points": 9}, axes(8, 8), r"points=\[9, 9\] of patterns of 8×8"),
        ({"name": "crop", "ranges": {"q": [0, 1]}}, axes(8, 8), "no axis is called 'q'; .* q_y, q"),
        ({"name": "crop", "ranges": {"q_x": [5, 6]}}, axes(8, 8), "leaves nothing of q_x, which g"),
        (
            {"name": "crop", "ranges": {"q_x": [0, 1]}, "points": 2},
            axes(8, 8),
            "both ranges and points",
        ),
        ("log", axes(8, 8), "no input is called 'log'; did you mean 'log1p'"),
        ({"name": "log1p", "base": 2}, axes(8, 8), "'log1p' has no option 'base'"),
    ],
)
def test_what_cannot_be_prepared_so_is_refused(parts, grid, message):
    with pytest.raises(InputError, match=message):
        steps(parts, grid)


def test_patterns_of_another_grid_are_refused():
    with pytest.raises(InputError, match="patterns of 8×6 points; the input was built for 8×8"):
        steps(USUAL, axes(8, 8))(counts(1, 1, 8, 6))


@pytest.mark.parametrize(
    "parts",
    [
        [{"name": "bin", "size": 2}, "log1p", "standardise"],
        [{"name": "crop", "points": 10}, {"name": "polar", "angles": 16}, "sqrt", "standardise"],
    ],
    ids=["bin", "crop, polar"],
)
def test_lists_are_exported_as_they_are(parts):
    prepare = steps(parts, axes(16, 16))

    def batch(samples: int) -> tuple[torch.Tensor]:
        images = counts(samples, 1, 16, 16)
        images[0] = 0
        return (images,)

    exported = Exported(prepare, batch)
    exported.check()
    exported.check_onnx()
