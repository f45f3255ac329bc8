import numpy as np
import pytest

from crystalvision.datasets import (
    Dataset,
    DatasetHeader,
    DatasetWriter,
    Simulated,
    SplitSettings,
    defect_columns,
    doubts,
)


def write(path, labels, images, classes=("a", "b"), split=None):
    """A dataset of 4×4 pixels without specimens, split as asked."""
    axes = [{"name": name, "size": 4, "scale": 0.1, "offset": 0.0} for name in ("q_y", "q_x")]
    header = DatasetHeader(
        samples=len(labels),
        image_shape=(1, 4, 4),
        dtype="uint16",
        columns=defect_columns(classes, (0.0,) * len(classes)),
        axes=axes,
        provenance=Simulated(seed=0, recipe={"name": "x"}),
        generator={},
        samples_per_shard=7,
    )
    rows = {"label": np.array(labels), "severity": np.zeros(len(labels), np.float32)}
    with DatasetWriter.open(path, header, split=split) as writer:
        for shard in writer.missing_shards():
            here = np.asarray(writer.shard_indices(shard))
            part = {name: values[here] for name, values in rows.items()}
            writer.write_shard(shard, images[here], part)
        writer.finish()
    return Dataset.open(path)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 999, (40, 1, 4, 4)).astype(np.uint16)


def test_nothing_is_said_of_good_data(tmp_path, images):
    assert doubts(write(tmp_path / "d.zarr", [0, 1] * 20, images)) == []


def test_the_same_pixels_in_two_classes_and_in_two_splits(tmp_path, images):
    images[:] = images[:1]
    images[::2] += 1
    told = doubts(write(tmp_path / "d.zarr", [0, 0, 1, 1] * 10, images))
    assert len(told) == 2
    # All even samples are alike, and all odd ones: 10 of 20 of each are of another class.
    assert "20 images have the same pixels as one of another class: samples 0 and 2" in told[0]
    assert "have the same pixels as one of another split" in told[1]
    assert "so a model is judged on what it has learnt" in told[1]


def test_classes_that_are_small_or_missing(tmp_path, images):
    labels = [0] * 36 + [1] * 3 + [2]
    told = doubts(write(tmp_path / "d.zarr", labels, images, ("a", "b", "c", "d")))
    assert any("class 'd' has no image" in line for line in told)
    assert any("class 'c' has one image" in line for line in told)
    assert any("the validation split has no image of class 'b'" in line for line in told)


def test_a_split_that_is_empty(tmp_path, images):
    split = SplitSettings(validation_share=0.0, test_share=0.2)
    told = doubts(write(tmp_path / "d.zarr", [0, 1] * 20, images, split=split))
    assert len(told) == 1
    assert "the validation split is empty; add images, or split anew by `crystal" in told[0]
