"""Merged datasets: what they hold, what is refused, and that no specimen is lost or doubled."""

import shutil

import numpy as np
import pytest

from crystalvision.datasets import (
    Axis,
    Column,
    Dataset,
    DatasetPart,
    Imported,
    Merged,
    Simulated,
    merge,
    origins,
    verify,
)
from crystalvision.errors import InputError, StorageError

HASH = "5" * 64


@pytest.fixture
def make(numbered, tmp_path):
    """Writes a dataset `NAME.zarr`, whose header has these changes."""

    def write(name, rows=None, **changes):
        recipe = {"name": name, **changes.pop("recipe", {})}
        header = numbered.make_header(recipe=recipe, **changes)
        path = tmp_path / f"{name}.zarr"
        return write_rows(numbered, path, header, rows or {})

    return write


def imported_from(part=None):
    return Imported(name="i", files=3, content_sha256=HASH, exported_from=part)


def write_rows(numbered, path, header, rows):
    from crystalvision.datasets import DatasetWriter

    with DatasetWriter.open(path, header) as writer:
        for shard in range(header.shards):
            images, columns = numbered.make_shard(header, shard)
            indices = np.asarray(header.shard_indices(shard))
            columns = {name: columns[name] for name in header.columns if name in columns}
            columns |= {name: np.asarray(values)[indices] for name, values in rows.items()}
            writer.write_shard(shard, images, columns)
        writer.finish()
    return path


def files(path):
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


@pytest.fixture
def two(make):
    return make("a"), make("b", seed=8, samples=6)


@pytest.fixture
def merged(two, tmp_path):
    merge(two, tmp_path / "c.zarr")
    return Dataset.open(tmp_path / "c.zarr")


def test_a_merged_dataset_holds_all_samples_in_order(two, merged):
    assert verify(merged.path) == []
    first, second = map(Dataset.open, two)
    assert len(merged) == 17
    np.testing.assert_array_equal(
        merged.images(range(17)), np.concatenate([first.images(range(11)), second.images(range(6))])
    )
    for name in first.header.columns:
        together = np.concatenate([first.column(name), second.column(name)])
        np.testing.assert_array_equal(merged.column(name), together)
        assert merged.header.columns[name] == first.header.columns[name]
    assert merged.header.axes == first.header.axes
    assert sum(len(merged.split(part)) for part in ("train", "validation", "test")) == 17


def test_each_sample_knows_where_it_was_made(two, merged):
    assert merged.column("source").tolist() == [0] * 11 + [1] * 6
    assert merged.column("source_index").tolist() == [*range(11), *range(6)]
    assert "0: a (seed 7), 1: b (seed 8)" in merged.header.columns["source"].description
    made = merged.header.provenance
    assert (made.name, made.kind, made.command) == ("a + b", "merged", "")
    for part, path in zip(made.parts, two, strict=True):
        header = Dataset.open(path).header
        assert part == header.as_part
        assert (part.identity, part.samples) == (header.identity, header.samples)
        assert part.provenance == header.provenance


def test_classes_are_joined_by_name(make, tmp_path):
    one = make("a", class_names=("none", "holes"), class_severities=(0, 0.9))
    two = make("b", seed=8, class_names=("twins", "none"), class_severities=(0.5, 0))
    merge([one, two], tmp_path / "c.zarr")
    merged = Dataset.open(tmp_path / "c.zarr")
    assert merged.header.class_names == ("none", "holes", "twins")
    assert merged.header.class_severities == (0, 0.9, 0.5)
    names = np.array(merged.header.class_names)[merged.column("label")]
    expected = [("none", "holes")[n % 2] for n in range(11)]
    assert names.tolist() == expected + [("twins", "none")[n % 2] for n in range(11)]


def test_a_number_that_only_some_have_is_unknown_elsewhere(make, numbered, tmp_path):
    more = {"depth": Column(dtype="float32", units="angstrom"), **numbered.make_header().columns}
    one = make("a")
    two = make("b", {"depth": np.arange(11.0)}, seed=8, columns=more)
    merge([one, two], tmp_path / "c.zarr")
    depth = Dataset.open(tmp_path / "c.zarr").column("depth")
    assert np.isnan(depth[:11]).all()
    assert depth[11:].tolist() == list(range(11))


