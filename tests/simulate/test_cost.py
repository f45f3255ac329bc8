"""What a recipe costs is known before work starts; numbers have ranges; full pixels are told."""

import time

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision_simulate import cost
from crystalvision_simulate.recipes import load_recipe
from crystalvision_simulate.recipes.shares import class_of_samples
from crystalvision_simulate.simulator import Simulator

RECIPE = "si3n4-four-classes"


@pytest.mark.parametrize(
    "setting",
    [
        "samples=1000000000000",
        "configurations=1000000000",
        "specimen.width_angstrom=1e6",
        "specimen.width_angstrom=1e400",
        "specimen.thickness_angstrom=1e300",
        "specimen.zone_axis=[1,99999,7]",
        "beam.energy_kev=1e-300",
        "beam.energy_kev=1e300",
        "classes.0.severity=1e300",
        "classes.0.share=1e-300",
    ],
)
def test_every_number_has_a_range(catalogue, setting):
    with pytest.raises(InputError) as caught:
        load_recipe(RECIPE, catalogue, [setting])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [
        "renderer={name: multislice, band_limit_inv_angstrom: 100}",
        "renderer={name: multislice, slice_thickness_angstrom: 1e-4}",
        "renderer={name: kinematic, band_limit_inv_angstrom: 1e9}",
        "instrument.pixels=1000000",
        "instrument.pixel_size_inv_angstrom=1e300",
        "instrument.pixel_size_inv_angstrom=1e-300",
        "instrument.rotation_deg=1e300",
        "instrument.dose_electrons=1e300",
        "instrument.gain_counts_per_electron=1e300",
    ],
)
def test_options_of_parts_have_ranges(catalogue, setting):
    recipe = load_recipe(RECIPE, catalogue, [setting])
    with pytest.raises(InputError, match=r"expected \S+ to"):
        Simulator(recipe, catalogue)


@pytest.mark.parametrize(
    "setting",
    ["specimen.width_angstrom=9000", "specimen.thickness_angstrom=90000"],
)
def test_what_does_not_fit_is_refused_before_work_starts(catalogue, setting, monkeypatch):
    monkeypatch.setattr(cost, "available_memory_bytes", lambda: 2 * 10**9)
    recipe = load_recipe(RECIPE, catalogue, [setting])
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"would take about .* of memory and .*; lower specimen"):
        Simulator(recipe, catalogue)
    assert time.perf_counter() - start < 30  # most of it imports; the work would take days


def test_the_estimate_is_near_the_truth(catalogue):
    simulator = Simulator(load_recipe(RECIPE, catalogue), catalogue)
    simulator.sample(0)
    start = time.process_time()
    for index in range(1, 4):
        simulator.sample(index)
    measured = (time.process_time() - start) / 3
    assert measured / 5 < simulator.cost.seconds_each < 5 * measured


def one_by_one(shares, samples):
    """The method of Webster as it is defined."""
    counts, labels = np.zeros(len(shares)), []
    for _ in range(samples):
        labels.append(int(np.argmax(np.array(shares) / (counts + 0.5))))
        counts[labels[-1]] += 1
    return labels


@pytest.mark.parametrize("shares", [[1], [1, 1], [3, 1, 2], [1e-9, 1], [0.3, 0.3, 0.1, 7]])
def test_classes_take_turns_as_one_by_one(shares):
    assert class_of_samples(shares, 200).tolist() == one_by_one(shares, 200)


def test_full_pixels_are_told(catalogue):
    settings = ["instrument.dose_electrons=1e7", "instrument.beam_stop_radius_inv_angstrom=0"]
    settings += ["instrument.mask_radius_inv_angstrom=0"]
    simulator = Simulator(load_recipe(RECIPE, catalogue, settings), catalogue)
    projections = simulator.render([simulator.scene(0)])
    recordings = simulator.record(projections)
    note = simulator.note(projections, recordings)
    counts = recordings[0].counts
    full = counts == 65535
    expected = float(projections[0].pattern.intensity.numpy().sum()) * 1e7
    lost = 1 - float(counts.sum()) / expected
    assert full.any()
    assert f"{int(full.sum())} are full at 65535 counts (16 bits)" in note
    assert lost > 0.05
    stated = float(note.split("loses ")[1].split("%")[0]) / 100
    assert stated == pytest.approx(lost, abs=0.02)


def test_nothing_is_told_where_no_pixel_is_full(catalogue):
    simulator = Simulator(load_recipe(RECIPE, catalogue), catalogue)
    projections = simulator.render([simulator.scene(0)])
    assert simulator.note(projections, simulator.record(projections)) == ""
