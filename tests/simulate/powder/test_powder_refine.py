"""Candidates fitted to patterns: what a fit finds again, refuses, and takes apart."""

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from crystalvision.cli._refined import print_refined
from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.prediction import RefinedPattern, refined_figure
from crystalvision.sources import SourceSpec
from crystalvision_simulate.powder._fit import Fitter
from crystalvision_simulate.powder._lines import allowed_strains, lines_of
from crystalvision_simulate.powder._measured import Measured
from crystalvision_simulate.powder._model import Geometry, Shape, phase_columns
from crystalvision_simulate.powder._peaks import Widths

MEASURED = os.environ.get("CRYSTALVISION_MEASURED", "")
"""A folder with `powder/manifest.csv`, of others' patterns that are not in the repository."""
CUBE = np.eye(3)
INSTRUMENT = {
    "name": "powder-diffractometer",
    "two_theta_min_deg": 15,
    "two_theta_max_deg": 79.96,
    "step_deg": 0.04,
    "w_deg2": 0.01,
    "k_alpha_2_share": 0.5,
    "peak_counts": 2e4,
    "background_counts": 60,
    "hump_counts": 100,
}
PHASES = ["silicon", "sodium-chloride", "magnesium-oxide", "srsi2", "si3n4-beta", "si3n4-alpha"]


def source_of(samples=6, crystal=None, mixture=None, target="phase", **instrument):
    recipe = {
        "name": "to be fitted",
        "samples": samples,
        "candidates": {"structures": PHASES},
        "target": target,
        "crystal": crystal or {},
        "instrument": {**INSTRUMENT, **instrument},
    }
    if mixture:
        recipe["mixture"] = mixture
    return SourceSpec("powder", recipe).open(Catalogue.load())


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        (CUBE, 1),
        (0.5 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]), 1),
        (np.diag([1, 1, 1.3]), 2),
        (0.5 * np.array([[-1, 1, 1.7], [1, -1, 1.7], [1, 1, -1.7]]), 2),
        ([[1, 0, 0], [-0.5, 3**0.5 / 2, 0], [0, 0, 1.6]], 2),
        ([[1, 0.2, 0.2], [0.2, 1, 0.2], [0.2, 0.2, 1]], 2),
        (np.diag([1, 1.2, 1.5]), 3),
        ([[1, 0, 0], [0, 1.2, 0], [0.3, 0, 1.5]], 4),
        ([[1, 0, 0], [0.1, 1.2, 0], [0.3, 0.2, 1.5]], 6),
    ],
    ids=["P", "F", "tP", "tI", "hP", "hR", "oP", "mP", "aP"],
)
def test_a_lattice_is_strained_as_its_system_allows_in_whatever_cell(cell, count):
    cell = 4 * np.asarray(cell, dtype=float)
    found = allowed_strains(cell)
    assert len(found) == count
    assert np.allclose(found[0], np.eye(3))
    assert np.allclose([np.trace(each) for each in found[1:]], 0)


def test_the_model_of_a_fit_is_what_the_instrument_records_of_the_same_phase():
    source = source_of(counting=False, background_counts=0, hump_counts=0, microstrain=0.001)
    one = source.candidates[4]
    lines = lines_of(one.crystal, one.occupancies, 1.1)
    axis = source.header.axes[0]
    shape = Shape(
        zero_shift_deg=0.0,
        second_share=0.5,
        strain=np.zeros(2),
        thermal_rms_angstrom=0.08,
        widths=Widths(w_deg2=0.01, size_angstrom=1500, microstrain=0.001),
    )
    geometry = Geometry(axis, (1.5405929, 1.5444274))
    drawn = phase_columns(lines, shape, geometry, texture=True)
    recorded = source.sample(4).image[0].astype(float)
    assert np.allclose(drawn[:, 0] / drawn[:, 0].max(), recorded / recorded.max(), atol=4e-3)
    # What texture may add is never negative, and no texture is a mean of its two ends.
    assert drawn.min() > -1e-12
    assert drawn.shape[1] == 3
    least, greatest = np.abs(np.linalg.eigvalsh(lines.tensors[1])[[0, -1]])
    mean = (drawn[:, 1] * least + drawn[:, 2] * greatest) / (least + greatest)
    assert np.allclose(mean, drawn[:, 0], atol=1e-9 * drawn.max())


