"""The bench of crystals: its controls, and that what it shows is what its recipe makes."""

import numpy as np
import pytest

from crystalvision.contracts import Defect, DefectiveCrystal, Measure
from crystalvision.errors import InputError
from crystalvision.plugins import KINDS, Catalogue, PluginInfo
from crystalvision.samples import Curves, DotMap, Picture
from crystalvision.sources import SourceSpec, source_of
from crystalvision_simulate.bench import open_bench

SMALL = {
    "specimen.width_angstrom": 30.0,
    "specimen.aperture_diameter_angstrom": 16.0,
    "specimen.thickness_angstrom": 20.0,
}


class Swap(Defect):
    """A stranger's: exchanges the elements of two atoms, some times."""

    measures = (Measure("swaps", "1", "pairs of atoms that were exchanged"),)

    def __init__(self, pairs: int = 3, strength: float = 0.5):
        if not 0 < strength <= 0.7:
            raise InputError(f"strength is {strength}; expected 0 to 0.7")
        self.pairs = pairs

    def apply(self, crystal, rng):
        numbers = crystal.numbers.copy()
        for _ in range(self.pairs):
            one, other = rng.choice(len(numbers), 2, replace=False)
            numbers[[one, other]] = numbers[[other, one]]
        return DefectiveCrystal(
            crystal.with_atoms(crystal.positions, numbers), {"swaps": self.pairs}
        )


@pytest.fixture(scope="module")
def catalogue():
    stranger = (KINDS["defect"], PluginInfo("stranger", "stranger", "1"), {"swap": Swap})
    return Catalogue.load().with_parts([stranger])


@pytest.fixture
def bench(catalogue):
    return open_bench(None, catalogue)


def settled(bench, **changes):
    """Settings with changes, as the page makes them, one after the other."""
    settings, _ = bench.settle(bench.settings())
    for change in (SMALL, *({name: value} for name, value in changes.items())):
        settings, _ = bench.settle({**settings, **change})
    return settings


def controls(bench, settings):
    return {one.name: one for group in bench.settle(settings)[1] for one in group.controls}


def simulated(bench, settings, catalogue):
    """Sample 0 of the copied recipe, made as any dataset is."""
    recipe = bench.recipe(settings)
    source = SourceSpec(source_of(dict(recipe), "bench", catalogue), recipe).open(catalogue)
    (sample,) = source.samples([0])
    return sample


