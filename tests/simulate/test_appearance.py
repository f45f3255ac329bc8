"""What zone-axis patterns look like, and which of them cannot be told apart."""

import numpy as np
import pytest
import torch

from crystalvision.contracts import Beam
from crystalvision.errors import InputError
from crystalvision_simulate.appearance import Camera, find_appearances, look_alike, zone_spots
from crystalvision_simulate.recipes import Recipe, load_recipe
from crystalvision_simulate.renderers.kinematic import Kinematic
from crystalvision_simulate.renderers.multislice import Multislice
from crystalvision_simulate.simulator import Simulator
from crystalvision_simulate.specimens import SlabCutter, specimen_of

CPU = torch.device("cpu")
CONDITIONS = {"thicknesses_angstrom": (60.0, 98.2, 160.0), "energies_kev": (100.0, 300.0)}
CAMERA = Camera(
    dose_electrons=1e6,
    reach_inv_angstrom=1.28,
    blind_inv_angstrom=0.06,
    tolerance_inv_angstrom=0.01,
    scales=(0.6, 1.67),
)


def crystal(catalogue, name):
    return catalogue.create("structure", name, {})


def spots_of(catalogue, name, axis, scattering="dynamical", reach=1.28, **conditions):
    return zone_spots(
        crystal(catalogue, name),
        axis,
        reach_inv_angstrom=reach,
        scattering=scattering,
        **{**CONDITIONS, **conditions},
    )


def rendered(renderer, unit_cell, thickness):
    """Fraction of the beam at every point of a slab's pattern [1/Å], and the slab's thickness."""
    slab = SlabCutter(unit_cell, width_angstrom=unit_cell.cell[0, 0]).cut(thickness)
    (pattern,) = renderer.render([[specimen_of(slab)]], [Beam(energy_kev=200)], device=CPU)
    row, column = pattern.direct_beam
    q_y, q_x = (np.arange(axis.size) * axis.scale + axis.offset for axis in pattern.axes)
    assert q_y[row] == pytest.approx(0, abs=1e-9)
    assert q_x[column] == pytest.approx(0, abs=1e-9)
    return pattern.intensity[0].numpy(), q_y, q_x, float(slab.cell[2, 2])


@pytest.mark.parametrize(
    ("scattering", "renderer", "thickness", "tolerance"),
    [
        ("kinematic", Kinematic(band_limit_inv_angstrom=1.6), 20, 0.002),
        (
            "dynamical",
            Multislice(slice_thickness_angstrom=1.0, band_limit_inv_angstrom=4.0),
            80,
            0.02,
        ),
    ],
)
def test_spots_are_as_bright_as_the_renderers_have_them(
    catalogue, scattering, renderer, thickness, tolerance
):
    unit_cell = crystal(catalogue, "aluminium")
    intensity, q_y, q_x, thick = rendered(renderer, unit_cell, thickness)
    spots = spots_of(
        catalogue,
        "aluminium",
        (0, 0, 1),
        scattering,
        reach=4.0 if scattering == "dynamical" else 1.5,
        thicknesses_angstrom=(thick,),
        energies_kev=(200.0,),
    )
    near = np.hypot(*spots.places_inv_angstrom.T) < 1.2
    assert near.sum() >= 20
    for place, fraction in zip(spots.places_inv_angstrom[near], spots.greatest[near], strict=True):
        x, y = (int(np.abs(q - at).argmin()) for q, at in zip((q_x, q_y), place, strict=True))
        assert intensity[y, x] == pytest.approx(fraction, abs=tolerance)


def test_forbidden_spots_are_seen_where_electrons_scatter_twice(catalogue):
    """200 of silicon along [011] (Cowley, Diffraction Physics, 1995, chapter 15)."""
    length = 2 / crystal(catalogue, "silicon").cell[0, 0]
    for scattering, seen in (("kinematic", False), ("dynamical", True)):
        spots = spots_of(catalogue, "silicon", (0, 1, 1), scattering)
        at = np.isclose(np.hypot(*spots.places_inv_angstrom.T), length, rtol=1e-3)
        assert at.sum() == 2
        assert bool((1e6 * spots.greatest[at] > 9).all()) is seen


@pytest.mark.parametrize(
    ("one", "other", "axis", "scattering", "alike"),
    [
        ("aluminium", "iron", (0, 0, 1), "kinematic", True),  # square nets
        ("aluminium", "iron", (0, 1, 1), "kinematic", False),  # centred, and not
        ("aluminium", "iron", (1, 1, 1), "kinematic", True),  # hexagonal nets
        ("aluminium", "copper", (0, 1, 3), "kinematic", True),
        ("aluminium", "silicon", (0, 1, 1), "kinematic", False),  # 200 is forbidden
        ("aluminium", "silicon", (0, 1, 1), "dynamical", True),  # and seen all the same
    ],
)
def test_nets_alone_tell_crystals_apart(catalogue, one, other, axis, scattering, alike):
    first, second = (spots_of(catalogue, name, axis, scattering) for name in (one, other))
    assert look_alike(first, second, CAMERA) is alike
    assert look_alike(second, first, CAMERA) is alike
    assert look_alike(first, first, CAMERA)


def test_what_camera_lengths_cannot_do_tells_apart(catalogue):
    first, second = (spots_of(catalogue, name, (0, 0, 1)) for name in ("copper", "sodium-chloride"))
    assert look_alike(first, second, CAMERA)
    one_length = Camera(1e6, 1.28, 0.06, 0.01, scales=(0.98, 1.02))
    assert not look_alike(first, second, one_length)