def test_zero_cell_width_and_background_are_found_again():
    source = source_of(
        crystal={"cell_error": 0.004, "thermal_rms_angstrom": 0.1},
        zero_shift_deg=0.07,
        w_deg2=0.02,
    )
    sample = source.sample(4)
    (found,) = source.refine(sample.image.astype(float), None, [source.header.class_names[4]])
    (part,) = found.parts
    cell = source.candidates[4].crystal.cell
    assert found.parameters["zero_shift_deg"] == pytest.approx(0.07, abs=0.006)
    assert found.parameters["k_alpha_2_share"] == pytest.approx(0.5, abs=0.02)
    assert part.parameters["a_angstrom"] == pytest.approx(1.004 * np.linalg.norm(cell[0]), rel=3e-4)
    assert part.parameters["c_angstrom"] == pytest.approx(1.004 * np.linalg.norm(cell[2]), rel=3e-4)
    assert part.parameters["thermal_rms_angstrom"] == pytest.approx(0.1, abs=0.015)
    assert found.misfit < 0.01
    assert found.residual < 0.06
    expected = 60 + 100 * np.exp(-4 * np.log(2) * ((source.header.axes[0].values() - 25) / 10) ** 2)
    assert np.abs(found.background[0] - expected).max() < 25
    assert found.background.min() >= 0
    assert part.marks.min() >= 15
    assert part.marks.max() <= 80


def test_the_right_candidate_explains_most_and_others_hardly_anything():
    source = source_of(crystal={"cell_error": -0.003}, zero_shift_deg=-0.05)
    names = list(source.header.class_names)
    for place in (0, 1, 2):
        counts = source.sample(place).image.astype(float)
        found = source.refine(counts, None, names[:3])
        assert found[0].names == (names[place],)
        assert found[0].misfit < 0.02
        assert found[1].misfit > 0.3


def test_a_value_at_an_end_of_what_a_fit_allows_is_marked_wherever_it_is_told(capsys):
    source = source_of(crystal={"cell_error": 0.014})
    counts = source.sample(0).image.astype(float)
    (found,) = source.refine(counts, None, [source.header.class_names[0]])
    (part,) = found.parts
    assert "a_angstrom" in part.at_bounds
    assert "width_deg" not in part.at_bounds
    pattern = RefinedPattern("strained", source.header.axes, counts, (found,), {})
    (one,) = pattern.as_json()["refinements"]
    assert "a_angstrom" in one["phases"][0]["at_bounds"]
    assert "at its bound: " in refined_figure(pattern).axes[0].get_title(loc="left")
    print_refined([pattern])
    assert re.search(r"a\s+[\d.]+\s+Å\s+\(at\s+its\s+bound\)", capsys.readouterr().out)


def test_nothing_is_marked_that_was_found_within_its_ends():
    source = source_of(crystal={"cell_error": 0.004}, k_alpha_2_share={"uniform": [0.3, 0.7]})
    (found,) = source.refine(
        source.sample(0).image.astype(float), None, [source.header.class_names[0]]
    )
    assert found.at_bounds == found.parts[0].at_bounds == ()


def test_of_two_that_explain_alike_that_one_is_first_whose_cell_changes_less_in_any_direction(
    tmp_path,
):
    stretched = {"true": (1, 1), "near": (1.001, 1.001), "far": (1.003, 0.994)}
    lines = [
        {
            "formula": name,
            "space_group": 123,
            "lattice": [3 * a, 3 * a, 5 * c, 90, 90, 90],
            "sites": [["Cu", 0, 0, 0], ["Cu", 0.5, 0.5, 0.3], ["Cu", 0.5, 0.5, 0.7]],
        }
        for name, (a, c) in stretched.items()
    ]
    path = tmp_path / "three.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    recipe = {
        "name": "three",
        "samples": 3,
        "candidates": {"structures": [], "json_lines": str(path)},
        "instrument": INSTRUMENT,
    }
    source = SourceSpec("powder", recipe).open(Catalogue.load())
    _, near, far = source.header.class_names
    found = source.refine(source.sample(0).image.astype(float), None, [far, near])
    assert abs(found[0].misfit - found[1].misfit) < 0.001  # the volume of the far one is right
    assert found[0].names == (near,)


def test_what_was_not_seen_does_not_count():
    source = source_of()
    counts = source.sample(0).image.astype(float)
    seen = np.ones_like(counts, dtype=bool)
    seen[0, 300:500] = False
    damaged = np.where(seen, counts, 1e7)
    name = source.header.class_names[0]
    (one,), (other,) = (source.refine(each, seen, [name]) for each in (damaged, counts))
    assert one.misfit == other.misfit
    assert one.misfit < 0.01


