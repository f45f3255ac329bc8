"""The symmetry of a CIF, however it is stated; each expected value is from another reader."""

import gemmi
import numpy as np
import pytest
import spglib
from ase.spacegroup import crystal as ase_crystal

from crystalvision.contracts import space_group
from crystalvision.errors import InputError
from crystalvision_simulate.structures.cif import read_cif

SI = (5.4309,) * 3 + (90,) * 3
BI_RHOMBOHEDRAL = (4.746,) * 3 + (57.23,) * 3
BI_HEXAGONAL = (4.546, 4.546, 11.862, 90, 90, 120)
MONOCLINIC = (7.0, 8.0, 9.5, 90, 105, 90)
SI1 = ["Si1 Si 0 0 0"]
BI_R, BI_H = ["Bi1 Bi .2336 .2336 .2336"], ["Bi1 Bi 0 0 .2336"]
HM, HALL = "_symmetry_space_group_name_H-M", "_symmetry_space_group_name_Hall"
NUMBER = "_symmetry_Int_Tables_number"


def cif(cell, statements, sites, more=""):
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = ["data_x", *(f"_cell_{name} {value}" for name, value in zip(names, cell, strict=True))]
    lines += [f"{name}\n;{value}\n;" for name, value in statements.items()]
    lines += [more, "loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [*(f"_atom_site_fract_{axis}" for axis in "xyz"), *sites, ""]
    return "\n".join(lines)


def operations(hall):
    listed = (f"'{operation.triplet()}'" for operation in gemmi.symops_from_hall(hall))
    return "\n".join(["loop_", "_symmetry_equiv_pos_as_xyz", *listed])


@pytest.fixture
def read(tmp_path):
    def reader(*args, **kwargs):
        path = tmp_path / "x.cif"
        path.write_text(cif(*args, **kwargs))
        return read_cif(path)

    return reader


SILICON = ase_crystal("Si", [(0, 0, 0)], spacegroup=227, setting=1, cellpar=SI)


@pytest.mark.parametrize(
    "statements",
    [
        {HALL: "F 4d 2 3 -1d"},
        {HM: "F d -3 m :1"},
        {HM: "Fd-3m:1"},
        {HM: "fd-3m :1"},
        {HM: "F d -3 m S"},
        {HM: "F d 3 m :1"},
        {HM: "F 41/d -3 2/m :1"},
        {HM: "F d -3 m (origin choice 1)"},
        {HM: "F d -3 m", HALL: "F 4d 2 3 -1d"},
        {NUMBER: "227", HALL: "F 4d 2 3 -1d", HM: "F d -3 m"},
        {"_space_group_name_H-M_alt": "F d -3 m:1", "_space_group_IT_number": "227"},
        {"_space_group.name_Hall": "F 4d 2 3 -1d"},
        {HM: "F d -3 m", "_exptl_crystal_density_diffrn": "2.33"},
        {NUMBER: "227", "_chemical_formula_sum": "Si", "_cell_formula_units_Z": "8"},
    ],
)
def test_silicon_has_eight_atoms_however_its_group_is_named(read, statements):
    found = read(SI, statements, SI1)
    assert len(found) == 8
    assert str(space_group(found)) == "Fd-3m (227)"
    apart = found.positions[:, None] - SILICON.positions[None]
    apart -= 5.4309 * np.rint(apart / 5.4309)
    assert np.linalg.norm(apart, axis=-1).min(axis=1).max() < 1e-6


def test_which_origin_was_meant_is_told_where_the_density_decides(read):
    found = read(SI, {HM: "F d -3 m", "_exptl_crystal_density_diffrn": "2.33"}, SI1)
    (told,) = found.assumed
    assert told.startswith("the setting is F d -3 m:1, which the file does not say: in the others")
    assert "4.658 g/cm³" in told


@pytest.mark.parametrize("statements", [{HM: "F d -3 m"}, {NUMBER: "227"}])
def test_two_origins_that_give_two_crystals_are_refused(read, statements):
    with pytest.raises(InputError, match=r":1 \(8 atoms\), F d -3 m:2 \(16 atoms\); write _space_"):
        read(SI, statements, SI1)


def test_no_symmetry_at_all_is_no_p1(read):
    with pytest.raises(InputError, match=r"states no symmetry.*'Si1' has no neighbour.*write its"):
        read(SI, {}, SI1)
    assert len(read(SI, {HM: "P 1"}, SI1)) == 1


def test_a_cell_with_all_its_atoms_and_no_symmetry_is_told(read):
    sites = [f"Si{at} Si {' '.join(map(str, place))}" for at, place in
             enumerate(SILICON.get_scaled_positions())]  # fmt: skip
    found = read(SI, {}, sites)
    assert len(found) == 8
    assert found.assumed == (
        "the file states no symmetry: its sites are taken for all atoms of the cell (P 1)",
    )
    perovskite = ["Sr Sr 0 0 0", "Ti Ti .5 .5 .5", "O1 O .5 .5 0"]  # of five atoms
    with pytest.raises(InputError, match=r"the atoms have less of it than the lengths and angles"):
        read((3.905,) * 3 + (90,) * 3, {}, perovskite)


@pytest.mark.parametrize(
    ("cell", "sites", "count"), [(BI_RHOMBOHEDRAL, BI_R, 2), (BI_HEXAGONAL, BI_H, 6)]
)
@pytest.mark.parametrize(
    "statements",
    [{HM: "R -3 m"}, {NUMBER: "166"}, {HM: "R -3 2/m"}, {HM: "R-3m", NUMBER: "166"}],
)
def test_the_cell_tells_rhombohedral_from_hexagonal_axes(read, cell, sites, count, statements):
    found = read(cell, statements, sites)
    assert len(found) == count
    assert str(space_group(found)) == "R-3m (166)"
    nearest = found.to_ase().get_all_distances(mic=True)[~np.eye(count, dtype=bool)].min()
    assert nearest == pytest.approx(3.07, abs=0.02)


@pytest.mark.parametrize(
    ("statements", "more"),
    [
        ({}, operations('-R 3 2"')),
        ({HALL: '-R 3 2"'}, ""),
        ({HM: "R -3 m :H"}, ""),
        ({HM: "R -3 m H"}, ""),
    ],
)
def test_hexagonal_operations_of_a_rhombohedral_cell_are_refused(read, statements, more):
    with pytest.raises(InputError, match=r"do(es)? not fit the cell"):
        read(BI_RHOMBOHEDRAL, statements, BI_R, more)


@pytest.mark.parametrize("statements", [{HM: "P 21/n"}, {HALL: "-P 2yn"}])
@pytest.mark.parametrize("alpha", [90.3, 88.85])
def test_a_measured_cell_that_departs_from_its_symmetry_is_kept_and_told(read, alpha, statements):
    found = read((4.925, 11.433, 5.378, alpha, 111.97, 90.03), statements, ["C1 C .1 .2 .3"])
    assert len(found) == 4
    assert found.to_ase().cell.angles() == pytest.approx([alpha, 111.97, 90.03])
    assert any("the cell departs from the symmetry, by" in told for told in found.assumed)


@pytest.mark.parametrize(
    ("cell", "hall"),
    [
        ((4.036, 3.994, 3.994, 90, 90, 90), "P 4 -2"),  # the long axis is not c
        ((7, 8, 9.5, 90, 91, 90), "-P 2c"),  # the unique axis is not c
        ((4.925, 11.433, 5.378, 87, 111.97, 90), "-P 2yn"),  # too far
        ((5.43, 5.43, 5.7, 90, 90, 90), "F 4d 2 3 -1d"),
    ],
)
def test_a_cell_of_other_axes_is_refused_however_near(read, cell, hall):
    with pytest.raises(InputError, match="do not fit the cell"):
        read(cell, {HALL: hall}, ["C1 C .1 .2 .3"])


@pytest.mark.parametrize(
    ("name", "hall"),
    [
        ("P 21/c", "-P 2ybc"),
        ("P21/c", "-P 2ybc"),
        ("P2(1)/c", "-P 2ybc"),
        ("P 2_1/c", "-P 2ybc"),
        ("P 2~1~/c", "-P 2ybc"),
        ("P 1 21/c 1 (No. 14)", "-P 2ybc"),
        ("P 21/a", "-P 2yab"),
        ("P 1 21/a 1", "-P 2yab"),
        ("P 21/n", "-P 2yn"),
        ("P 1 21/n 1", "-P 2yn"),
    ],
)
def test_each_cell_choice_of_group_14_has_its_own_glide(read, name, hall):
    found = read(MONOCLINIC, {HM: name}, ["Si1 Si .1 .2 .3"])
    images = [operation.apply_to_xyz([0.1, 0.2, 0.3]) for operation in gemmi.symops_from_hall(hall)]
    apart = np.array(images)[:, None] - (found.positions @ np.linalg.inv(found.cell))[None]
    assert abs(apart - np.rint(apart)).max(axis=-1).min(axis=1).max() < 1e-9
    assert len(found) == 4
    assert found.assumed == ()


def test_operations_decide_between_settings_and_say_so(read):
    found = read(MONOCLINIC, {HM: "P 21/c"}, ["Si1 Si .1 .2 .3"], operations("-P 2yab"))
    fractional = found.positions @ np.linalg.inv(found.cell)
    assert np.isclose(fractional, [0.6, 0.3, 0.3]).all(axis=1).any()  # x+1/2, -y+1/2, z
    (told,) = found.assumed
    assert "those of P 1 21/a 1, while the file's name for it is 'P 21/c'" in told


@pytest.mark.parametrize(
    ("statements", "more"),
    [
        ({HM: "F d -3 m"}, operations("P 1")),
        ({NUMBER: "225"}, operations("F 4d 2 3 -1d")),
        ({HALL: "-F 4vw 2vw 3"}, operations("F 4d 2 3 -1d")),
        ({HM: "F m -3 m", HALL: "F 4d 2 3 -1d"}, ""),
        ({HM: "F d -3 m:2", HALL: "F 4d 2 3 -1d"}, ""),
        ({HM: "F d -3 m:1", NUMBER: "225"}, ""),
    ],
)
def test_statements_that_contradict_each_other_are_refused(read, statements, more):
    with pytest.raises(InputError, match="contradict"):
        read(SI, statements, SI1, more)


@pytest.mark.parametrize(
    ("statements", "more", "wrong"),
    [
        ({HM: "F q -3 m"}, "", "'F q -3 m' is not in the tables; write its operations"),
        ({HALL: "F 4q"}, "", "Hall symbol 'F 4q' is not understood"),
        ({NUMBER: "231"}, "", "expected a whole number from 1 to 230"),
        ({}, "loop_\n_symmetry_equiv_pos_as_xyz\nx, y, z\n", "'x,' is not understood"),
        ({}, "loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'y,z,x'\n", "do not form a group"),
        ({}, "loop_\n_symmetry_equiv_pos_as_xyz\n'x+0.1234,y,z'\n", "is not understood"),
        ({}, "loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n", "a magnetic structure"),
        ({"_cell_modulation_dimension": "1"}, "", "a modulated structure"),
    ],
)
def test_what_is_not_understood_is_refused(read, statements, more, wrong):
    with pytest.raises(InputError, match=wrong):
        read(SI, statements, SI1, more)


def test_every_setting_that_spglib_knows_is_known_by_its_full_symbol():
    from crystalvision_simulate.structures._space_groups import settings_of_name

    with pytest.warns(DeprecationWarning, match="OLD_ERROR_HANDLING"):
        groups = [spglib.get_spacegroup_type(number) for number in range(1, 531)]
    for group in groups:
        assert group.number in {each.number for each in settings_of_name(group.international_full)}


def test_every_setting_of_the_tables_is_a_group_that_spglib_finds():
    from crystalvision_simulate.structures._operations import PARTS
    from crystalvision_simulate.structures._space_groups import settings_of_name

    for group in gemmi.spacegroup_table():
        (found,) = [each for each in settings_of_name(group.xhm()) if each.hall == group.hall]
        assert found.operations.is_group()
        with pytest.warns(DeprecationWarning, match="OLD_ERROR_HANDLING"):
            number = spglib.get_spacegroup_type_from_symmetry(
                found.operations.rotations.astype("int32"), found.operations.translations / PARTS
            ).number
        assert number == group.number
