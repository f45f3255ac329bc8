"""Powder files that are cut, or have a byte that is another, are read or refused in one line."""

import random
import time

import pytest

from crystalvision.errors import InputError
from crystalvision.measured_files import Readers

from .conftest import FILES

READERS = Readers()
CUTS, FLIPS = 60, 60


def outcome(path, content):
    """Whether a file is read; what is refused is one line with its name."""
    path.write_bytes(content)
    begun = time.process_time()
    found = None
    try:
        with READERS.open(path) as file:
            for number in range(len(file.frames)):
                file.read(number)
    except InputError as error:
        found = str(error)
    assert time.process_time() - begun < 2
    assert found is None or ("\n" not in found and str(path) in found)
    return found is None


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_anywhere(tmp_path, name):
    whole = FILES[name]
    assert outcome(tmp_path / name, whole)
    step = max(1, len(whole) // CUTS)
    read = sum(outcome(tmp_path / name, whole[:end]) for end in range(0, len(whole), step))
    # A cut between two lines of text, or in what nobody reads, leaves a shorter pattern.
    text = name.endswith((".xy", ".xye", ".csv", ".uxd", ".fxye"))
    assert read <= (CUTS + 2 if text else 3)


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_are_others(tmp_path, name):
    rng = random.Random(name)
    for _ in range(FLIPS):
        damaged = bytearray(FILES[name])
        for _ in range(rng.choice([1, 1, 4])):
            damaged[rng.randrange(len(damaged))] = rng.choice([0, 10, 32, 57, 127, 255])
        outcome(tmp_path / name, bytes(damaged))


def test_numbers_that_claim_more_than_there_is_take_no_memory(tmp_path):
    """Every four bytes of the binary headers, as the largest number and as -1."""
    for name in ("v1.raw", "v2.raw", "v3.raw", "v4.raw"):
        whole = FILES[name]
        for place in range(4, min(len(whole) - 4, 900), 16):
            for large in (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff"):
                outcome(tmp_path / name, whole[:place] + large + whole[place + 4 :])
