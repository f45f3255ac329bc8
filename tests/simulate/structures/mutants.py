"""Damaged crystal files: what editors, transfers and other programs make of good ones."""

import io
import re

import ase.io
import gemmi
from written_cif import SYMMETRIES, a_style, can_state, structure_of, written

from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

_FORMATS = {"POSCAR": "vasp", "a.extxyz": "extxyz", "a.xsf": "xsf", "a.pdb": "proteindatabank"}
_WORD = re.compile(rb"[^\s'\"]+")
_VALUES = (
    "nan", "inf", "-1", "0", "1e308", "1e-308", "1e999", "99999999999", "?", ".", "", "x", "'", '"',
    ";", "\n;", "loop_", "data_", "data_x", "save_", "global_", "stop_", "#", "_cell_length_a",
    "_atom_site_fract_x", "_cell_formula_units_Z", "1/3", "1/0", "0.5(", "0.5()", "1,5", "Si", "Xx",
    "D", "OH", "H2O", "X", "𝟙", "\0", "\x1b[31m", "\ufeff", "\u2212x,y,z", "x,y,z", "x+1/7,y,z",
    "x" * 5000, "(" * 3000, "9" * 5000, "P 1", "R -3 m", "F d -3 m:3", "-P 2ybc (x,y,z)", "P 99 99",
)  # fmt: skip


def originals(rng):
    """Good files by the names that they have."""
    found = []
    groups = list(gemmi.spacegroup_table())
    for at in rng.choice(len(groups), size=6, replace=False):
        structure = structure_of(groups[at], rng)
        found += [
            ("a.cif", written(structure, a_style(symmetry, rng)))
            for symmetry in SYMMETRIES
            if can_state(structure, symmetry)
        ]
    atoms = beta_silicon_nitride().to_ase()
    for name, form in (
        ("POSCAR", "vasp"),
        ("a.extxyz", "extxyz"),
        ("a.xsf", "xsf"),
        ("a.pdb", "proteindatabank"),
    ):
        stream = io.StringIO()
        ase.io.write(stream, atoms, format=form)
        found.append((name, stream.getvalue().encode()))
    structure = beta_silicon_nitride().to_pymatgen()
    found.append(("a.json", structure.to(fmt="json").encode()))
    found.append(("POSCAR", structure.to(fmt="poscar").encode()))
    return found


def mutated(data, rng):
    """A file with one to three things wrong."""
    for _ in range(rng.integers(1, 4)):
        data = _HOW[rng.integers(len(_HOW))](data, rng)
        if len(data) > 2**20:
            break
    return data


def _place(data, rng):
    return int(rng.integers(len(data) + 1))


def _flipped(data, rng):
    at = _place(data, rng)
    return data[:at] + bytes([rng.integers(256)]) + data[at + 1 :]


def _cut(data, rng):
    return data[: _place(data, rng)]


def _without(data, rng):
    one, other = sorted((_place(data, rng), _place(data, rng)))
    return data[:one] + data[min(other, one + 200) :]


def _lines(data, rng):
    lines = data.split(b"\n")
    one, other = rng.integers(len(lines), size=2)
    kind = rng.integers(4)
    if kind == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 1:
        lines.insert(other, lines[one])
    elif kind == 2:
        del lines[one]
    else:
        lines[one:one] = [lines[one]] * int(rng.integers(2, 300))
    return b"\n".join(lines)


def _value(data, rng):
    """Something else in place of a word, as like as not of one that belongs elsewhere."""
    words = list(_WORD.finditer(data))
    if not words:
        return data
    word = words[rng.integers(len(words))]
    other = words[rng.integers(len(words))].group()
    text = other if rng.random() < 0.3 else _VALUES[rng.integers(len(_VALUES))].encode()
    return data[: word.start()] + text + data[word.end() :]


def _number(data, rng):
    """Another digit, sign, point or power in a number."""
    at = [index for index, byte in enumerate(data) if byte in b"0123456789.-"]
    if not at:
        return data
    index = at[rng.integers(len(at))]
    return (
        data[:index] + rng.choice([b"0", b"9", b"-", b".", b"e9", b"e-9", b""]) + data[index + 1 :]
    )


def _twice(data, rng):
    return data + b"\n" + data


_HOW = (_flipped, _cut, _without, _lines, _twice, *[_value] * 6, *[_number] * 6)
