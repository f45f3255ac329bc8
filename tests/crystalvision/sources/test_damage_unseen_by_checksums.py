"""Damage that leaves every file's own checksum right, or that is not in a file at all."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from crystalvision.datasets import (
    Dataset,
    DatasetWriter,
    SplitSettings,
    merge,
    read_header,
    verify,
)
from crystalvision.datasets._checksums import row_checksums
from crystalvision.errors import CrystalVisionError, InputError, StorageError
from crystalvision.sources import generate, repair


@pytest.fixture(scope="module")
def sound(numbers, tmp_path_factory):
    """A dataset that was split in another way than is usual."""
    return write(numbers(), tmp_path_factory.mktemp("sound") / "d.zarr", split_seed=3)


@pytest.fixture(scope="module")
def other(numbers, tmp_path_factory):
    """A dataset of the same shape, from another seed, split as is usual."""
    return write(numbers(seed=6), tmp_path_factory.mktemp("other") / "d.zarr", split_seed=0)


def write(spec, path, split_seed):
    generate(spec, path)
    with DatasetWriter.hold(path, read_header(path)) as writer:
        writer.split(SplitSettings(seed=split_seed))
    return path


@pytest.fixture
def broken(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "d.zarr")


def take(names):
    """Puts another dataset's files in the place of these."""

    def damage(dataset, other):
        for name in names:
            for file in filter(Path.is_file, other.glob(name)):
                shutil.copy(file, dataset / file.relative_to(other))

    return damage


def forge(name, position, value):
    """Changes a value, and every checksum that tells of it."""

    def damage(dataset, other):
        header = read_header(dataset)
        zarr.open_array(dataset / name, mode="r+")[position] = value
        rows = {
            column: zarr.open_array(dataset / column, mode="r")[:4]
            for column in [*header.columns, "image_crc32"]
        }
        checksums = row_checksums(header.identity, 0, rows)
        zarr.open_array(dataset / "row_crc32", mode="r+")[:4] = checksums

    return damage


def edit(name, *keys, value):
    """Changes a value in a document."""

    def damage(dataset, other):
        document = json.loads((dataset / name).read_text())
        place = document
        for key in keys[:-1]:
            place = place[key]
        assert place[keys[-1]] != value
        place[keys[-1]] = value
        (dataset / name).write_text(json.dumps(document))

    return damage


def all_of(*damages):
    return lambda dataset, other: [damage(dataset, other) for damage in damages]


def link(name, target):
    def damage(dataset, other):
        (dataset / name).unlink()
        (dataset / name).symlink_to(str(target).format(other=other))

    return damage


def without_split_document(dataset, other):
    (dataset / "split/zarr.json").unlink()


def rename_header_key(dataset, other):
    text = (dataset / "zarr.json").read_text()
    (dataset / "zarr.json").write_text(text.replace('"crystalvision": {', '"crystalvisiom": {', 1))


COLUMNS = ("label", "severity", "thickness_angstrom", "image_crc32", "row_crc32")
COPY_OF_SPLIT = ("zarr.json", "consolidated_metadata", "metadata", "split", "attributes", "seed")

MENDED = {
    "shard of another dataset, columns and all": take(["*/c/1", "images/c/1/0/0/0"]),
    "every shard of another dataset": take(
        [f"{name}/c/*" for name in COLUMNS] + ["images/c/*/0/0/0"]
    ),
    "parts of another dataset": take(["split/c/0"]),
    "ranks of another dataset": take(["subset_rank/c/0"]),
    "parts and ranks of another dataset": take(["split/c/0", "subset_rank/c/0"]),
    "split of another dataset, with its document": take(
        ["split/c/0", "split/zarr.json", "subset_rank/c/0"]
    ),
    "label that is no class": forge("label", 2, 7),
    "severity that is no number": forge("severity", 1, np.nan),
    "seed of the split": edit("split/zarr.json", "attributes", "seed", value=4),
    "seed of the split in the copy": edit(*COPY_OF_SPLIT, value=4),
    "split document deleted": without_split_document,
    "split document and copy": all_of(without_split_document, edit(*COPY_OF_SPLIT, value=3.5)),
    "format of the header": edit("zarr.json", "attributes", "crystalvision", "format", value=9),
    "name of the header": rename_header_key,
    "class names for other readers": edit("zarr.json", "attributes", "class_names", value=["a"]),
    "shard linked to itself": link("label/c/1", "1"),
    "shard linked to nothing": link("images/c/1/0/0/0", "nowhere"),
    "shard linked to another dataset": link("images/c/1/0/0/0", "{other}/images/c/1/0/0/0"),
}
REFUSED = {
    "split document and copy": "assign the splits anew by `crystalvision dataset split`",
}