def test_nothing_grows_where_a_pattern_does_not_reach():
    source = source_of()
    counts = source.sample(0).image.astype(float)
    seen = np.ones_like(counts, dtype=bool)
    seen[0, :500] = False
    (found,) = source.refine(counts, seen, [source.header.class_names[0]])
    assert found.background[0, :100].max() < 10 * counts.max()
    pattern = RefinedPattern(
        "half", source.header.axes, np.where(seen, counts, np.nan), (found,), {}
    )
    drawn = refined_figure(pattern).axes[0]
    background = next(line for line in drawn.lines if line.get_label() == "background")
    assert np.isnan(np.asarray(background.get_ydata())[:500]).all()


def test_texture_of_second_order_is_taken_out():
    source = source_of(crystal={"march_dollase": 0.75})
    counts = source.sample(4).image.astype(float)
    geometry = Geometry(source.header.axes[0], (1.5405929, 1.5444274))
    one = source.candidates[4]
    lines = lines_of(one.crystal, one.occupancies, 0.9)
    misfits = []
    for texture in (False, True):
        fitter = Fitter(Measured.of(counts[0], None), geometry, (0.5, 0.5), texture=texture)
        misfits.append(fitter.refined(fitter.placed(fitter.quick(lines))).misfit)
    assert misfits[1] < 0.7 * misfits[0]


def test_phases_of_a_mixture_are_found_one_after_the_other_with_their_shares():
    mixture = {"phases": 2, "least_fraction": 0.25}
    source = source_of(samples=12, mixture=mixture)
    names = list(source.header.class_names)
    sample = source.sample(0)
    actual = dict(zip(names, sample.columns["fractions"].tolist(), strict=True))
    (found,) = source.refine(sample.image.astype(float), None, names[:4], most_parts=3)
    told = {part.candidate: part.weight_fraction for part in found.parts}
    assert set(told) == {name for name, share in actual.items() if share}
    assert sum(told.values()) == pytest.approx(1)
    for name, share in told.items():
        assert share == pytest.approx(actual[name], abs=0.02)


def test_one_phase_is_not_taken_for_several():
    source = source_of()
    names = list(source.header.class_names)
    (found,) = source.refine(source.sample(1).image.astype(float), None, names, most_parts=3)
    assert found.names == (names[1],)


def test_what_cannot_be_fitted_is_refused_in_a_line():
    source = source_of()
    with pytest.raises(InputError, match="'gold' is none of the 6 phases"):
        source.refine(np.ones((1, 1625)), None, ["gold"])
    with pytest.raises(InputError, match="no counts that could be fitted"):
        source.refine(np.zeros((1, 1625)), None, [source.header.class_names[0]])
    assert source_of(target="crystal_system").refine(np.ones((1, 1625)), None, []) is None


@pytest.mark.skipif(not MEASURED, reason="measured patterns of others are not in the repository")
def test_a_measured_standard_is_fitted_by_scale_zero_cell_and_width(tmp_path):
    folder = Path(MEASURED) / "powder"
    with (folder / "manifest.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["id"] == "rruff_R040036")
    recipe = {
        "name": "standard",
        "samples": 2,
        "candidates": {
            "structures": ["silicon"],
            "folder": str(tmp_path),
        },
        "instrument": {**INSTRUMENT, "two_theta_min_deg": 15, "two_theta_max_deg": 79.96},
    }
    (tmp_path / "barite.cif").write_bytes((folder / "cif" / row["cif"]).read_bytes())
    recipe["instrument"]["k_alpha_2_share"] = {"uniform": [0, 0.5]}
    source = SourceSpec("powder", recipe).open(Catalogue.load())
    angle, counts = np.loadtxt(folder / row["file"], delimiter=",", skiprows=1, unpack=True)
    axis: Axis = source.header.axes[0]
    pattern = np.interp(axis.values(), angle, counts)
    (found,) = source.refine(pattern[None], None, [source.header.class_names[1]])
    assert found.residual == pytest.approx(0.188, abs=0.01)
    assert found.misfit < 0.1
    cell = np.linalg.norm(source.candidates[1].crystal.cell, axis=1)
    for name, length in zip("abc", cell, strict=True):
        assert found.parts[0].parameters[f"{name}_angstrom"] == pytest.approx(length, rel=5e-3)
