"""Damaged crystal files: the toolkit's own errors only, of one line, in bounded time and memory."""

import resource
import time

import numpy as np
import pytest

from crystalvision.errors import CrystalVisionError
from crystalvision_simulate.structures.file import read_crystal

LONGEST_S = 5
MOST_BYTES = 2**30


def read_mutants(mutants, folder, count, seed):
    """Read so many damaged files; return how many were read and how many refused."""
    rng = np.random.default_rng(seed)
    good = mutants.originals(rng)
    read, refused = 0, []
    for _ in range(count):
        name, data = good[rng.integers(len(good))]
        path = folder / name
        path.write_bytes(mutants.mutated(data, rng))
        began = time.process_time()
        try:
            read_crystal(path)
            read += 1
        except CrystalVisionError as error:
            refused.append(str(error))
        assert time.process_time() - began < LONGEST_S, path.read_bytes()[:2000]
    assert [text for text in refused if "\n" in text or len(text) > 1000] == []
    return read, len(refused)


def used_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_damaged_files(mutants, tmp_path):
    before = used_bytes()
    read, refused = read_mutants(mutants, tmp_path, 600, seed=0)
    assert read > 20
    assert refused > 200
    assert used_bytes() - before < MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_damaged_files(mutants, tmp_path, seed):
    before = used_bytes()
    read, refused = read_mutants(mutants, tmp_path, 4000, seed)
    assert read > 100
    assert refused > 1000
    assert used_bytes() - before < MOST_BYTES


@pytest.mark.parametrize(
    "text",
    [
        "x\n1\n7 0 99999999999\n0 7 0\n0 0 7\nSi\n1\nDirect\n0 0 0\n",
        "x\n1\n1e308 0 0\n0 7 0\n0 0 7\nSi\n1\nDirect\n0 0 0\n",
        "x\n1\n1e-9 0 0\n0 7 0\n0 0 7\nSi\n1\nDirect\n0 0 0\n",
        "x\n1\n7 0 0\n0 7 0\n0 0 7\nSi\n999999999999\nDirect\n0 0 0\n",
        "x\nnan\n7 0 0\n0 7 0\n0 0 7\nSi\n1\nDirect\n0 0 0\n",
        "x\n1\n7 0 0\n0 7 0\n0 0 7\nSi\n1\nDirect\n0 0 inf\n",
    ],
)
def test_cells_and_counts_of_no_crystal(tmp_path, text):
    path = tmp_path / "POSCAR"
    path.write_text(text)
    began = time.process_time()
    with pytest.raises(CrystalVisionError):
        read_crystal(path)
    assert time.process_time() - began < LONGEST_S


def test_thousands_of_atoms_on_one_place_are_refused_at_once(tmp_path):
    path = tmp_path / "POSCAR"
    count = 20_000
    rows = "0.5 0.5 0.5\n" * count
    path.write_text(f"x\n1\n90 0 0\n0 90 0\n0 0 90\nSi\n{count}\nDirect\n{rows}")
    began = time.process_time()
    with pytest.raises(CrystalVisionError, match="are one place"):
        read_crystal(path)
    assert time.process_time() - began < LONGEST_S
