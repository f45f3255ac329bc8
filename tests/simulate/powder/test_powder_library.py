"""A library of phases as a source of powder patterns, and the diffractometer that records them."""

import json

import numpy as np
import pytest
import torch

from crystalvision.cli import main
from crystalvision.contracts import Axis, Pattern
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec, read_recipe, source_of
from crystalvision_simulate.instruments.powder_diffractometer import PowderDiffractometer
from crystalvision_simulate.powder import ring_axis

LINES = [
    {
        "formula": "Si",
        "space_group": 227,
        "lattice": [5.43, 5.43, 5.43, 90, 90, 90],
        "sites": [["Si", *np.add(place, shift).tolist()]
                  for place in ([0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0])
                  for shift in ([0, 0, 0], [0.25, 0.25, 0.25])],
    },
    {
        "lattice": [4.0, 4.0, 4.0, 90, 90, 90],
        "space_group": 221,
        "sites": [[[["Cu2+", 0.25], ["Au", 0.75]], 0, 0, 0]],
    },
    {
        "formula": "D2O of a kind",
        "symbol": "P1",
        "space_group": 1,
        "lattice": [4.0, 5.0, 6.0, 80, 95, 100],
        "sites": [["D", 0.1, 0.2, 0.3], ["O", 0.5, 0.6, 0.7]],
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.load()


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "library.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)) + "\n")
    return path


@pytest.fixture
def recipe(library):
    return {
        "name": "small",
        "samples": 12,
        "seed": 3,
        "candidates": {"json_lines": str(library)},
        "crystal": {
            "cell_error": {"normal": [0, 0.001]},
            "cell_spread": 0.001,
            "march_dollase": {"uniform": [0.6, 1.4]},
        },
        "instrument": {
            "name": "powder-diffractometer",
            "two_theta_min_deg": 20,
            "two_theta_max_deg": 79.9,
            "step_deg": 0.1,
            "peak_counts": {"log_uniform": [1e3, 1e5]},
            "background_counts": 10,
        },
    }


def opened(recipe, catalogue, threads=None):
    return SourceSpec("powder", recipe, threads=threads).open(catalogue)


def images(source, indices):
    return [sample.image for sample in source.samples(indices)]


def test_patterns_depend_on_their_index_alone(recipe, catalogue):
    all_of_it = images(opened(recipe, catalogue), range(12))
    some = images(opened(recipe, catalogue, threads=1), [7, 2])
    assert (some[0] == all_of_it[7]).all()
    assert (some[1] == all_of_it[2]).all()
    assert not (all_of_it[1] == all_of_it[4]).all()  # one phase, other numbers
    other = images(opened({**recipe, "seed": 4}, catalogue), [2])
    assert not (other[0] == all_of_it[2]).all()


def test_what_it_says_of_itself(recipe, catalogue):
    header = opened(recipe, catalogue).header
    (axis,) = header.axes
    assert (axis.name, axis.units, axis.size) == ("two_theta", "degree", 600)
    assert header.class_names == ("Si no. 227", "Cu0.25Au0.75 no. 221", "D2O of a kind P1")
    assert header.columns["peak_counts"].units == "count"
    assert header.provenance.source == "powder"
    fewer = {**recipe["candidates"], "only": ["Si", "Cu0.25Au0.75"]}
    changed = opened({**recipe, "candidates": fewer}, catalogue).header
    assert changed.provenance.drawn_from != header.provenance.drawn_from
    systems = opened({**recipe, "target": "crystal_system"}, catalogue).header
    assert systems.class_names == ("triclinic", "cubic")


def test_a_peak_stands_where_bragg_has_it(recipe, catalogue):
    fixed = {**recipe, "crystal": {}, "instrument": {**recipe["instrument"], "peak_counts": 1e6,
             "background_counts": 0, "k_alpha_2_share": 0.0}}  # fmt: skip
    (image,) = images(opened(fixed, catalogue), [0])
    expected = 2 * np.degrees(np.arcsin(1.5405929 * 3**0.5 / 2 / 5.43))
    assert 20 + 0.1 * image[0].argmax() == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: "),
        ('{"lattice": [1, 1, 1, 90, 90, 90], "sites": []}', "line 1: "),
        ('{"lattice": [4, 4, 4, 90, 90, 90], "sites": [["Xx", 0, 0, 0]]}', "'Xx' is no element"),
        (
            '{"lattice": [4, 4, 4, 90, 90, 90], "sites": [[[["Cu", 1.5]], 0, 0, 0]]}',
            "an occupancy of 1.5; expected 0 to 1",
        ),
        (json.dumps(LINES[0]), "1 found; expected at least two"),
    ],
)
def test_a_library_that_is_none_is_refused_in_a_line(line, message, recipe, library, catalogue):
    library.write_text(line)
    with pytest.raises(InputError) as caught:
        opened(recipe, catalogue)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": {}}, "expected structures, a folder, json_lines, or prototypes"),
        ({"candidates": {"folder": "nowhere"}}, "nowhere is no folder"),
        ({"candidates": {"json_lines": "nowhere.jsonl"}}, "nowhere.jsonl: no such file"),
        ({"crystal": {"march_dollase": 0}}, "march_dollase is 0; expected more than 0"),
        ({"instrument": "area-detector"}, "take powder-diffractometer"),
        ({"instrument": {"name": "powder-diffractometer", "step_deg": {"choice": [0.1, 0.2]}}},
         "different axes"),
        ({"instrument": {"name": "powder-diffractometer", "anode": "W"}}, "'W'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_a_line(changes, message, recipe, catalogue):
    with pytest.raises(InputError) as caught:
        opened({**recipe, **changes}, catalogue)
    assert message in str(caught.value)


def test_a_folder_of_crystals_is_a_library(tmp_path, recipe, catalogue):
    from pymatgen.core import Lattice, Structure

    for name, size in (("Al", 4.05), ("Cu", 3.61)):
        structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(size), [name], [[0, 0, 0]])
        (tmp_path / "cifs").mkdir(exist_ok=True)
        structure.to(str(tmp_path / "cifs" / f"{name}.cif"))
    header = opened({**recipe, "candidates": {"folder": str(tmp_path / "cifs")}}, catalogue).header
    assert header.class_names == ("Al Fm-3m", "Cu Fm-3m")


