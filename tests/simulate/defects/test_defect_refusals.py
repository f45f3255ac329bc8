"""What makes no sense for a defect, or for a crystal, is refused in one line."""

import numpy as np
import pytest

from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.defects.edge_dislocation import EdgeDislocation
from crystalvision_simulate.defects.interstitial import Interstitial
from crystalvision_simulate.defects.strain import Strain
from crystalvision_simulate.defects.substitution import Substitution
from crystalvision_simulate.defects.twin import Twin
from crystalvision_simulate.specimens import CrystalCutter

CATALOGUE = Catalogue.load()
RNG = np.random.default_rng


def cut(name, zone_axis=(1, -1, 0)):
    unit_cell = CATALOGUE.create("structure", name, {})
    return CrystalCutter(unit_cell, zone_axis=zone_axis, width_angstrom=48.0).cut(24.0)


def without_parent(crystal):
    return Crystal(crystal.positions, crystal.numbers, crystal.cell, crystal.periodic)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Substitution(1.2, "Cu"), r"fraction is 1\.2; expected a fraction from 0 to 1"),
        (lambda: Substitution(0.1, "Xx"), r"replacement is 'Xx'; expected a chemical symbol"),
        (lambda: Substitution(0.1, "Al", "Al"), r"element and replacement are both Al"),
        (lambda: Substitution(0.1, "Cu", "N").apply(cut("iron"), RNG(0)), r"has no N to replace"),
        (lambda: Interstitial(-0.1, "C"), r"fraction is -0\.1; expected a fraction"),
        (lambda: Interstitial(0.1, "Q"), r"element is 'Q'; expected a chemical symbol"),
        (
            lambda: Interstitial(0.5, "C", (0.25, 0.25, 0.25)).apply(cut("silicon"), RNG(0)),
            r"atoms to add, but only 0 of \d+ sites lie 1\.18 Å or more from every atom",
        ),
        (
            lambda: Interstitial(0.1, "C").apply(without_parent(cut("iron")), RNG(0)),
            r"interstitial: the crystal does not say what it was cut from",
        ),
        (lambda: Strain(axial=0.5), r"axial is 0\.5; expected -0\.2 to 0\.2"),
        (lambda: Strain(shear_rad=0.1), r"shear_rad is 0\.1 without a plane; expected \(hkl\)"),
        (
            lambda: Strain(shear_rad=0.1, direction=(1, 0, 0), plane=(1, 0, 0)),
            r"direction \[1, 0, 0\] does not lie in plane \[1, 0, 0\]",
        ),
        (lambda: Strain(direction=(0, 0, 0)), r"direction is \[0, 0, 0\]"),
        (lambda: Strain(poisson_ratio=0.7), r"poisson_ratio is 0\.7; expected -1 to 0\.5"),
        (lambda: Strain(gradient=((1, 0, 0),) * 3), r"gradient has a component 1; expected at"),
        (
            lambda: EdgeDislocation(line=(1, 1, 0)).apply(cut("aluminium"), RNG(0)),
            r"burgers_vector .* and line .* are 0\.0° apart; an edge dislocation needs 90°",
        ),
        (lambda: EdgeDislocation(burgers_vector=(0, 0, 0)), r"burgers_vector is \[0, 0, 0\]"),
        (lambda: EdgeDislocation(spacing_angstrom=0), r"spacing_angstrom is 0; expected more"),
        (
            lambda: EdgeDislocation(smallest_distance_fraction=0.95).apply(
                cut("aluminium", (1, -1, 2)), RNG(0)
            ),
            r"two atoms come within .* Å of each other, less than 0\.95 of the shortest distance",
        ),
        (
            lambda: Twin((2, 0, 0)).apply(cut("aluminium"), RNG(0)),
            r"plane \[2, 0, 0\] is a mirror plane of this crystal, so the twin would be the same",
        ),
        (
            lambda: Twin((1, 0, 0), kind="rotation").apply(cut("srsi2"), RNG(0)),
            r"plane \[1, 0, 0\] is normal to a twofold axis of this crystal",
        ),
        (
            lambda: Twin(lamella_thickness_angstrom=0.5).apply(cut("aluminium"), RNG(0)),
            r"expected at least the distance of two planes \[1, 1, 1\], 2\.34 Å",
        ),
        (lambda: Twin((0, 0, 0)), r"plane is \[0, 0, 0\]; expected indices \(hkl\)"),
        (lambda: Twin(lamella_thickness_angstrom=0), r"lamella_thickness_angstrom is 0; expected"),
        (
            lambda: Twin(offset_angstrom=500).apply(cut("aluminium"), RNG(0)),
            r"500 Å from the middle, lies outside of the crystal; make offset_angstrom smaller",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
