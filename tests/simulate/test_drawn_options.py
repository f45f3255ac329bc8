"""Any number among the options of a part may be a distribution."""

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision_simulate.recipes import column_of_option, load_recipe
from crystalvision_simulate.simulator import Simulator
from crystalvision_simulate.source import SimulationSource

RECIPE = "si3n4-four-classes"


@pytest.fixture(scope="module")
def simulator_with(catalogue, small_settings):
    """Makes the simulator of the small recipe with other settings."""

    def make(*settings):
        recipe = load_recipe(RECIPE, catalogue, [*small_settings[1::2], *settings])
        return Simulator(recipe, catalogue)

    return make


@pytest.mark.parametrize(
    ("setting", "column", "units"),
    [
        ("structure={name: si3n4-beta, a_angstrom: %s}", "si3n4_beta_a_angstrom", "angstrom"),
        ("specimen.width_angstrom=%s", "specimen_width_angstrom", "angstrom"),
        (
            "renderer.slice_thickness_angstrom=%s",
            "multislice_slice_thickness_angstrom",
            "angstrom",
        ),
        (
            "instrument.read_noise_counts=%s",
            "area_detector_read_noise_counts",
            "count",
        ),
    ],
)
def test_turning_one_on_changes_nothing_else_that_is_drawn(simulator_with, setting, column, units):
    low, high = {"si3n4_beta_a_angstrom": (7.5, 7.7), "specimen_width_angstrom": (15, 17)}.get(
        column, (2.0, 3.0)
    )
    plain = simulator_with()
    drawn = simulator_with(setting % f"{{uniform: [{low}, {high}]}}")
    assert drawn.columns[column].units == units
    found = [drawn.scene(index).columns for index in range(4)]
    assert len({columns[column] for columns in found}) == 4
    assert all(low <= columns[column] <= high for columns in found)
    for index, columns in enumerate(found):
        before = plain.scene(index).columns
        for name in ("mistilt_mrad", "rotation_deg", "point_spread_px", "label"):
            assert columns[name] == before[name]
    assert np.array_equal(drawn.sample(1).image, drawn.sample(1).image)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "structure={name: si3n4-beta, a_angstrom: {uniform: [0, 7.6]}}",
            "a_angstrom=0.0: Input should be greater",
        ),
        ("specimen.width_angstrom={uniform: [-1, 20]}", "width_angstrom is -1; expected more"),
        ("renderer.slice_thickness_angstrom={uniform: [0, 2]}", "slice_thickness_angstrom is 0"),
        ("instrument.read_noise_counts={normal: [1, 1]}", "read_noise_counts is -5"),
        ("instrument.bit_depth={uniform: [8, 16]}", "bit_depth=11"),
        ("instrument.pixels={choice: [16, 32]}", "instrument.pixels=.* different axes"),
        ("instrument.mask_unseen={choice: [0, 1]}", "instrument.mask_unseen=.* axes or types"),
    ],
)
def test_both_ends_are_checked_before_work_starts(simulator_with, setting, message):
    with pytest.raises(InputError, match=message) as caught:
        _ = SimulationSource(simulator_with(setting)).header
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "units"),
    [
        ("thickness_angstrom", "angstrom"),
        ("radius_inv_angstrom", "1/angstrom"),
        ("dose_electrons_per_angstrom2", "electron/angstrom^2"),
        ("gain_counts_per_electron", "count/electron"),
        ("temperature_kelvin", "K"),
        ("fraction", "1"),
    ],
)
def test_units_follow_from_the_name_of_an_option(option, units):
    assert column_of_option("my-part", option).units == units
    assert column_of_option("my-part", option).name == f"my_part_{option}"


def test_every_column_of_a_shipped_recipe_has_a_meaning(catalogue):
    for name in (RECIPE, "si3n4-fingerprint"):
        columns = Simulator(load_recipe(name, catalogue), catalogue).columns
        assert all(one.description for one in columns.values())


def test_the_beam_stop_gives_a_mask(simulator_with):
    stop = "instrument.beam_stop_radius_inv_angstrom=0.2"
    plain = SimulationSource(simulator_with(stop))
    masked = SimulationSource(simulator_with(stop, "instrument.mask_unseen=true"))
    assert plain.header.seen is None
    assert masked.header.seen.each_sample
    before, after = plain.simulator.sample(2), masked.simulator.sample(2)
    assert before.seen is None
    assert np.array_equal(before.image, after.image)
    assert after.seen.shape == (1, 32, 32)
    assert after.image[~after.seen].max() == 0
    assert 20 < (~after.seen).sum() < 100  # a disc of 0.2 1/Å has 62 pixels of 0.045 1/Å
