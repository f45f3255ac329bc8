"""A renderer and an instrument of one dimension, from one file outside the core."""

from pathlib import Path

import numpy as np
import pytest

from crystalvision.cli import main
from crystalvision.config import validate
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError, PluginError
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.simulator import Simulator
from crystalvision_simulate.source import SimulationSource

POWDER = Path(__file__).with_name("powder.py")
RECIPE = """
name: powder
samples: 12
structure: {name: cubic, a_angstrom: {uniform: [3.9, 4.1]}}
specimen: {width_angstrom: 16, thickness_angstrom: 8}
renderer: {name: my-powder, zero_shift_deg: {normal: [0, 0.1]}}
instrument:
  name: photon-counter
  seconds_per_point: {choice: [1, 10]}
  photons_per_second: {uniform: [1.0e+4, 2.0e+4]}
classes:
  - {name: perfect, severity: 0}
  - name: vacancies
    severity: 1
    defects: [{name: vacancy, fraction: 0.2}]
"""


@pytest.fixture(scope="module")
def strange():
    return Catalogue.load(PluginSelection(files=(POWDER,)))


def recipe_with(**changes):
    from crystalvision.yaml_text import parse_yaml

    return validate(Recipe, parse_yaml(RECIPE, "powder.yaml") | changes, "powder.yaml")


def test_a_curve_goes_through_simulate_into_a_dataset(tmp_path, capsys):
    recipe, path = tmp_path / "powder.yaml", tmp_path / "data.zarr"
    recipe.write_text(RECIPE)
    words = ["-p", str(POWDER), "simulate", str(recipe), "-o", str(path), "--no-card"]
    assert main(words) == 0, capsys.readouterr().err
    data = Dataset.open(path)
    (axis,) = data.header.axes
    assert (axis.name, axis.units, axis.size, axis.offset) == ("two_theta", "degree", 40, 10)
    assert data.header.image_shape == (1, 40)
    assert data.header.dtype == "uint32"
    columns = data.header.columns
    assert columns["seconds_per_point"].units == "s"
    assert columns["my_powder_zero_shift_deg"].units == "degree"
    assert columns["cubic_a_angstrom"].units == "angstrom"
    assert set(data.column("seconds_per_point")) == {1, 10}
    photons = data.column("photon_counter_photons_per_second")
    assert ((photons >= 1e4) & (photons <= 2e4)).all()
    assert len(set(photons)) == 12
    sizes = data.column("cubic_a_angstrom")
    assert ((sizes >= 3.9) & (sizes <= 4.1)).all()
    assert len(set(sizes)) == 12
    assert data.images([0]).max() > 100
    assert "a_angstrom 3.9 to 4.1" in data.header.crystals[0].varies


def test_a_curve_can_be_shown(tmp_path):
    recipe, figure = tmp_path / "powder.yaml", tmp_path / "powder.png"
    recipe.write_text(RECIPE)
    assert main(["-p", str(POWDER), "show", str(recipe), "-o", str(figure), "--dpi", "40"]) == 0
    assert figure.stat().st_size > 1000


def test_what_changes_the_axes_cannot_vary(strange):
    varying = recipe_with(renderer={"name": "my-powder", "step_deg": {"uniform": [0.5, 1]}})
    with pytest.raises(InputError, match=r"renderer\.step_deg=.* different axes") as caught:
        _ = SimulationSource(Simulator(varying, strange)).header
    assert "\n" not in str(caught.value)
    whole = recipe_with(renderer={"name": "my-powder", "points": {"uniform": [30, 40]}})
    with pytest.raises(InputError, match=r"points=33.*valid integer"):
        Simulator(whole, strange)


def test_a_detector_of_images_takes_no_curve(strange):
    with pytest.raises(InputError, match=r"two_theta \[degree\]; expected two axes in 1/angstrom"):
        Simulator(recipe_with(instrument="area-detector"), strange).sample(0)


def test_an_instrument_that_breaks_its_word_is_named(strange, monkeypatch):
    simulator = Simulator(recipe_with(), strange)
    instrument = type(simulator.instrument.example)
    monkeypatch.setattr(instrument, "dtype", "uint16")
    with pytest.raises(PluginError, match=r"'photon-counter' of .*powder\.py recorded uint32; it"):
        simulator.sample(0)
    monkeypatch.setattr(instrument, "dtype", "uint32")
    monkeypatch.setattr(instrument, "masks", True)
    with pytest.raises(PluginError, match="recorded no mask; it states a mask"):
        simulator.sample(0)


def test_samples_depend_on_their_index_alone(strange):
    one, other = (Simulator(recipe_with(), strange) for _ in range(2))
    together = one.expose(one.render([one.scene(3), one.scene(1), one.scene(2)]))
    for index, sample in zip((3, 1, 2), together, strict=True):
        alone = other.sample(index)
        assert np.array_equal(alone.image, sample.image)
        assert alone.columns == sample.columns
