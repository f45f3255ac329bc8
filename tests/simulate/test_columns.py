"""Units and meanings of what a dataset keeps of each sample."""

import pytest

from crystalvision_simulate.columns import column_of
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.simulator import Simulator


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("thickness_angstrom", "angstrom"),
        ("dislocation_density_inv_angstrom2", "1/angstrom^2"),
        ("a_radius_inv_angstrom", "1/angstrom"),
        ("dose_electrons", "electron"),
        ("dose_electrons_per_angstrom2", "electron/angstrom^2"),
        ("gain_counts_per_electron", "count/electron"),
        ("dark_counts", "count"),
        ("vacancy_fraction", "1"),
        ("strain_xy", "1"),
    ],
)
def test_units_follow_from_the_name(name, units):
    assert column_of(name).units == units


def test_every_column_of_a_shipped_recipe_has_a_meaning(catalogue):
    for name in catalogue.names("recipe"):
        columns = Simulator(load_recipe(name, catalogue), catalogue).columns
        missing = [one for one in columns if not column_of(one).description and one != "structure"]
        assert missing == [], name