def test_with_few_electrons_nothing_can_be_told(catalogue):
    first, second = (spots_of(catalogue, name, (0, 1, 1)) for name in ("aluminium", "iron"))
    assert not look_alike(first, second, CAMERA)
    dark = Camera(1.0, 1.28, 0.06, 0.01, (0.6, 1.67))
    assert not look_alike(first, second, dark), "no spot is seen, so no likeness either"


def test_classes_that_look_like_a_third_are_one(catalogue):
    classes = {
        name: [crystal(catalogue, one) for one in crystals]
        for name, crystals in (
            ("fcc", ["aluminium", "copper"]),
            ("bcc", ["iron"]),
            ("p", ["cu3au"]),
        )
    }
    axes = {"fcc": ((0, 0, 1), (0, 1, 1)), "bcc": ((0, 0, 1), (0, 1, 1)), "p": ((0, 1, 1),)}
    found = find_appearances(classes, axes, camera=CAMERA, scattering="kinematic", **CONDITIONS)
    assert found.names[0] == "fcc+bcc [0 0 1]"
    assert found.of[0, (0, 0, 1)] == found.of[1, (0, 0, 1)]
    assert found.of[0, (0, 1, 1)] != found.of[1, (0, 1, 1)]
    assert found.column.label_shares[0] == {"fcc": 0.5, "bcc": 0.5}
    assert found.column.classes == found.names


SMALL = (
    "samples=24",
    "specimen.zone_axis={choice: [[0, 0, 1], [0, 1, 1], [1, 1, 1]]}",
    "specimen.width_angstrom=20",
    "specimen.aperture_diameter_angstrom=10",
    "specimen.thickness_angstrom=10",
    "renderer={name: kinematic, band_limit_inv_angstrom: 1.8}",
    "instrument.pixels=32",
    "instrument.pixel_size_inv_angstrom=0.06",
    "appearance=kinematic",
    "patterns_per_specimen=3",
)


@pytest.fixture
def study(catalogue):
    return lambda *settings: Simulator(
        load_recipe("sadp-study", catalogue, [*SMALL, *settings]), catalogue
    )


def test_a_test_of_two_crystals_has_the_appearances_of_all(study):
    whole, two = study(), study("only=[aluminium, iron]")
    assert two.targets.columns["appearance"] == whole.targets.columns["appearance"]
    names = two.targets.columns["appearance"].classes
    seen = {names[int(two.scene(index).columns["appearance"])] for index in range(24)}
    assert len(seen) < len(names)
    assert all("fm3m" in name or "im3m" in name for name in seen)


def test_without_a_dose_nothing_can_be_said(study):
    with pytest.raises(InputError, match="what cannot be told apart depends on the dose"):
        study("instrument=none", "renderer={name: kinematic}")


def test_patterns_of_a_specimen_share_all_but_the_axis(study):
    simulator = study("kinds=[vacancies]", "samples=9")
    columns = [simulator.scene(index).columns for index in range(9)]
    for start in (0, 3, 6):
        mine = columns[start : start + 3]
        axes = {tuple(one[f"zone_axis_{u}"] for u in "uvw") for one in mine}
        assert len(axes) == 3
        for name in ("specimen", "label", "structure"):
            assert len({one[name] for one in mine}) == 1
        fractions = [one["vacancy_fraction"] for one in mine]
        assert max(fractions) - min(fractions) < 0.02
    assert [int(one["specimen"]) for one in columns] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_tests_of_one_seed_differ_in_the_defects_alone(study):
    plain, strained = (
        study(f"kinds=[{kind}]", "only=[aluminium]") for kind in ("perfect", "axial-2.0")
    )
    for index in range(6):
        one, other = plain.scene(index), strained.scene(index)
        assert one.exposure_seed.spawn_key == other.exposure_seed.spawn_key
        same = set(one.columns) - {"thickness_angstrom", "kind"}
        assert {name: one.columns[name] for name in same} == {
            name: other.columns[name] for name in same
        }
        assert one.drawn == other.drawn


def test_each_kind_is_drawn(study):
    simulator = study("kinds=[perfect, twin, vacancies]", "samples=90")
    kinds = [simulator.specimens.of(index).kind for index in range(0, 90, 3)]
    assert set(kinds) == {"perfect", "twin", "vacancies"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("kinds=[perfect, cracks]", "'cracks' is none of defect_kinds"),
        ("only=[unobtainium]", "'unobtainium' is no crystal of recipe 'sadp-study'"),
        ("kinds=[dislocation-array]", "has none of the kinds of defects dislocation-array"),
        ("defect_kinds.twin.wurtzite=[]", "no class 'wurtzite'"),
    ],
)
def test_what_is_not_there_is_refused_in_a_line(study, setting, message):
    with pytest.raises(InputError, match=message) as caught:
        study(setting)
    assert "\n" not in str(caught.value)


def test_recipes_that_have_none_of_it_are_written_as_before(small_recipe):
    written = small_recipe.model_dump(mode="json")
    later = {"only", "defect_kinds", "kinds", "patterns_per_specimen", "appearance"}
    assert not later & set(written)
    assert Recipe.model_validate(written) == small_recipe


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    ["strain", "vibration", "vacancies", "substitution", "interstitial", "dislocations", "twin"],
)
def test_every_crystal_of_the_study_takes_every_kind_to_learn_from(study, kind):
    simulator = study(
        f"kinds=[{kind}]",
        "samples=75",
        "patterns_per_specimen=1",
        "specimen.zone_axis=[0, 1, 1]",
        "specimen.width_angstrom=56",
        "specimen.aperture_diameter_angstrom=36",
    )
    done = set()
    for index in range(75):
        scene = simulator.scene(index)
        done.add(scene.cut.structure)
        assert len(scene.specimens[0].numbers) > 100
        if len(done) == len(simulator.crystals.structures):
            break
    assert len(done) >= 22
