"""Candidates of powder patterns: shared sites, prototypes, and what patterns to expect."""

import gzip
import json

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec
from crystalvision_simulate.powder._candidates import (
    CandidateSettings,
    candidates_of,
    of_cif,
)
from crystalvision_simulate.powder._places import phases_in
from crystalvision_simulate.powder._prototypes import PrototypeSettings, prototype_crystals
from crystalvision_simulate.powder.plugin import find_candidates
from crystalvision_simulate.structures.cif import read_cif, read_shared_cif

CIF = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt '{group}'
{more}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
{sites}
"""
ALLOY = "M1 Cu 0 0 0 0.6\nM2 Ni 0 0 0 0.4"


def cif(path, sites, *, a=3.6, group="F m -3 m", more=""):
    path.parent.mkdir(exist_ok=True)
    path.write_text(CIF.format(name=path.stem, a=a, group=group, sites=sites, more=more))
    return path


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.load()


def test_an_alloy_keeps_its_occupancies_and_its_symmetry(tmp_path):
    path = cif(tmp_path / "alloy.cif", ALLOY, more="_chemical_formula_sum 'Cu0.6 Ni0.4'")
    found = read_shared_cif(path)
    assert len(found.crystal) == 8
    assert sorted(found.occupancies) == [0.4] * 4 + [0.6] * 4
    phase = of_cif(path)
    assert phase.name == "Cu0.6Ni0.4 Fm-3m"
    assert (phase.space_group, phase.elements) == (225, ("Cu", "Ni"))
    with pytest.raises(InputError, match="partially occupied sites"):
        read_cif(path)


def test_a_full_crystal_is_read_as_ever(tmp_path):
    path = cif(tmp_path / "cu.cif", "M1 Cu 0 0 0 1")
    full, shared = read_cif(path), read_shared_cif(path)
    assert (full.positions == shared.crystal.positions).all()
    assert (shared.occupancies == 1).all()


@pytest.mark.parametrize(
    ("sites", "more", "message"),
    [
        ("M1 Cu 0 0 0 0.8\nM2 Ni 0 0 0 0.4", "", "whose occupancies sum to 1.2"),
        ("M1 Cu 0 0 0 1.4", "", "an occupancy of 1.4; expected at most 1"),
        ("M1 Cu 0 0 0 -0.4", "", "an occupancy of -0.4; expected at least 0"),
        (ALLOY, "_chemical_formula_sum 'Cu0.4 Ni0.6'", "the file states Cu0.4 Ni0.6"),
        ("M1 Cu 0 0 0 1\nM2 Ni 0 0 0.05 1", "", "nearer than half a bond"),
    ],
)
def test_shared_sites_that_contradict_the_file_are_refused(tmp_path, sites, more, message):
    with pytest.raises(InputError, match=message):
        read_shared_cif(cif(tmp_path / "wrong.cif", sites, more=more))


def test_a_folder_with_what_is_no_crystal_leaves_it_out(tmp_path, catalogue):
    folder = tmp_path / "cifs"
    cif(folder / "alloy.cif", ALLOY)
    cif(folder / "cu.cif", "M1 Cu 0 0 0 1")
    (folder / "broken.cif").write_text("data_x\n_cell_length_a nothing\n")
    (tmp_path / "one.jsonl.gz").write_bytes(
        gzip.compress(
            json.dumps({"lattice": [4, 4, 4, 90, 90, 90], "sites": [["Al", 0, 0, 0]]}).encode()
        )
    )
    (tmp_path / "some.yaml").write_text("structures: [silicon]\n")
    places = [folder, tmp_path / "one.jsonl.gz", tmp_path / "some.yaml", folder / "cu.cif"]
    found, left_out = phases_in(places, catalogue)
    names = ["Cu0.6Ni0.4 Fm-3m", "Cu Fm-3m", "Al", "Si Fd-3m", "Cu Fm-3m"]
    assert [each.phase.name for each in found] == names
    assert found[1].place == str(folder / "cu.cif")
    assert list(left_out) == [str(folder / "broken.cif")]
    with pytest.raises(InputError, match=r"no candidate could be read: .*broken\.cif"):
        phases_in([folder / "broken.cif"], catalogue)
    with pytest.raises(InputError, match="no such file or folder"):
        phases_in([tmp_path / "nowhere"], catalogue)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="expected a folder of CIF files"):
        phases_in([tmp_path / "notes.txt"], catalogue)


def test_prototypes_have_the_space_group_of_their_label():
    found = list(prototype_crystals(PrototypeSettings()))
    assert len(found) > 250
    assert {each.number for each in found} >= {225, 221, 227, 194, 62}
    assert all(len(each.crystal) <= 200 for each in found)


def test_substitutions_are_drawn_differ_and_keep_elements_apart():
    settings = PrototypeSettings(originals=False, substitutions=300, seed=3)
    found = list(prototype_crystals(settings))
    again = list(prototype_crystals(settings))
    contents = {(each.crystal.numbers.tobytes(), each.crystal.cell.tobytes()) for each in found}
    assert len(contents) == len(found) == 300
    assert all(
        (one.crystal.positions == other.crystal.positions).all()
        for one, other in zip(found, again, strict=True)
    )
    volumes = [each.crystal.volume_angstrom3 / len(each.crystal) for each in found]
    assert 5 < np.median(volumes) < 40  # Å³ an atom, as crystals have
    with pytest.raises(InputError, match="only "):
        list(prototype_crystals(PrototypeSettings(substitutions=10**5, most_atoms=1)))


def test_a_library_may_be_cut_to_its_first_phases(catalogue):
    settings = CandidateSettings(structures=("silicon",), prototypes={"most_atoms": 4}, most=10)
    found = candidates_of(settings, catalogue)
    assert len(found) == 10
    assert found[0].name == "Si Fd-3m"
    longer = candidates_of(settings.model_copy(update={"most": 20}), catalogue)
    assert [one.name for one in longer[:10]] == [one.name for one in found]


RECIPE = {
    "name": "small",
    "samples": 12,
    "seed": 3,
    "candidates": {"structures": ["silicon", "copper", "diamond"]},
    "crystal": {"cell_error": {"normal": [0, 0.001]}, "march_dollase": {"uniform": [0.8, 1.2]}},
    "instrument": {
        "name": "powder-diffractometer",
        "two_theta_min_deg": 20,
        "two_theta_max_deg": 79.9,
        "step_deg": 0.1,
        "peak_counts": {"log_uniform": [1e3, 1e5]},
        "background_counts": 10,
    },
}  # fmt: skip


def test_expected_patterns_are_those_of_the_candidate_alone(tmp_path, catalogue):
    spec = SourceSpec("powder", RECIPE)
    own = find_candidates(spec, catalogue, [])
    assert [each.name for each in own.entries] == ["Si Fd-3m", "Cu Fm-3m", "C Fd-3m"]
    assert own.entries[0].facts == {"space_group": "227"}
    (tmp_path / "some.yaml").write_text("structures: [diamond, silicon]\n")
    other = find_candidates(spec, catalogue, [tmp_path / "some.yaml"])
    here, there = (
        next(iter(each.expected([place], draws=3))) for each, place in ((own, 0), (other, 1))
    )
    assert here.images.shape == (3, 1, 600)
    assert (here.images == there.images).all()
    assert not (here.images[0] == here.images[1]).all()
    (middle,) = own.expected([0], draws=0)
    assert middle.images.shape == (1, 1, 600)
    expected = 2 * np.degrees(np.arcsin(1.5405929 * 3**0.5 / 2 / 5.431))
    assert 20 + 0.1 * middle.images[0, 0].argmax() == pytest.approx(expected, abs=0.15)


def test_a_phase_without_a_reflection_in_range_is_left_out(catalogue, tmp_path):
    instrument = {**RECIPE["instrument"], "two_theta_min_deg": 20, "two_theta_max_deg": 40.0}
    narrow = SourceSpec("powder", {**RECIPE, "instrument": instrument})
    found = list(find_candidates(narrow, catalogue, []).expected([0, 1, 2], draws=0))
    assert found[0].images is not None
    assert found[2].images is None  # (111) of diamond is at 43.9°
    assert found[2].reason == "it has no reflection in the measured range"


def test_classes_that_are_no_phases_have_no_candidates(catalogue):
    systems = SourceSpec("powder", {**RECIPE, "target": "crystal_system"})
    with pytest.raises(InputError, match="train on a recipe with target: phase"):
        find_candidates(systems, catalogue, [])