def test_merging_what_was_merged_is_merging_its_inputs(make, tmp_path):
    one, two, three = (make(name, seed=seed) for seed, name in enumerate("abd"))
    merge([one, two], tmp_path / "ab.zarr")
    merge([tmp_path / "ab.zarr", three], tmp_path / "nested.zarr")
    merge([one, two, three], tmp_path / "flat.zarr")
    assert files(tmp_path / "nested.zarr") == files(tmp_path / "flat.zarr")
    assert set(Dataset.open(tmp_path / "nested.zarr").column("source")) == {0, 1, 2}


def specimens_of(path):
    return Dataset.open(path).column("specimen").tolist()


def test_specimens_of_two_inputs_never_collide(make, numbered, tmp_path):
    columns = {"specimen": Column(dtype="int64")}
    one = make("a", {"specimen": [9, 9, 2, 2]}, columns=columns, samples=4)
    two = make("b", {"specimen": [2, 9, 9]}, columns=columns, samples=3, seed=8)
    three = make("d", columns={}, samples=2, seed=9)
    merge([one, two, three], tmp_path / "c.zarr")
    assert specimens_of(tmp_path / "c.zarr") == [1, 1, 0, 0, 2, 3, 3, 4, 5]


def test_without_specimens_there_is_no_such_column(merged):
    assert "specimen" not in merged.header.columns


def test_simulations_of_one_seed_share_their_specimens(make, tmp_path):
    one = make("low dose", recipe={"dose": 1}, drawn_from=HASH, samples=3)
    two = make("high dose", recipe={"dose": 2}, drawn_from=HASH, samples=5)
    three = make("other seed", seed=8, drawn_from=HASH, samples=2)
    merge([one, two, three], tmp_path / "c.zarr")
    assert specimens_of(tmp_path / "c.zarr") == [0, 1, 2, 0, 1, 2, 3, 4, 5, 6]
    # The same, where one of them comes out of a merged dataset.
    merge([one, three], tmp_path / "first.zarr")
    merge([tmp_path / "first.zarr", two], tmp_path / "d.zarr")
    assert specimens_of(tmp_path / "d.zarr") == [0, 1, 2, 3, 4, 0, 1, 2, 5, 6]


def test_imported_images_that_are_the_same_show_one_specimen(make, tmp_path):
    one = make("a", provenance=imported_from(), samples=4)
    two = make("b", provenance=imported_from(), samples=6)  # made by one seed: the same images
    merge([one, two], tmp_path / "c.zarr")
    assert specimens_of(tmp_path / "c.zarr") == [0, 1, 2, 3, 0, 1, 2, 3, 4, 5]


def refused(message, inputs, tmp_path, **options):
    with pytest.raises(InputError, match=message) as caught:
        merge(inputs, tmp_path / "c.zarr", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "c.zarr").exists()


AXES = {
    "scale": (
        Axis(name="q_y", size=8, scale=0.5, offset=-1.0),
        Axis(name="q_x", size=8, scale=0.125, offset=-0.5),
    ),
    "offset": (
        Axis(name="q_y", size=8, scale=0.25, offset=-1.0),
        Axis(name="q_x", size=8, scale=0.125, offset=0),
    ),
}
CONFIGURATIONS = {"configurations": Column(dtype="int32")}
THICKNESS = {"thickness_angstrom": Column(dtype="float32", units="nm")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "uint32"}, r"b.zarr: its image type is uint32, but that of .*a.zarr is uint16"),
        ({"axes": AXES["scale"]}, r"scale of axis q_y is 0.5, but .* is 0.25"),
        ({"axes": AXES["offset"]}, r"offset of axis q_x is 0.0, but .* is -0.5"),
        ({"class_severities": (0, 0.8)}, r"'25 % vacancies' has severity 0.8, .* it is 0.9"),
        ({"columns": THICKNESS}, r"units of column 'thickness_angstrom' is 'nm'.*'angstrom'"),
        ({"columns": {}}, r"b.zarr: has no column 'configurations'.*as int32"),
    ],
)
def test_what_does_not_fit_is_named_with_both_values(make, tmp_path, changes, message):
    refused(message, [make("a"), make("b", seed=8, **changes)], tmp_path)


def test_columns_whose_codes_mean_something_else_are_refused(make, tmp_path):
    columns = [
        {"structure": Column(dtype="float32", description=text)} for text in ("0: iron", "0: gold")
    ]
    one = make("a", {"structure": np.zeros(11)}, columns=columns[0])
    two = make("b", {"structure": np.zeros(11)}, columns=columns[1], seed=8)
    refused("description of column 'structure' is '0: gold'.*'0: iron'", [one, two], tmp_path)


