"""Each kind of damage is found, never read as if it were data, and mended or refused."""

import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

from crystalvision.datasets import Dataset, verify
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.sources import generate, repair


@pytest.fixture(scope="module")
def sound(numbers, tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "d.zarr"
    generate(numbers(), path)
    return path


@pytest.fixture(scope="module")
def other(numbers, tmp_path_factory):
    """Another dataset of the same shape."""
    path = tmp_path_factory.mktemp("other") / "d.zarr"
    generate(numbers(seed=6), path)
    return path


@pytest.fixture
def broken(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "d.zarr")


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def swap(one, two):
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


IMAGE = "images/c/2/0/0/0"

MENDED = {
    "image shard deleted": lambda d, o: (d / IMAGE).unlink(),
    "image shard emptied": lambda d, o: (d / IMAGE).write_bytes(b""),
    "image shard cut short": lambda d, o: cut(d / IMAGE, 0.5),
    "image shard without its last byte": lambda d, o: cut(d / IMAGE, 0.9999),
    "image shard longer": lambda d, o: (d / IMAGE).write_bytes((d / IMAGE).read_bytes() + b"xx"),
    "image shard overwritten": lambda d, o: (d / IMAGE).write_bytes(b"\0" * 500),
    "bit in an image": lambda d, o: flip(d / IMAGE, 20),
    "bit in an image's checksum": lambda d, o: flip(d / IMAGE, -80),
    "bit in the shard's index": lambda d, o: flip(d / IMAGE, -20),
    "bit in the index's checksum": lambda d, o: flip(d / IMAGE, -1),
    "bit in a column": lambda d, o: flip(d / "thickness_angstrom/c/1", 3),
    "column shard deleted": lambda d, o: (d / "severity/c/4").unlink(),
    "column shard cut short": lambda d, o: cut(d / "label/c/4", 0.5),
    "column deleted": lambda d, o: shutil.rmtree(d / "label/c"),
    "checksum column changed": lambda d, o: flip(d / "image_crc32/c/0", 0),
    "two image shards swapped": lambda d, o: swap(d / IMAGE, d / "images/c/3/0/0/0"),
    "two column shards swapped": lambda d, o: swap(
        d / "thickness_angstrom/c/1", d / "thickness_angstrom/c/2"
    ),
    "all columns of two shards swapped": lambda d, o: [
        swap(folder / "c/1", folder / "c/2") for folder in d.iterdir() if (folder / "c/1").is_file()
    ],
    "image shard of another dataset": lambda d, o: shutil.copy(o / IMAGE, d / IMAGE),
    "column shard of another dataset": lambda d, o: shutil.copy(
        o / "thickness_angstrom/c/1", d / "thickness_angstrom/c/1"
    ),
    "images folder deleted": lambda d, o: shutil.rmtree(d / "images"),
    "root document deleted": lambda d, o: (d / "zarr.json").unlink(),
    "root document cut short": lambda d, o: cut(d / "zarr.json", 0.5),
    "seed in the header": lambda d, o: edit(
        d / "zarr.json", lambda r: r["attributes"]["crystalvision"]["header"].update(seed=9)
    ),
    "second header deleted": lambda d, o: (d / "crystalvision.json").unlink(),
    "bit in the second header": lambda d, o: flip(d / "crystalvision.json", 40),
    "type of an array": lambda d, o: edit(
        d / "images/zarr.json", lambda r: r.update(data_type="int16")
    ),
    "shape of an array": lambda d, o: edit(d / "label/zarr.json", lambda r: r.update(shape=[47])),
    "document of an array deleted": lambda d, o: (d / "images/zarr.json").unlink(),
    "calibration": lambda d, o: flip(d / "q_x/c/0", 5),
    "splits deleted": lambda d, o: (d / "split/c/0").unlink(),
    "splits of another dataset": lambda d, o: flip(d / "split/c/0", 3),
    "split settings damaged": lambda d, o: cut(d / "split/zarr.json", 0.5),
    "ranks cut short": lambda d, o: cut(d / "subset_rank/c/0", 0.5),
    "half-written file left behind": lambda d, o: (d / "images/c/2/0/0/0.partial").write_bytes(
        b"half"
    ),
}


@dataclass
class Read:
    """What a reader gets of a dataset, or None where it is refused."""

    images: object
    label: object
    thickness: object
    train: object


def read(path):
    """Every way to read, each on its own."""

    def attempt(what):
        try:
            return np.asarray(what(Dataset.open(path)))
        except CrystalVisionError:
            return None

    return Read(
        attempt(lambda d: d.images(np.arange(len(d)))),
        attempt(lambda d: d.column("label")),
        attempt(lambda d: d.column("thickness_angstrom")),
        attempt(lambda d: d.split("train")),
    )


@pytest.mark.parametrize("damage", MENDED.values(), ids=MENDED.keys())
def test_damage_is_found_and_mended(damage, broken, other, sound, numbers, contents):
    before = read(sound)
    damage(broken, other)
    assert verify(broken), "not found"
    for name, value in vars(read(broken)).items():
        assert value is None or np.array_equal(value, getattr(before, name)), f"wrong {name}"
    done = repair(broken, plugins=numbers().plugins)
    assert done.found
    assert not done.left
    assert contents(broken) == contents(sound)


def test_a_sound_dataset_is_left_alone(broken, numbers, contents):
    before = contents(broken)
    times = {path: path.stat().st_mtime_ns for path in broken.rglob("*") if path.is_file()}
    done = repair(broken, plugins=numbers().plugins)
    assert (done.found, done.remade, done.left) == ((), (), ())
    assert contents(broken) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_files_of_a_stranger_are_told_and_stay(broken, numbers):
    (broken / "notes.txt").write_text("mine")
    done = repair(broken, plugins=numbers().plugins)
    assert ["notes.txt" in problem.message for problem in done.left] == [True]
    assert (broken / "notes.txt").read_text() == "mine"


def test_without_any_header_nothing_is_touched(broken, numbers, contents):
    cut(broken / "zarr.json", 0.5)
    cut(broken / "crystalvision.json", 0.5)
    before = contents(broken)
    assert len(verify(broken)) == 2
    with pytest.raises(InputError, match="both copies of its header are damaged"):
        repair(broken, plugins=numbers().plugins)
    assert contents(broken) == before


@pytest.mark.parametrize("name", ["zarr.json", "crystalvision.json"])
def test_with_two_headers_that_differ_nothing_is_touched(broken, other, numbers, contents, name):
    shutil.copy(other / name, broken / name)
    before = contents(broken)
    assert "one of the two is of another dataset" in verify(broken)[0].message
    with pytest.raises(CrystalVisionError, match="one of the two is of another dataset"):
        Dataset.open(broken)
    with pytest.raises(InputError, match="one of the two is of another dataset"):
        repair(broken, plugins=numbers().plugins)
    assert contents(broken) == before
    (broken / name).unlink()
    repair(broken, plugins=numbers().plugins)
    assert verify(broken) == []


def test_what_was_not_simulated_is_not_touched(broken, contents):
    for name in ("zarr.json", "crystalvision.json"):
        (broken / name).unlink()
    (broken / "nothing").mkdir()
    before = contents(broken)
    with pytest.raises(InputError, match="not a dataset"):
        repair(broken)
    assert contents(broken) == before


def test_another_version_is_noted_and_another_recipe_refused(numbers, tmp_path, contents):
    path = tmp_path / "d.zarr"
    generate(numbers(version="0"), path)
    (path / IMAGE).unlink()
    done = repair(path, plugins=numbers().plugins)
    assert done.other_software == {"numbers": ("0", "1")}
    assert not done.left


def test_without_its_plugin_nothing_is_touched(broken, contents):
    (broken / IMAGE).unlink()
    before = contents(broken)
    with pytest.raises(InputError, match="numbers"):
        repair(broken)
    assert contents(broken) == before


def test_splits_that_were_chosen_are_kept(broken, numbers):
    from crystalvision.datasets import DatasetWriter, SplitSettings, read_header

    with DatasetWriter.hold(broken, read_header(broken)) as writer:
        writer.split(SplitSettings(seed=3, validation_share=0.3, test_share=0.3))
    assert verify(broken) == []
    test = Dataset.open(broken).split("test")
    assert len(test) == 14
    (broken / "split/c/0").unlink()
    repair(broken, plugins=numbers().plugins)
    assert np.array_equal(Dataset.open(broken).split("test"), test)
