"""Augmentations: those of all, and what the toolkit's own do."""

import math

import pytest
import torch

from crystalvision.contracts import Augmentation
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_augmentation.beam_stop import BeamStop
from crystalvision_augmentation.dihedral import Dihedral
from crystalvision_augmentation.magnification import Magnification
from crystalvision_augmentation.measured_baseline import MeasuredBaseline
from crystalvision_augmentation.range import Range
from crystalvision_augmentation.rotation import Rotation
from crystalvision_augmentation.shift import Shift
from crystalvision_augmentation.thinning import Thinning

NAMES = [entry.qualified_name for entry in Catalogue.load().of_kind("augmentation")]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def poisson(*shape: int, mean: float = 3.0) -> torch.Tensor:
    return torch.poisson(torch.full(shape, mean), generator=seeded(9))


def cases():
    """Each augmentation, and a shape of images for each number of dimensions that it works on."""
    catalogue = Catalogue.load()
    for name in NAMES:
        for dimensions in sorted(catalogue.create("augmentation", name).dimensions):
            yield pytest.param((name, dimensions), id=f"{name}-{dimensions}d")


DRAWING = (MeasuredBaseline, Thinning)
"""Those that draw counts, beside hiding and moving them."""


@pytest.fixture
def options(tmp_path) -> dict[str, dict[str, object]]:
    """Options of those that cannot do without."""
    path = tmp_path / "measured.xy"
    counts = torch.cat([torch.linspace(60, 90, 260), torch.tensor([100.0] * 40)])
    path.write_text("".join(f"{i / 50:.2f} {one:.0f}\n" for i, one in enumerate(counts)))
    return {"measured-baseline": {"files": [str(path)], "points": 30}}


@pytest.fixture(params=list(cases()))
def augmentation(request, options) -> Augmentation:
    name = request.param[0]
    return Catalogue.load().create("augmentation", name, options.get(name.split(":")[-1], {}))


@pytest.fixture
def grid(request, augmentation) -> tuple[int, ...]:
    side = {1: 200, 2: 24, 3: 12}
    dimensions = request.node.callspec.params["augmentation"][1]
    return (side[dimensions],) * dimensions


def test_it_gives_counts_of_the_same_shape_and_changes_no_input(augmentation, grid):
    counts = poisson(6, 1, *grid)
    before = counts.clone()
    augmentation.check((1, *grid))
    changed, seen = augmentation.apply(counts, seeded())
    assert (seen is not None) == isinstance(augmentation, Range)
    assert torch.equal(counts, before)
    assert (changed.shape, changed.dtype) == (counts.shape, counts.dtype)
    assert torch.equal(changed, changed.round())
    assert (changed >= 0).all()
    assert not torch.equal(changed, counts)


def test_what_was_not_seen_moves_with_the_image(augmentation, grid):
    """Counts that were seen are 1 or more, those that were not are 0, before and after."""
    counts = poisson(6, 1, *grid).clamp_min(1)
    seen = torch.rand(counts.shape, generator=seeded(5)) > 0.3
    changed, still = augmentation.apply(counts * seen, seeded(), seen)
    assert (still.shape, still.dtype) == (seen.shape, torch.bool)
    assert (changed[~still] == 0).all()
    assert still.any()
    if not isinstance(augmentation, DRAWING):
        assert (changed[still] > 0).all()
        alone, _ = augmentation.apply(counts * seen, seeded())
        assert torch.equal(alone, changed)


def test_it_repeats_with_its_generator_alone(augmentation, grid):
    counts = poisson(6, 1, *grid)
    torch.manual_seed(1)
    first, _ = augmentation.apply(counts, seeded(3))
    torch.manual_seed(2)
    assert torch.equal(first, augmentation.apply(counts, seeded(3))[0])
    assert not torch.equal(first, augmentation.apply(counts, seeded(4))[0])


