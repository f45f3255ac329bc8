"""The sites of a CIF: elements, occupancies, special positions, and what contradicts them."""

import re
import time

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision_simulate.structures._expand import Atoms
from crystalvision_simulate.structures.cif import _same_atoms, read_cif

HEX = "_cell_length_a {a}\n_cell_length_b {a}\n_cell_length_c {c}\n" + "".join(
    f"_cell_angle_{name} {angle}\n" for name, angle in (("alpha", 90), ("beta", 90), ("gamma", 120))
)
CUBE = "".join(f"_cell_length_{axis} 3.905\n" for axis in "abc") + "".join(
    f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma")
)
PEROVSKITE = "data_x\n" + CUBE + "_symmetry_space_group_name_H-M 'P m -3 m'\n"
FULL = ["Sr1 Sr 0 0 0", "Ti1 Ti .5 .5 .5", "O1 O .5 .5 0"]
BETA = "data_x\n" + HEX.format(a=7.608, c=2.911) + "_symmetry_space_group_name_H-M 'P 63/m'\n"
BRUCITE = "data_x\n" + HEX.format(a=3.142, c=4.766) + "_symmetry_space_group_name_H-M 'P -3 m 1'\n"


def sites(rows, *more, types=True):
    tags = ["label", *(["type_symbol"] if types else []), "fract_x", "fract_y", "fract_z", *more]
    return "\n".join(["loop_", *(f"_atom_site_{tag}" for tag in tags), *rows, ""])


@pytest.fixture
def read(tmp_path):
    def reader(text, **options):
        path = tmp_path / "x.cif"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_cif(path, **options)

    return reader


@pytest.mark.parametrize(
    ("third", "moved"),
    [("0.333333 0.666667", 0), ("0.3333 0.6667", 0), ("0.333 0.667", 1), ("0.333 0.666", 1),
     ("0.33 0.67", 1), ("1/3 2/3", 0), ("0.3333(2) 0.6667(3)", 0)],
)  # fmt: skip
def test_rounded_thirds_are_thirds(read, third, moved):
    rows = ["Si1 Si 0.1742 0.7678 0.25", "N1 N 0.3299 0.0299 0.25", f"N2 N {third} 0.25"]
    found = read(BETA + sites(rows))
    assert sorted(found.numbers) == [7] * 8 + [14] * 6
    nearest = found.to_ase().get_all_distances(mic=True)[~np.eye(14, dtype=bool)].min()
    assert nearest == pytest.approx(1.729, abs=0.002)
    assert len(found.assumed) == moved
    assert all("special position" in told for told in found.assumed)


def test_what_lies_off_a_special_position_by_more_than_its_digits_is_refused(read):
    rows = ["Si1 Si 0.1742 0.7678 0.25", "N1 N 0.3299 0.0299 {}"]
    assert len(read(BETA + sites(rows).format("0.2499"))) == 12
    with pytest.raises(InputError, match=r"site 'N1' .* 0.291 Å from an image of its own"):
        read(BETA + sites(rows).format("0.2000"))


def test_a_general_position_is_left_where_it_is(read):
    found = read(BETA + sites(["H1 H 0.10 0.45 0.05"]))
    assert len(found) == 12
    assert found.assumed == ()


@pytest.mark.parametrize(
    ("label", "number"),
    [("O1A", 8), ("O1", 8), ("O-2", 8), ("Fe2+", 26), ("AL1", 13), ("Cl1", 17), ("B", 5)],
)
def test_labels_that_name_an_element(read, label, number):
    found = read(PEROVSKITE + sites(["Sr1 0 0 0", f"{label} .5 .5 .5"], types=False))
    assert sorted(found.numbers) == sorted([38, number])
    assert "there are no type symbols" in found.assumed[-1]


@pytest.mark.parametrize(
    "label",
    ["OH1", "OH", "T1", "X1", "M1", "A", "Wat", "OW", "Ow1", "H2O", "D2O1", "Q1", "Me1", "CA1",
     "FE1", "SI1", "si1", "1", "?"],
)  # fmt: skip
def test_labels_that_do_not_are_refused(read, label):
    with pytest.raises(InputError, match=r"does not say which element .* _atom_site_type_symbol"):
        read(PEROVSKITE + sites(["Sr1 0 0 0", f"{label} .5 .5 .5"], types=False))


def test_the_formula_decides_what_capitals_mean(read):
    text = PEROVSKITE + "_chemical_formula_sum 'Sr Fe'\n"
    found = read(text + sites(["SR1 0 0 0", "FE1 .5 .5 .5"], types=False))
    assert sorted(found.numbers) == [26, 38]


@pytest.mark.parametrize(
    ("symbol", "number"),
    [("Si4+", 14), ("O2-", 8), ("O-2", 8), ("Fe+3", 26), ("SI", 14), ("si", 14), ("Si0+", 14),
     ("Cl1-", 17), ("D", 1), (".", 8), ("?", 8)],
)  # fmt: skip
def test_type_symbols(read, symbol, number):
    found = read(PEROVSKITE + sites(["Sr1 Sr 0 0 0", f"O1 {symbol} .5 .5 .5"]))
    assert sorted(found.numbers) == sorted([38, number])
    assert found.assumed == (
        ("deuterium (D) scatters as the element does",) if symbol == "D" else ()
    )