def test_the_same_sample_twice_is_refused(make, merged, two, tmp_path):
    again = shutil.copytree(two[0], tmp_path / "again.zarr")
    output = tmp_path / "d.zarr"
    for inputs in ([two[0], two[0]], [two[0], again], [merged.path, two[1]]):
        with pytest.raises(
            InputError, match=r"holds samples that .* holds, too: those of [ab] \(seed"
        ):
            merge(inputs, output)
    first = Dataset.open(two[0]).header
    imported = make("imported", provenance=imported_from(first.as_part))
    merge([imported, two[1]], tmp_path / "imported and b.zarr")
    for other in (imported, tmp_path / "imported and b.zarr"):
        with pytest.raises(InputError, match=r"holds samples that .* holds, too"):
            merge([two[0], other], output)
    inputs = [
        make("few", recipe={"samples": 5}, samples=5),
        make("many", recipe={"samples": 9}, samples=9),
    ]
    with pytest.raises(InputError, match="simulate it with another --seed"):
        merge(inputs, output)
    assert not output.exists()


def test_one_input_or_an_own_column_source_is_refused(make, two, tmp_path):
    refused("1 dataset was given to merge", two[:1], tmp_path)
    columns = {"source": Column(dtype="int32"), "configurations": Column(dtype="int32")}
    odd = make("odd", {"source": np.zeros(11, dtype=np.int32)}, columns=columns, seed=3)
    refused("has a column 'source' already", [two[0], odd], tmp_path)


@pytest.mark.parametrize("mode", ["create", "resume", "overwrite"])
def test_an_input_is_never_the_output(two, tmp_path, mode):
    before = files(two[0])
    for output in (two[0], two[0] / "inside.zarr", tmp_path):
        with pytest.raises(InputError, match="the output lies in the input"):
            merge(two, output, mode=mode)
    assert files(two[0]) == before


def test_an_interrupted_merge_goes_on_to_the_same_bytes(two, merged, tmp_path):
    def stop_after(samples):
        done = 0

        def advance(count):
            nonlocal done
            done += count
            if done >= samples:
                raise KeyboardInterrupt

        return advance

    path = tmp_path / "killed.zarr"
    with pytest.raises(KeyboardInterrupt):
        merge(two, path, advance=stop_after(8))
    assert 0 < len(Dataset.open(path, allow_incomplete=True).missing_shards) < 5
    told = []
    merge(two, path, mode="resume", advance=told.append)
    assert (told[0], sum(told)) == (8, 17)
    assert files(path) == files(merged.path)


def test_resuming_copies_damaged_shards_again(two, merged):
    before = files(merged.path)
    for name in ("images/c/1/0/0/0", "severity/c/3"):
        content = bytearray((merged.path / name).read_bytes())
        content[3] ^= 4
        (merged.path / name).write_bytes(content)
    merge(two, merged.path, mode="resume")
    assert files(merged.path) == before


def test_an_existing_output_is_kept_unless_it_is_to_be_replaced(two, merged, make):
    before = files(merged.path)
    with pytest.raises(InputError, match="exists already"):
        merge(two, merged.path)
    other = [two[0], make("d", seed=9)]
    with pytest.raises(InputError, match="cannot be resumed"):
        merge(other, merged.path, mode="resume")
    assert files(merged.path) == before
    merge(other, merged.path, mode="overwrite")
    assert len(Dataset.open(merged.path)) == 22
    assert verify(merged.path) == []


def test_a_damaged_input_is_told_and_an_unfinished_one_refused(two, numbered, make, tmp_path):
    file = two[0] / "images/c/1/0/0/0"
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(StorageError, match=r"a.zarr/images/c/1"):
        merge(two, tmp_path / "c.zarr")
    half = numbered.write(tmp_path / "half.zarr", numbered.make_header(seed=4), finish=False)
    refused_path = tmp_path / "e.zarr"
    with pytest.raises(InputError, match="incomplete"):
        merge([two[1], half], refused_path)
    assert not refused_path.exists()


def test_origins_reach_through_merges_and_imports():
    simulated = Simulated(seed=1, recipe={"name": "a"})
    imported = imported_from(DatasetPart(identity="1", samples=3, provenance=simulated))
    parts = (
        DatasetPart(identity="2", samples=3, provenance=imported),
        DatasetPart(identity="3", samples=3, provenance=Simulated(seed=2)),
    )
    merged = Merged(parts=parts)
    again = imported_from(DatasetPart(identity="4", samples=6, provenance=merged))
    assert list(origins("4", merged)) == ["2", "1", "3"]
    assert set(origins("5", again)) == {"5", "2", "1", "3"}
    assert origins("1", simulated) == {"1": simulated}
