"""Datasets from a source: the same, whoever makes the samples, and whatever happens meanwhile."""

import threading
import time

import numpy as np
import pytest

from crystalvision.datasets import Dataset, DatasetWriter, verify
from crystalvision.errors import InputError
from crystalvision.sources import generate, repair


def test_a_dataset_holds_what_the_source_makes(numbers, tmp_path):
    told = []
    generate(numbers(), tmp_path / "d.zarr", advance=told.append)
    dataset = Dataset.open(tmp_path / "d.zarr")
    assert verify(dataset.path) == []
    assert sum(told) == 46
    assert dataset.header.provenance.source == "numbers"
    (sample,) = numbers().open().samples([17])
    assert np.array_equal(dataset.images([17])[0], sample.image)
    assert dataset.column("thickness_angstrom")[17] == np.float32(
        sample.columns["thickness_angstrom"]
    )


def test_what_is_missing_is_made_and_nothing_else(numbers, tmp_path, contents):
    path = tmp_path / "d.zarr"
    generate(numbers(), path)
    whole = contents(path)
    for shard in (3, 7):
        (path / f"images/c/{shard}/0/0/0").unlink()
    kept = (path / "images/c/0/0/0/0").stat().st_mtime_ns
    told = []
    generate(numbers(), path, mode="resume", advance=told.append)
    assert contents(path) == whole
    assert told[0] == 46 - 8
    assert (path / "images/c/0/0/0/0").stat().st_mtime_ns == kept


def test_an_error_of_the_source_leaves_an_unfinished_dataset(numbers, tmp_path):
    path = tmp_path / "d.zarr"
    with pytest.raises(InputError, match="sample 9 cannot be made"):
        generate(numbers(refuse=9), path)
    assert [problem.shard for problem in verify(path)][:2] == [2, 3]
    with pytest.raises(InputError, match="incomplete"):
        Dataset.open(path)


def test_a_second_writer_is_refused(numbers, tmp_path):
    path = tmp_path / "d.zarr"
    slow = threading.Thread(target=generate, args=(numbers(sleep=0.02), path))
    slow.start()
    while not (path / "images/c/0/0/0/0").exists():
        assert slow.is_alive()
        time.sleep(0.01)
    for mode in ("resume", "overwrite"):
        with pytest.raises(InputError, match="another process is writing this dataset"):
            generate(numbers(), path, mode=mode)
    with pytest.raises(InputError, match="another process is writing this dataset"):
        repair(path, plugins=numbers().plugins)
    slow.join()
    assert verify(path) == []


def test_files_of_another_shard_are_refused(numbers, tmp_path):
    source = numbers().open()
    with DatasetWriter.open(tmp_path / "d.zarr", source.header) as writer:
        with pytest.raises(InputError, match="not the files of shard 1"):
            writer.put_shard(1, {"images/c/0/0/0/0": b""})
        assert writer.missing_shards() == list(range(12))


def test_a_source_that_no_plugin_offers_is_refused(numbers):
    from dataclasses import replace

    with pytest.raises(InputError, match="numbers"):
        replace(numbers(), name="number").open()


def test_another_seed_needs_a_recipe_with_one(numbers):
    drawn = numbers().drawn(seed=9, samples=3)
    assert (drawn.recipe["seed"], drawn.recipe["samples"]) == (9, 3)
    from dataclasses import replace

    with pytest.raises(InputError, match="no 'seed' that could be changed"):
        replace(numbers(), recipe={"samples": 3}).drawn(seed=9, samples=3)
