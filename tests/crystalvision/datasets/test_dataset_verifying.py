import random
import shutil

import numpy as np
import pytest
import zarr

from crystalvision.datasets import Dataset, verify
from crystalvision.errors import InputError


def messages(path):
    return [str(problem) for problem in verify(path)]


def data_files(path):
    return sorted(
        file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")
    )


def test_a_sound_dataset_has_no_problem(written):
    steps = []
    assert verify(written, advance=steps.append) == []
    assert steps == [1, 1, 1]


@pytest.fixture
def short(numbered, tmp_path):
    """A finished dataset of 3 samples in 2 shards, 28 files."""
    header = numbered.make_header(samples=3, samples_per_shard=2)
    return numbered.write(tmp_path / "short.zarr", header)


def test_a_flipped_bit_is_found_wherever_it_is(short):
    chance = random.Random(5)
    for file in data_files(short):
        sound = file.read_bytes()
        positions = {0, len(sound) // 2, len(sound) - 1}
        positions |= {chance.randrange(len(sound)) for _ in range(2)}
        for position in positions:
            damaged = bytearray(sound)
            damaged[position] ^= 1 << chance.randrange(8)
            file.write_bytes(damaged)
            name = file.relative_to(short).as_posix()
            assert verify(short), f"bit flipped in byte {position} of {name}"
        file.write_bytes(sound)
    assert verify(short) == []


def test_a_flipped_bit_in_the_root_document_is_found(short):
    chance = random.Random(6)
    file = short / "zarr.json"
    sound = file.read_bytes()
    for position in chance.sample(range(len(sound)), 80):
        damaged = bytearray(sound)
        damaged[position] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        assert verify(short), f"{bytes(damaged[position - 30 : position + 30])!r}"


def test_a_file_cut_short_emptied_or_missing_is_found(short):
    for file in data_files(short):
        sound = file.read_bytes()
        name = file.relative_to(short).as_posix()
        for length in (0, len(sound) // 2, len(sound) - 1):
            file.write_bytes(sound[:length])
            assert verify(short), f"{name} cut to {length} bytes"
        file.write_bytes(sound + b"\0")
        assert verify(short), f"{name} with a byte more"
        file.unlink()
        assert verify(short), f"{name} missing"
        file.write_bytes(sound)
    assert verify(short) == []


def test_the_shard_and_the_file_are_named(written):
    file = written / "images/c/1/0/0/0"
    damaged = bytearray(file.read_bytes())
    damaged[5] ^= 1
    file.write_bytes(damaged)
    (problem,) = verify(written)
    assert problem.shard == 1
    assert "images/c/1/0/0/0: damaged" in problem.message
    assert "dataset repair" in problem.message


@pytest.mark.parametrize("array", ["images", "label", "thickness_angstrom", "row_crc32"])
def test_swapped_shards_are_found(written, array):
    first, second = written / array / "c" / "0", written / array / "c" / "1"
    first.rename(written / "aside")
    second.rename(first)
    (written / "aside").rename(second)
    if array == "label":  # both shards have the same labels, 0 1 0 1: then nothing is wrong
        assert verify(written) == []
    else:
        assert {problem.shard for problem in verify(written)} == {0, 1}
        assert "swapped or changed" in messages(written)[0]


def test_whole_shards_swapped_with_their_columns_are_found(written):
    for folder in [child for child in written.iterdir() if (child / "c" / "1").exists()]:
        (folder / "c" / "0").rename(folder / "aside")
        (folder / "c" / "1").rename(folder / "c" / "0")
        (folder / "aside").rename(folder / "c" / "1")
    assert {problem.shard for problem in verify(written)} == {0, 1}


def test_values_changed_with_their_checksum_are_found(written):
    zarr.open_array(written / "label", mode="r+")[2:4] = [5, -3]
    found = messages(written)
    assert any("sample 2: label 5 is no class; they go from 0 to 1" in text for text in found)
    zarr.open_array(written / "severity", mode="r+")[9] = np.nan
    assert any(
        "shard 2: severity/c/2: sample 9: severity nan is not a finite number" in text
        for text in messages(written)
    )


def test_splits_that_do_not_follow_from_the_labels_are_found(written):
    parts = zarr.open_array(written / "split", mode="r+")
    parts[0] = (parts[0] + 1) % 3
    assert messages(written) == [
        "split/c/0: does not follow from the labels; `crystalvision dataset repair` writes it again"
    ]


@pytest.mark.parametrize(
    ("sound", "wrong"),
    [('"data_type": "uint16"', '"data_type": "uint32"'), ("      8,", "      9,")],
)
def test_another_type_or_shape_is_found(written, sound, wrong):
    document = written / "images/zarr.json"
    text = document.read_text()
    assert sound.strip() in text
    document.write_text(text.replace(sound.strip(), wrong.strip(), 1))
    assert any("images/zarr.json" in text and "header" in text for text in messages(written))


def test_a_missing_shard_and_an_unfinished_dataset_are_told(numbered, tmp_path):
    path = numbered.write(tmp_path / "d.zarr", shards=[0, 2], finish=False)
    hint = "finish it with the command that began it and --resume"
    assert messages(path) == [
        f"shard 1: not written; {hint}",
        f"split/c/0: missing, the dataset is not finished; {hint}",
        f"subset_rank/c/0: missing, the dataset is not finished; {hint}",
    ]


def test_files_left_over_are_told_and_hidden_ones_are_not(written):
    (written / "images/c/1/0/0/0.a1b2.partial").write_bytes(b"half")
    (written / "label/c/3").write_bytes(b"one too many")
    (written / ".DS_Store").write_bytes(b"")
    found = messages(written)
    assert len(found) == 2
    assert "0.a1b2.partial: left half-written" in found[0]
    assert found[1] == "label/c/3: no file of this dataset; move it elsewhere"


def test_a_damaged_file_that_is_deleted_is_written_again(numbered, written):
    sound = Dataset.open(written).images(range(11))
    for name in ("images/c/0/0/0/0", "severity/c/1"):
        file = written / name
        file.write_bytes(file.read_bytes()[:-1])
        (problem,) = [problem for problem in verify(written) if name in problem.message]
        assert "`crystalvision dataset repair` makes the shard again" in problem.message
        file.unlink()
    numbered.write(written, mode="resume")
    assert verify(written) == []
    np.testing.assert_array_equal(Dataset.open(written).images(range(11)), sound)


def test_a_lost_root_is_damage_and_a_strangers_folder_is_not(written, tmp_path):
    (written / "zarr.json").unlink()
    assert "zarr.json: missing" in messages(written)[0]
    (written / "crystalvision.json").unlink()
    (written / ".crystalvision.lock").unlink()
    assert "holds no zarr.json" in messages(written)[0]
    shutil.rmtree(written / "images")
    with pytest.raises(InputError, match="not a dataset"):
        verify(written)
    with pytest.raises(InputError, match="no such dataset"):
        verify(tmp_path / "nothing")
