"""Structures of all space groups, in all settings, are read as they are from CIFs of any style.

Symmetry that is stated as operations, by a Hall symbol or by an extended symbol is never refused;
a name that leaves the origin open, and a list of atoms without symmetry, may be.
"""

from collections import Counter

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision_simulate.structures.cif import read_cif

AMBIGUOUS = {"short": 0.12, "compact": 0.12, "full": 0.12, "number": 0.12, "all-atoms": 0.25}
"""At most this share of files is refused; where it is not listed, none."""


def check(written_cif, folder, groups, seed):
    """Read each setting in each style; return how many files were read, and refused by style."""
    path = folder / "x.cif"
    read, refused, reasons = Counter(), Counter(), []
    for index, group in enumerate(groups):
        rng = np.random.default_rng([seed, index])
        structure = written_cif.structure_of(group, rng)
        for symmetry in written_cif.SYMMETRIES:
            if not written_cif.can_state(structure, symmetry):
                continue
            style = written_cif.a_style(symmetry, rng)
            path.write_bytes(written_cif.written(structure, style))
            read[symmetry] += 1
            try:
                crystal = read_cif(path)
            except InputError as error:
                refused[symmetry] += 1
                reasons.append(str(error))
                continue
            # The digits of a site, of the operation that moved it, and of the cell.
            reach = 4 * 10.0**-style.digits * max(structure.parameters[:3]) + 1e-3
            assert written_cif.farthest(structure, crystal) < reach, (group.xhm(), style)
    assert [reason for reason in reasons if "write" not in reason] == []
    return read, refused


def shares_are_small(read, refused):
    for symmetry, count in read.items():
        share = refused[symmetry] / count
        assert share <= AMBIGUOUS.get(symmetry, 0), (symmetry, share)


@pytest.mark.slow  # thousands of files
def test_every_space_group_and_some_of_their_other_settings(written_cif, tmp_path):
    settings = written_cif.settings()
    groups = [group for group in settings if group.is_reference_setting()]
    assert sorted(group.number for group in groups) == list(range(1, 231))
    read, refused = check(written_cif, tmp_path, [*groups, *settings[::12]], seed=1)
    assert sum(read.values()) > 2000
    shares_are_small(read, refused)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_every_setting_of_every_space_group(written_cif, tmp_path, seed):
    read, refused = check(written_cif, tmp_path, written_cif.settings(), seed)
    assert sum(read.values()) > 4000
    shares_are_small(read, refused)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")  # of spglib
def test_prototypes_of_pymatgen(written_cif, tmp_path):
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    from crystalvision.contracts import Crystal, space_group

    path, groups, reasons = tmp_path / "x.cif", set(), []
    for prototype in AFLOW_PROTOTYPE_LIBRARY:
        structure = prototype["snl"].structure
        if not structure.is_ordered:
            continue
        expected = Crystal.from_pymatgen(structure)
        structure.to(filename=str(path), symprec=0.01)
        try:
            found = read_cif(path)
        except InputError as error:
            reasons.append(str(error))
            continue
        group = space_group(expected, tolerance_angstrom=0.01)
        assert space_group(found, tolerance_angstrom=0.01).number == group.number
        per_atom = [each.volume_angstrom3 / len(each) for each in (found, expected)]
        assert per_atom[0] == pytest.approx(per_atom[1], rel=1e-4)
        groups.add(group.number)
    # Some prototypes are of elements that do not fit their cell.
    assert [reason for reason in reasons if "half a bond" not in reason] == []
    assert len(groups) > 50