def test_each_image_has_draws_of_its_own(augmentation, grid):
    counts = poisson(1, 1, *grid).expand(40, *[-1] * (1 + len(grid)))
    changed, _ = augmentation.apply(counts, seeded())
    assert len({tuple(image.flatten().tolist()) for image in changed}) > 1


def test_dihedral_draws_all_eight_symmetries_and_nothing_else():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    allowed = {
        tuple(torch.rot90(flipped, k, (-2, -1)).flatten().tolist())
        for flipped in (image, image.flip(-1))
        for k in range(4)
    }
    turned, _ = Dihedral().apply(image.expand(400, -1, -1, -1), seeded())
    found = [tuple(one.flatten().tolist()) for one in turned]
    assert set(found) == allowed
    assert len(allowed) == 8
    assert min(found.count(symmetry) for symmetry in allowed) > 25  # 50 expected


def test_thinned_counts_are_poisson_of_the_thinned_mean():
    mean, least = 20.0, 0.3
    counts = poisson(200, 1, 32, 32, mean=mean)
    thinned, _ = Thinning(least).apply(counts, seeded())
    kept = thinned.mean((1, 2, 3)) / counts.mean((1, 2, 3))
    assert least * 0.95 < float(kept.min()) < least * 1.1
    assert 0.9 < float(kept.max()) < 1.0
    assert float(kept.log().mean()) == pytest.approx(math.log(least) / 2, abs=0.07)
    # The variance of Poisson counts is their mean; scaled counts would have less.
    fano = thinned.var((1, 2, 3)) / thinned.mean((1, 2, 3))
    assert float(fano.mean()) == pytest.approx(1.0, abs=0.01)


def test_thinning_refuses_what_are_no_counts():
    with pytest.raises(InputError, match="'thinning' needs counts, but these images have frac"):
        Thinning().apply(torch.full((1, 1, 4, 4), 0.5), seeded())


def test_shifted_images_come_from_every_offset_and_bring_no_counts_with_them():
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 4, 4] = 1
    moved, _ = Shift(2).apply(image.expand(500, -1, -1, -1), seeded())
    places = {tuple(place.tolist()) for place in moved.nonzero()[:, 2:]}
    assert places == {(y, x) for y in range(2, 7) for x in range(2, 7)}
    edge = torch.ones(1, 1, 9, 9).expand(50, -1, -1, -1)
    assert sorted(set(Shift(1).apply(edge, seeded())[0].sum((1, 2, 3)).tolist())) == [64, 72, 81]


def test_a_rotation_keeps_the_centre_and_distances_from_it():
    image = torch.zeros(1, 1, 33, 45)
    image[0, 0, 16, 22] = 5
    image[0, 0, 16, 32] = 7
    turned, _ = Rotation(90).apply(image.expand(60, -1, -1, -1), seeded())
    assert (turned[:, 0, 16, 22] == 5).all()
    spots = (turned == 7).nonzero()
    away = torch.hypot(spots[:, 2] - 16.0, spots[:, 3] - 22.0)
    assert float((away - 10).abs().max()) < 1
    angles = torch.atan2(spots[:, 2] - 16.0, spots[:, 3] - 22.0)
    assert float(angles.abs().max()) <= math.pi / 2 + 0.1
    assert float(angles.max()) > 1 > -1 > float(angles.min())


def test_a_magnification_moves_spots_along_their_radius_by_up_to_its_factor():
    image = torch.zeros(1, 1, 65, 65)
    image[0, 0, 31:34, 31:34] = 5
    image[0, 0, 31:34, 51:54] = 7
    changed, _ = Magnification(1.5).apply(image.expand(80, -1, -1, -1), seeded())
    assert (changed[:, 0, 32, 32] == 5).all()
    away = [(one[0] == 7).nonzero().float().mean(0) - 32 for one in changed]
    assert max(abs(float(place[0])) for place in away) < 1
    factors = torch.stack([place[1] / 20 for place in away])
    assert 1 / 1.5 - 0.05 < float(factors.min()) < 0.75
    assert 1.4 < float(factors.max()) < 1.55
    assert abs(float(factors.log().mean())) < 0.1