CHANGES = {
    "as it is": {},
    "kinematic": {"renderer": "kinematic", "seed": 3},
    "cubic, tilted": {"structure": "gold", "zone_axis": "1 1 0", "beam.mistilt_mrad": 7.5},
    "powder": {"renderer": "powder"},
    "two defects": {
        "defect.thermal-vibration": True,
        "defect.displacement": True,
        "defect.displacement.sigma_angstrom": 0.07,
    },
    "stranger": {"defect.swap": True, "defect.vacancy": False},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_shown_is_what_its_recipe_makes_bit_for_bit(bench, catalogue, name):
    settings = settled(bench, **CHANGES[name])
    shown, made = bench.view(settings).sample, simulated(bench, settings, catalogue)
    np.testing.assert_array_equal(shown.image, made.image)
    assert dict(shown.columns) == pytest.approx(dict(made.columns), nan_ok=True)


def test_patterns_that_are_kept_are_those_that_would_be_made(bench, catalogue):
    settings = settled(bench)
    bench.view(settings)
    other = {**settings, "instrument.dose_electrons": 5e6, "instrument.rotation_deg": 12.0}
    assert bench.preview(other) is None  # nothing of it takes long any more
    fresh = open_bench(None, catalogue)
    np.testing.assert_array_equal(bench.view(other).sample.image, fresh.view(other).sample.image)


def test_sliders_reach_as_far_as_a_defect_takes_its_degree(bench):
    on = {f"defect.{name}": True for name in ("strain", "displacement", "swap", "substitution")}
    settings = settled(bench, **on)
    found = controls(bench, settings)
    ends = {
        "defect.vacancy.fraction": (0.0, 1.0),
        "defect.strain.axial": (-0.2, 0.2),
        "defect.strain.poisson_ratio": (-1.0, 0.5),
        "defect.swap.strength": (pytest.approx(0, abs=1e-3), 0.7),
    }
    for name, (low, high) in ends.items():
        assert (found[name].low, found[name].high) == (low, high), name
    assert found["defect.swap.pairs"].whole
    assert found["defect.displacement.sigma_angstrom"].units == "Å"
    assert found["defect.vacancy.order"].choices == ("random", "periodic")
    assert settings["defect.substitution.replacement"]


def test_all_registered_defects_are_offered(bench, catalogue):
    found = controls(bench, settled(bench))
    for name in catalogue.names("defect"):
        assert found[f"defect.{name}"].kind == "switch"


def test_a_recipe_begins_at_the_middle_and_reaches_its_ends(catalogue):
    recipe = {
        "name": "mine",
        "samples": 10,
        "seed": 4,
        "structure": "gold",
        "specimen": {"thickness_angstrom": {"uniform": [20, 500]}, "width_angstrom": 25},
        "instrument": {"name": "area-detector", "dose_electrons": {"log_uniform": [1e2, 1e6]}},
        "classes": [
            {"name": "none", "severity": 0},
            {
                "name": "some",
                "severity": 1,
                "defects": [{"name": "vacancy", "fraction": {"uniform": [0.1, 0.3]}}],
            },
        ],
    }
    bench = open_bench(recipe, catalogue)
    settings, _ = bench.settle(bench.settings())
    assert settings["specimen.thickness_angstrom"] == 260
    assert controls(bench, settings)["specimen.thickness_angstrom"].high == 500
    assert settings["instrument.dose_electrons"] == pytest.approx(1e4)
    assert bench.recipe(settings)["classes"][0]["defects"] == []
    settings, _ = bench.settle({**settings, "class": "some"})
    assert bench.recipe(settings)["classes"][0]["defects"] == [{"name": "vacancy", "fraction": 0.2}]
    assert bench.recipe(settings)["seed"] == 4


def test_the_view_has_the_crystal_the_patterns_and_their_profile(bench):
    seen = bench.view(settled(bench))
    crystal, ideal, defective, recorded, profile = seen.figures
    assert isinstance(crystal, DotMap)
    assert {dots.name for dots in crystal.dots if dots.marked} == {"vacant"}
    assert all(isinstance(one, Picture) for one in (ideal, defective, recorded))
    assert len(ideal.marks) > 4  # its indices
    assert np.array_equal(recorded.image, seen.sample.image[0].astype(np.float32))
    assert isinstance(profile, Curves)
    assert profile.x_label == "|q| [1/Å]"
    ideal_curve, defective_curve, counted = profile.curves
    # On one scale: what is counted follows what is expected, where there are counts.
    inner = counted.x < 0.3
    assert counted.y[inner].mean() == pytest.approx(defective_curve.y[inner].mean(), rel=0.1)
    assert defective_curve.y[0] > ideal_curve.y[0]  # fewer atoms leave more of the direct beam
    assert float(seen.numbers["vacancy_fraction"]) == pytest.approx(0.1, abs=0.01)


def test_a_powder_is_recorded_by_its_own_instrument_and_its_peaks_are_named(bench):
    settings = settled(bench, renderer="powder")
    assert settings["instrument"] == "powder-diffractometer"
    crystal, pattern = bench.view(settings).figures
    assert isinstance(crystal, DotMap)
    assert pattern.x_label == "2θ [°]"
    ideal = pattern.curves[0]
    for mark in pattern.marks[:4]:  # the strongest, where the ideal crystal has them
        near = abs(ideal.x - mark.x) < 0.3
        beside = (abs(ideal.x - mark.x) > 1) & (abs(ideal.x - mark.x) < 1.5)
        assert ideal.y[near].max() > 3 * np.median(ideal.y[beside]), mark
    back, _ = bench.settle({**settings, "renderer": "multislice"})
    assert back["instrument"] == "area-detector"
    assert back["specimen.width_angstrom"] == SMALL["specimen.width_angstrom"]


def test_a_preview_shows_the_same_figures_on_the_same_axes(bench):
    settings = settled(bench)
    settings |= {"specimen.thickness_angstrom": 40.0, "specimen.width_angstrom": 44.0}
    preview, seen = bench.preview(settings), bench.view(settings)
    assert list(map(type, preview.figures)) == list(map(type, seen.figures))
    assert preview.axes == seen.axes
    bright = [one.image > 0.02 * one.image.max() for one in (preview.figures[1], seen.figures[1])]
    both = (bright[0] & bright[1]).sum() / bright[1].sum()
    assert both > 0.5  # its spots are where those of the sample are


@pytest.mark.parametrize("thickness", [60.0, 75.0, 300.0])
def test_a_preview_is_made_of_any_thickness(bench, thickness):
    settings, _ = bench.settle(bench.settings())
    preview = bench.preview({**settings, "specimen.thickness_angstrom": thickness})
    assert preview.numbers["thickness"] == f"{thickness:g} Å"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zone_axis": "1 one 0"}, "zone axis 1 one 0: expected three whole numbers"),
        ({"zone_axis": "0 0 0"}, "0, 0, 0"),
        ({"structure": "dropped file"}, "no file was dropped yet"),
        ({"defect.vacancy.fraction": 1.5}, "fraction is 1.5"),
        ({"defect.vacancy.element": "Xx"}, "Xx"),
        ({"defect.vacancy.relaxation_angstrom": "[0.1"}, "not YAML"),
        ({"beam.energy_kev": -5.0}, "energy_kev is -5"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(bench, changes, said):
    settings = {**settled(bench), **changes}
    with pytest.raises(InputError, match=said.replace("[", r"\[")) as caught:
        bench.view(settings)
    assert "\n" not in str(caught.value)
