"""Which block of a CIF is read, and the bytes that it may come in."""

import gzip

import pytest

from crystalvision.errors import InputError
from crystalvision_simulate.structures.cif import read_cif
from crystalvision_simulate.structures.file import read_crystal

BLOCK = """data_{name}
_publ_author_name 'Ångström, é'
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{name}1 0 0 {z}
"""
AL, CU = BLOCK.format(name="Al", a=4.05, z=0), BLOCK.format(name="Cu", a=3.615, z=0)
BROKEN = BLOCK.format(name="Al", a=4.05, z="?")
GLOBAL = "data_global\n_publ_section_title\n;\nOf loop_ and data_\n;\n"
POWDER = "data_pd\n_cell_length_a 4\nloop_\n_pd_meas_counts_total\n1\n2\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.cif"


def test_the_one_block_with_a_structure_is_read(path):
    path.write_text(GLOBAL + CU + POWDER)
    assert list(read_cif(path).numbers) == [29] * 4


@pytest.mark.parametrize("first", [AL, BROKEN])
def test_of_two_structures_none_is_taken_unasked(path, first):
    path.write_text(first + CU)
    wanted = r"2 blocks hold a structure: 'Al', 'Cu'; choose one with the option block, such as"
    with pytest.raises(InputError, match=wanted):
        read_cif(path)
    assert list(read_cif(path, block="Cu").numbers) == [29] * 4
    assert list(read_crystal(path, block="cu").numbers) == [29] * 4
    with pytest.raises(InputError, match="no block is called 'Ni'; its blocks: 'Al', 'Cu'"):
        read_cif(path, block="Ni")


def test_the_block_that_was_asked_for_must_be_readable(path):
    path.write_text(GLOBAL + BROKEN + CU)
    with pytest.raises(InputError, match="site 'Al1' has no coordinate z"):
        read_cif(path, block="Al")
    with pytest.raises(InputError, match="'global' has no atom sites; these have: 'Al', 'Cu'"):
        read_cif(path, block="global")


@pytest.mark.parametrize(
    "text", [AL + AL, AL.replace("4.05", "4.05\n_cell_length_a 4.1", 1), GLOBAL, "", "# nothing"]
)
def test_blocks_of_one_name_two_values_or_no_structure_are_refused(path, text):
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.cif: not a CIF file with a crystal structure: "):
        read_cif(path)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_any_encoding_and_end_of_line(path, newline, encoding):
    path.write_bytes(AL.replace("\n", newline).encode(encoding))
    assert list(read_cif(path).numbers) == [13] * 4


@pytest.mark.parametrize("name", ["x.CIF", "x.cif.txt", "x.mcif", "crystal", "x.dat"])
def test_a_cif_is_known_by_its_content_too(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(AL.encode("utf-8-sig"))
    assert list(read_crystal(path).numbers) == [13] * 4


def test_a_packed_cif(tmp_path):
    path = tmp_path / "x.cif.gz"
    path.write_bytes(gzip.compress(AL.encode()))
    assert list(read_crystal(path).numbers) == [13] * 4
    path.write_bytes(gzip.compress(AL.encode())[:-20])
    with pytest.raises(InputError, match="a damaged packed file"):
        read_crystal(path)


def test_a_packed_bomb_is_refused(tmp_path):
    path = tmp_path / "x.cif.gz"
    with gzip.open(path, "wb") as stream:
        for _ in range(40):
            stream.write(bytes([32]) * 2**20)
    with pytest.raises(InputError, match="more than 32 MiB of text"):
        read_crystal(path)


def test_control_characters_of_a_label_do_not_reach_the_terminal(path):
    path.write_text(AL.replace("Al1 0", "'A\x1b[31ml1' 0"))
    with pytest.raises(InputError) as caught:
        read_cif(path)
    assert "\x1b" not in str(caught.value)
