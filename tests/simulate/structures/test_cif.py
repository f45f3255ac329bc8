"""Crystals from CIF files."""

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision_simulate.structures.cif import read_cif
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride


def test_round_trip_through_a_file(tmp_path):
    path = tmp_path / "beta.cif"
    crystal = beta_silicon_nitride()
    crystal.to_pymatgen().to(filename=str(path))
    found = read_cif(path)
    assert sorted(found.numbers) == sorted(crystal.numbers)
    assert found.volume_angstrom3 == pytest.approx(crystal.volume_angstrom3, rel=1e-5)
    assert np.allclose(found.cell, crystal.cell, atol=1e-4)


def test_a_file_that_is_no_cif_is_named(tmp_path):
    path = tmp_path / "broken.cif"
    path.write_text("data_x\nloop_\n_atom_site_label\nnothing here\n")
    with pytest.raises(InputError, match=r"broken\.cif: not a CIF file with a crystal structure"):
        read_cif(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.cif: no such file; expected a CIF file"):
        read_cif(tmp_path / "absent.cif")


def test_partial_occupancy_is_refused(tmp_path):
    from pymatgen.core import Lattice, Structure

    path = tmp_path / "alloy.cif"
    Structure(Lattice.cubic(4), [{"Si": 0.5, "Ge": 0.5}], [[0, 0, 0]]).to(filename=str(path))
    with pytest.raises(InputError, match="partially occupied sites; make it ordered first"):
        read_cif(path)