@pytest.mark.parametrize("symbol", ["X", "OH", "H2O", "T", "M", "Vac", "*", "Wat", "Q", "Xx"])
def test_type_symbols_of_no_element_are_refused(read, symbol):
    with pytest.raises(InputError, match=f"type symbol '{re.escape(symbol)}', which is no element"):
        read(PEROVSKITE + sites(["Sr1 Sr 0 0 0", f"O1 {symbol} .5 .5 .5"]))


@pytest.mark.parametrize("occupancy", [".", "?", "1", "1.0", "1.000(5)", "0.999"])
def test_full_sites(read, occupancy):
    rows = ["Mg1 Mg 0 0 0 1", f"O1 O 0.33333 0.66667 0.2203 {occupancy}"]
    assert sorted(read(BRUCITE + sites(rows, "occupancy")).numbers) == [8, 8, 12]


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (["Sr1 Sr 0 0 0 .5", "Ca1 Ca 0 0 0 .5"], "partially occupied sites.*site 'Sr1'"),
        (["Sr1 Sr 0 0 0 0"], "site 'Sr1' has an occupancy of 0"),
        (["Sr1 Sr 0 0 0 1.2"], "'Sr1' has an occupancy of 1.2; expected at most 1"),
        (["Sr1 Sr 0 0 0 full"], "occupancy of site 'Sr1' is 'full'; expected a number"),
        (["Sr1 Sr 0 0 0 1", "Ca1 Ca 0 0 0 1"], "'Sr1' and 'Ca1' are one place"),
        (["Sr1 Sr 0 0 0 1", "Ca1 Ca 1 0 -1 ."], "'Sr1' and 'Ca1' are one place"),
        (["O1 O .5 .5 0 1", "O2 O .5 0 .5 1"], "'O1' and 'O2' are one place"),
        (["Sr1 Sr 0 0 0 1", "Ca1 Ca 0 0 .05 1"], "nearer than half a bond"),
    ],
)
def test_sites_that_are_not_one_atom_each_are_refused(read, rows, wrong):
    with pytest.raises(InputError, match=wrong):
        read(PEROVSKITE + sites(rows, "occupancy"))


def test_dummy_sites_are_no_atoms(read):
    rows = ["Sr1 Sr 0 0 0 .", "Q1 X ? ? ? dum"]
    found = read(PEROVSKITE + sites(rows, "calc_flag"))
    assert list(found.numbers) == [38]
    assert "dum) are no atoms: Q1" in found.assumed[0]


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (["Sr1 Sr 0 0 ?"], "site 'Sr1' has no coordinate z"),
        (["Sr1 Sr 0 0 0,5"], "coordinate z of site 'Sr1' is '0,5'; expected a number"),
        (["Sr1 Sr 0 0 nan"], "coordinate z of site 'Sr1' is 'nan'"),
        (["Sr1 Sr 0 0 1e999"], "expected a number"),
        (["Sr1 Sr 0 0"], "Wrong number of values"),
    ],
)
def test_coordinates_that_are_none_are_refused(read, rows, wrong):
    with pytest.raises(InputError, match=wrong):
        read(PEROVSKITE + sites(rows))


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("_chemical_formula_sum 'Sr Ti O2'", "make O3 Sr1 Ti1 in the cell, but the file states"),
        ("_chemical_formula_sum 'Sr Ti O3 H'", "no site is of H, .* missing: H}"),
        ("_chemical_formula_sum 'Sr Ti O3 C'", "no site is of C: add its sites"),
        ("_chemical_formula_sum 'Sr2 Ti2 O6'", "correct the sites, the symmetry or the formula"),
        ("_chemical_formula_sum 'Sr Ti O3'\n_cell_formula_units_Z 4", "and Z = 4"),
        ("_cell_formula_units_Z 2", "which is not 2 formula units"),
        ("_exptl_crystal_density_diffrn 4.2", r"make 5.117 g/cm³, but the file states 4.2"),
        ("_cell_volume 61.5", "_cell_volume is 61.5 Å³, but the lengths and angles make 59.5"),
    ],
)
def test_contents_that_contradict_the_sites_are_refused(read, statement, wrong):
    with pytest.raises(InputError, match=wrong):
        read(f"{PEROVSKITE}{statement}\n{sites(FULL)}")


def test_contents_that_agree(read):
    statements = (
        "_chemical_formula_sum 'O3 Sr Ti'\n_cell_formula_units_Z 1\n_cell_volume 59.55(2)\n"
        "_exptl_crystal_density_diffrn 5.12\n"
    )
    assert read(PEROVSKITE + statements + sites(FULL)).assumed == ()