def readings(path):
    """Every way to read, each on its own; None where it is refused."""

    def attempt(what):
        try:
            return np.asarray(what(Dataset.open(path)))
        except CrystalVisionError:
            return None

    return [
        attempt(lambda d: d.images(np.arange(len(d)))),
        *[attempt(lambda d, n=name: d.column(n)) for name in ("label", "severity")],
        attempt(lambda d: d.column("thickness_angstrom")),
        *[attempt(lambda d, n=name: d.split(n)) for name in ("train", "validation", "test")],
        attempt(lambda d: d.split("train", 7)),
        attempt(lambda d: d.header.class_names),
    ]


@pytest.mark.parametrize("kind", MENDED)
def test_it_is_found_never_read_and_mended(kind, broken, other, sound, numbers, contents):
    expected = readings(sound)
    assert all(value is not None for value in expected)
    MENDED[kind](broken, other)
    assert verify(broken), "not found"
    for found, right in zip(readings(broken), expected, strict=True):
        assert found is None or np.array_equal(found, right)
    before = contents(broken)
    if kind in REFUSED:
        with pytest.raises(InputError, match=REFUSED[kind]):
            repair(broken, plugins=numbers().plugins)
        assert contents(broken) == before
        return
    done = repair(broken, plugins=numbers().plugins)
    assert not done.left
    assert contents(broken) == contents(sound)
    assert not any(path.is_symlink() for path in broken.rglob("*"))
    assert verify(other) == []


def test_splits_that_are_lost_can_be_assigned_anew(broken, other, numbers):
    MENDED["split document and copy"](broken, other)
    with DatasetWriter.hold(broken, read_header(broken)) as writer:
        writer.split(SplitSettings(seed=3))
    assert verify(broken) == []


def test_lost_settings_of_a_usual_split_are_found_out(other, tmp_path, contents):
    path = shutil.copytree(other, tmp_path / "d.zarr")
    MENDED["split document and copy"](path, other)
    assert not repair(path).left
    assert contents(path) == contents(other)


def test_resuming_does_not_change_how_it_was_split(broken, other, numbers, sound, contents):
    MENDED["seed of the split"](broken, other)
    generate(numbers(), broken, mode="resume")
    assert contents(broken) == contents(sound)


def folder_for_file(path):
    (path / "label/c/1").unlink()
    (path / "label/c/1").mkdir()


def file_for_folder(path):
    shutil.rmtree(path / "label")
    (path / "label").write_text("mine")


@pytest.mark.parametrize(
    ("damage", "what"), [(folder_for_file, "folder"), (file_for_folder, "file")]
)
def test_what_stands_in_the_way_is_named_and_nothing_is_changed(
    damage, what, broken, numbers, contents
):
    (broken / "images/c/2/0/0/0").unlink()
    damage(broken)
    before = contents(broken)
    assert verify(broken)
    with pytest.raises(CrystalVisionError):
        Dataset.open(broken).column("label")
    with pytest.raises(InputError, match=f"a {what} stands where the dataset has none"):
        repair(broken, plugins=numbers().plugins)
    assert contents(broken) == before


def test_a_linked_folder_inside_is_told(broken, other):
    (broken / "extra").symlink_to(other)
    assert ["extra: no file of this dataset" in str(each) for each in verify(broken)] == [True]


def test_a_dataset_on_several_disks_is_sound(broken, tmp_path):
    """A user may keep the images elsewhere, behind a link."""
    (broken / "images").rename(tmp_path / "elsewhere")
    (broken / "images").symlink_to(tmp_path / "elsewhere")
    assert verify(broken) == []
    assert Dataset.open(broken).images([5]).shape == (1, 1, 8, 8)


def test_damaged_merged_data_are_copied_again(sound, other, tmp_path, contents):
    path = tmp_path / "merged.zarr"
    merge([sound, other], path)
    before = contents(path)
    file = path / "images/c/3/0/0/0"
    file.write_bytes(file.read_bytes()[:-9])
    damaged = contents(path)
    with pytest.raises(StorageError, match="damaged"):
        Dataset.open(path).images([13])
    with pytest.raises(InputError, match="because they were made by no source"):
        repair(path)
    assert contents(path) == damaged
    merge([sound, other], path, mode="resume")
    assert contents(path) == before
    # What is not in a shard needs no source.
    (path / "zarr.json").unlink()
    assert not repair(path).left
    assert contents(path) == before