def test_a_beam_stop_hides_the_beam_and_a_bar_to_one_side():
    counts = torch.ones(200, 1, 41, 41)
    seen, _ = BeamStop(radius_pixels=4, bar_pixels=3, share=0.5).apply(counts, seeded())
    hidden = seen[:, 0, 20, 20] == 0
    assert 70 < int(hidden.sum()) < 130
    assert (seen[~hidden] == 1).all()
    area = (1 - seen[hidden]).sum((1, 2, 3))
    assert float(area.min()) > math.pi * 16 + 3 * 12
    assert float(area.max()) < math.pi * 16 + 3 * 30


@pytest.mark.parametrize(
    ("augmentation", "shape", "message"),
    [
        (Dihedral(), (1, 4, 6), "'dihedral' needs square images, not 4×6"),
        (Dihedral(), (3, 6, 6), r"'dihedral' turns images of one channel; these have 3"),
        (Rotation(), (3, 6, 6), r"'rotation' turns images of one channel; these have 3"),
        (Shift(3), (1, 6, 6), "up to 3 pixels moves images of 6×6 out of themselves"),
        (BeamStop(5), (1, 10, 10), "radius_pixels=5 .* hides all of an image of 10×10"),
    ],
)
def test_images_that_cannot_be_changed_so_are_refused(augmentation, shape, message):
    with pytest.raises(InputError, match=message):
        augmentation.check(shape)


def test_a_shorter_range_hides_both_ends_of_some_curves():
    counts = poisson(400, 1, 300).clamp_min(1)
    changed, seen = Range(least=0.4, share=0.5).apply(counts, seeded())
    whole = seen.all(-1).flatten()
    assert 0.4 < float(whole.float().mean()) < 0.6
    length = seen.sum(-1).flatten()[~whole]
    assert int(length.min()) >= 0.4 * 300 - 1
    assert int(length.min()) < 150
    edges = seen[..., 1:].int() - seen[..., :-1].int()
    assert int(edges.abs().sum(-1).max()) == 2  # in one piece
    assert not seen[:, :, 0].all()
    assert not seen[:, :, -1].all()
    assert (changed[~seen.expand_as(changed)] == 0).all()
    before = torch.zeros_like(counts, dtype=torch.bool)
    assert not Range().apply(counts * 0, seeded(), before)[1].any()


def test_the_strongest_points_stand_on_measured_noise(tmp_path):
    """Wang et al.: the largest points of the calculated pattern, shuffled noise elsewhere."""
    for name, level in (("low", 100), ("high", 300)):
        peaks = [1000] * 50
        rows = [f"{10 + i / 10:.1f},{one}" for i, one in enumerate([level] * 300 + peaks)]
        (tmp_path / f"{name}.csv").write_text("two_theta_deg,counts\n" + "\n".join(rows))
    curve = torch.zeros(200, 1, 350)
    curve[..., 100:150] = torch.linspace(2000, 5000, 50)
    made = MeasuredBaseline(files=[str(tmp_path)], points=50)
    made.check((1, 350))
    changed, _ = made.apply(curve, seeded())
    assert torch.equal(changed[..., 100:150], curve[..., 100:150])
    levels = changed[..., :100].flatten(1)
    assert {tuple(set(row.tolist())) for row in levels} == {(500.0,), (1500.0,)}


@pytest.mark.parametrize(
    ("files", "points", "message"),
    [
        ([], 400, "name files or folders"),
        (["nowhere.csv"], 400, r"nowhere\.csv"),
    ],
)
def test_noise_of_nothing_is_refused(files, points, message):
    with pytest.raises(InputError, match=message):
        MeasuredBaseline(files=files, points=points).check((1, 2000))


def test_noise_of_what_is_no_pattern_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("two words\n1 2\n")
    with pytest.raises(InputError, match=r"notes\.txt"):
        MeasuredBaseline(files=[str(tmp_path)])