def test_the_shipped_recipe_makes_a_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "powder-library", "-o", "d.zarr", "--samples", "54"]) == 0
    data = Dataset.open("d.zarr")
    assert len(data.header.class_names) == 27
    assert data.images([0]).shape == (1, 1, 2000)
    assert set(np.bincount(data.column("label"))) == {2}


def rings(place=0.4):
    axis = ring_axis(1.0)
    intensity = torch.zeros(1, axis.size, dtype=torch.float64)
    intensity[0, round(place / axis.scale)] = 3.0
    return Pattern(intensity, (axis,), 1.0)


def test_counts_are_those_of_a_poisson_process_on_a_background():
    instrument = PowderDiffractometer(
        peak_counts=1e4, background_counts=50, air_counts=100, hump_counts=20
    )
    projected = instrument.project(rings())
    assert float(projected.intensity.max()) == pytest.approx(1.0)
    expected = projected.intensity.numpy()[0] * 1e4 + instrument.background()
    rng = np.random.default_rng(0)
    drawn = np.array([instrument.measure(projected, rng).counts[0] for _ in range(200)])
    assert drawn.dtype == np.uint32
    assert np.abs(drawn.mean(0) - expected).max() < 5 * np.sqrt(expected.max() / 200)
    assert drawn.var(0).mean() == pytest.approx(expected.mean(), rel=0.05)
    exact = PowderDiffractometer(counting=False, peak_counts=1e4).measure(projected, rng)
    assert exact.counts.dtype == np.float32
    assert exact.counts.max() == pytest.approx(1e4)


def test_dead_time_takes_what_it_says_of_the_strongest_step():
    instrument = PowderDiffractometer(counting=False, peak_counts=1e4, dead_time=0.2)
    counts = instrument.measure(instrument.project(rings()), np.random.default_rng(0)).counts
    assert counts.max() == pytest.approx(0.8e4)


def test_it_refuses_what_it_cannot_see():
    instrument = PowderDiffractometer()
    image = tuple(Axis(name=name, size=8, scale=0.1, offset=0.0) for name in ("q_y", "q_x"))
    with pytest.raises(InputError, match="take the renderer powder"):
        instrument.axes(image, 1.0)
    with pytest.raises(InputError, match=r"the renderer only 0\.5 1/Å"):
        instrument.axes((ring_axis(0.5),), 0.5)
    with pytest.raises(InputError, match="at least 8 steps"):
        PowderDiffractometer(two_theta_min_deg=20, two_theta_max_deg=20.1)


CATALOGUE = Catalogue.load()
SHIPPED = [
    name
    for name in CATALOGUE.names("recipe")
    if source_of(read_recipe(CATALOGUE.path("recipe", name), CATALOGUE), name, CATALOGUE)
    == "powder"
]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_can_be_made(name, catalogue):
    recipe = read_recipe(catalogue.path("recipe", name), catalogue)
    source_of(recipe, name, catalogue)  # takes the key out
    source = opened(recipe, catalogue)
    sample = source.sample(0)
    assert sample.image.shape == source.header.image_shape
    assert np.ptp(sample.image) > 0
    assert set(sample.columns) == set(source.header.columns)
