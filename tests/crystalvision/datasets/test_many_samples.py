"""A dataset of 100,000 samples: what it costs to open, to look at, and to split."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from crystalvision.datasets import (
    Dataset,
    DatasetWriter,
    SplitSettings,
    assign_splits,
    describe,
)
from crystalvision.datasets._checksums import row_checksums

SAMPLES = 100_000


@pytest.fixture(scope="module")
def many(numbered, tmp_path_factory):
    """100,000 samples of 8×8 pixels, of which the images are empty files: none may be read."""
    path = tmp_path_factory.mktemp("many") / "d.zarr"
    header = numbered.make_header(samples=SAMPLES, samples_per_shard=1000)
    with DatasetWriter.open(path, header) as writer:
        for shard in range(header.shards):
            indices = np.asarray(header.shard_indices(shard))
            rows = {
                "label": indices % 2,
                "severity": np.float32(header.class_severities)[indices % 2],
                "thickness_angstrom": indices.astype(np.float32),
                "configurations": indices.astype(np.int32),
                "image_crc32": np.zeros(len(indices), dtype=np.uint32),
            }
            rows["row_crc32"] = row_checksums(header.identity, indices[0], rows)
            files = {}
            for name, values in rows.items():
                files |= writer._codec.encode(name, int(indices[0]), values)
            writer.put_shard(shard, {**files, f"images/c/{shard}/0/0/0": b"not to be read"})
        writer.finish()
    return path


@pytest.fixture
def opened(monkeypatch):
    """The paths of all files that are opened from now on."""
    paths = []
    original = io.open

    def spy(file, *arguments, **options):
        paths.append(str(file))
        return original(file, *arguments, **options)

    monkeypatch.setattr("io.open", spy)
    monkeypatch.setattr("builtins.open", spy)
    return paths


def inside(path, paths):
    return [Path(file).relative_to(path).as_posix() for file in paths if str(path) in file]


def test_opening_reads_the_header_alone(many, opened):
    assert len(Dataset.open(many)) == SAMPLES
    assert sorted(inside(many, opened)) == ["crystalvision.json", "zarr.json"]


def test_what_is_told_is_right_and_no_image_is_read(many, opened):
    told = describe(Dataset.open(many))
    assert told["samples"] == told["samples_written"] == SAMPLES
    assert [each["samples"] for each in told["classes"].values()] == [SAMPLES // 2] * 2
    assert told["splits"] == {"train": 70_000, "validation": 10_000, "test": 20_000}
    files = inside(many, opened)
    assert not [name for name in files if name.startswith("images/c/")]
    assert len(files) < 6 * 100 + 20, "each file of a column is read once"


def test_splitting_reads_each_column_once(many, opened):
    dataset = Dataset.open(many)
    opened.clear()
    with DatasetWriter.hold(many, dataset.header) as writer:
        counts = writer.split(SplitSettings(seed=4, test_share=0.3))
    assert counts == {"train": 60_000, "validation": 10_000, "test": 30_000}
    files = inside(many, opened)
    assert not [name for name in files if name.startswith("images/c/")]
    assert len(files) < 6 * 100 + 60
    expected = assign_splits(np.arange(SAMPLES) % 2, 4, 0.1, 0.3)
    test = Dataset.open(many).split("test")
    np.testing.assert_array_equal(test, np.flatnonzero(expected == 2))


def test_memory_is_that_of_the_columns(many):
    tracemalloc.start()
    try:
        describe(Dataset.open(many))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    row = 8 + 4 + 4 + 4 + 4 + 4  # bytes of all columns
    assert peak < 20 * row * SAMPLES


def test_a_small_subset_is_fair(many):
    dataset = Dataset.open(many)
    labels = dataset.column("label")
    chosen = dataset.split("train", 1000)
    assert abs(int(labels[chosen].sum()) - 500) <= 1
    assert set(chosen) <= set(dataset.split("train", 1001))