@pytest.mark.parametrize("formula", ["Mg (O H)2", "Mg (O2 H2)", "(Mg O2) H2"])
def test_groups_in_the_sum_are_multiplied_out(read, formula):
    rows = ["Mg1 Mg 0 0 0", "O1 O .33333 .66667 .2203"]
    text = f"{BRUCITE}_chemical_formula_sum '{formula}'\n{sites(rows)}"
    with pytest.raises(InputError, match="no site is of H"):
        read(text)
    hydrogen = "H1 H .33333 .66667 .4303"
    assert len(read(f"{BRUCITE}_chemical_formula_sum '{formula}'\n{sites([*rows, hydrogen])}")) == 5


def test_time_grows_as_the_number_of_sites(read):
    places = np.indices((27, 27, 27)).reshape(3, -1).T / 27  # 19,683; 11 s where it grew as n²
    rows = [f"Po{at} Po {x:.6f} {y:.6f} {z:.6f}" for at, (x, y, z) in enumerate(places)]
    cell = PEROVSKITE.replace("3.905", "90.45").replace("P m -3 m", "P 1")
    started = time.perf_counter()
    assert len(read(cell + sites(rows))) == 27**3
    found = read(cell.replace("_symmetry_space_group_name_H-M 'P 1'", "") + sites(rows))
    assert len(found) == 27**3
    assert "states no symmetry" in found.assumed[0]
    assert time.perf_counter() - started < 6


def test_same_atoms_are_found_whatever_their_order_and_number():
    rng = np.random.default_rng(0)
    places, numbers = rng.random((20_000, 3)), rng.choice([14, 7], size=20_000)
    order, none = rng.permutation(20_000), np.zeros(0)
    cell = np.array([[60.0, 0, 0], [-20, 60, 0], [5, 7, 60]])
    one = Atoms(places, numbers, none, none, none)
    moved = Atoms((places + [1, 0, -1] + 1e-6)[order], numbers[order], none, none, none)
    assert _same_atoms(one, moved, cell)
    places = moved.fractional.copy()
    places[7] += 0.001
    assert not _same_atoms(one, Atoms(places, numbers[order], none, none, none), cell)
    assert not _same_atoms(
        one, Atoms(moved.fractional, numbers[order][::-1], none, none, none), cell
    )


def test_a_volume_that_the_lengths_miss_a_little_is_told(read):
    found = read(f"{PEROVSKITE}_cell_volume 60.8\n{sites(FULL)}")
    assert found.volume_angstrom3 == pytest.approx(3.905**3, rel=1e-4)
    assert found.assumed == (
        "_cell_volume is 60.8 Å³, but the lengths and angles make 59.5474 Å³: these were taken",
    )


@pytest.mark.parametrize("option", ["H", "D", ("H",), ("C", "H")])
@pytest.mark.parametrize(
    ("statements", "count"),
    [
        ("_chemical_formula_sum 'Sr Ti O3 H2'", 2),
        ("_chemical_formula_sum 'Sr Ti O3 H2'\n_cell_formula_units_Z 1", 2),
        ("_chemical_formula_sum 'Sr Ti O3 H30'\n_exptl_crystal_density_diffrn 5.96", 30),
    ],
)
def test_hydrogen_may_be_missing_where_the_user_says_so(read, statements, count, option):
    text = f"{PEROVSKITE}{statements}\n{sites(FULL)}"
    with pytest.raises(InputError, match="no site is of H"):
        read(text)
    found = read(text, missing=option)
    assert sorted(found.numbers) == [8, 8, 8, 22, 38]
    assert found.assumed == (f"{count} H of the cell have no sites, and are left out",)


def test_what_is_missing_does_not_hide_other_faults(read):
    rows = [*FULL, "H1 H .5 .25 0"]
    text = f"{PEROVSKITE}_chemical_formula_sum 'Sr Ti O3 H14'\n{sites(rows)}"
    with pytest.raises(InputError, match=r"make H12 O3 Sr1 Ti1 .* not enough sites are of H"):
        read(text)
    found = read(text, missing="H")
    assert len(found) == 17
    assert found.assumed == ("2 H of the cell have no sites, and are left out",)
    for wrong in ("Sr Ti O2 H4", "Sr Ti O3 H", "Sr Ti O3 H14 C"):
        with pytest.raises(InputError, match="but the file states"):
            read(text.replace("Sr Ti O3 H14", wrong), missing="H")
    dense = text.replace("_chem", "_exptl_crystal_density_diffrn 4.2\n_chem")
    with pytest.raises(InputError, match="g/cm³, but the file states"):
        read(dense, missing="H")
    with pytest.raises(InputError, match="missing is 'Hy', which is no element"):
        read(text, missing="Hy")


def test_multiplicities_are_checked(read):
    rows = ["Sr1 Sr 0 0 0 1", "O1 O .5 .5 0 {}"]
    text = PEROVSKITE + sites(rows, "site_symmetry_multiplicity")
    assert len(read(text.format(3))) == 4
    with pytest.raises(InputError, match=r"'O1' stands for 3 atoms .* multiplicity of 6"):
        read(text.format(6))


def test_disorder_groups_are_refused(read):
    with pytest.raises(InputError, match=r"disordered \(_atom_site_disorder_group 1, 2\)"):
        read(PEROVSKITE + sites(["Sr1 Sr 0 0 0 1", "O1 O .5 .5 .5 2"], "disorder_group"))
