"""Datasets of a lower dose, drawn from one of a higher."""

import numpy as np
import pytest

from crystalvision.datasets import (
    Column,
    Dataset,
    DatasetHeader,
    Merged,
    SplitSettings,
    Thinned,
    merge,
    thin,
    verify,
)
from crystalvision.datasets._writer import DatasetWriter
from crystalvision.errors import InputError

DOSE = Column(dtype="float32", units="electron", description="dose")


@pytest.fixture
def high(numbered, tmp_path):
    """Eleven samples of 64 counts each about 500, with their dose."""
    header = numbered.make_header(columns={**numbered.COLUMNS, "dose_electrons": DOSE})
    split = SplitSettings(validation_share=0.2, test_share=0)
    with DatasetWriter.open(tmp_path / "high.zarr", header, split=split) as writer:
        for shard in range(header.shards):
            images, columns = numbered.make_shard(header, shard)
            columns["dose_electrons"] = np.full(len(images), 5e5, dtype=np.float32)
            writer.write_shard(shard, images, columns)
        writer.finish()
    return Dataset.open(tmp_path / "high.zarr")


@pytest.fixture
def low(high, tmp_path):
    thin(high.path, tmp_path / "low.zarr", 0.1)
    return Dataset.open(tmp_path / "low.zarr")


def test_counts_are_drawn_from_the_counts(high, low):
    before, after = high.images(range(11)).astype(int), low.images(range(11)).astype(int)
    assert (after <= before).all()
    assert after.sum() == pytest.approx(0.1 * before.sum(), rel=0.02)
    # Binomial: the scatter about a tenth is √(0.09 n), n of them the counts.
    scatter = (after - 0.1 * before) / np.sqrt(0.09 * before.clip(1))
    assert scatter.std() == pytest.approx(1, abs=0.1)


def test_all_else_stays_but_the_dose(high, low):
    assert verify(low.path) == []
    assert low.column("dose_electrons") == pytest.approx(5e4)
    for name in ("label", "severity", "thickness_angstrom"):
        np.testing.assert_array_equal(low.column(name), high.column(name))
    for part in ("train", "validation"):
        np.testing.assert_array_equal(low.split(part), high.split(part))
    assert low.header.axes == high.header.axes
    assert "higher dose" in low.header.caveats[-1]


def test_it_remembers_what_it_was_made_of(high, low):
    made = low.header.provenance
    assert isinstance(made, Thinned)
    assert made.of == high.header.as_part
    assert made.name == "numbered, 0.1 of the counts"
    assert low.header.origins == high.header.origins  # so that no run is judged on its specimens
    assert DatasetHeader.model_validate_json(low.header.model_dump_json()) == low.header


def test_doses_of_the_same_samples_are_not_merged(high, low, tmp_path):
    with pytest.raises(InputError, match=r"holds samples that .* holds, too"):
        merge([high.path, low.path], tmp_path / "both.zarr")


def test_a_merged_dataset_can_be_thinned(high, numbered, tmp_path):
    other = numbered.make_header(seed=9, columns={**numbered.COLUMNS, "dose_electrons": DOSE})
    with DatasetWriter.open(tmp_path / "other.zarr", other) as writer:
        for shard in range(other.shards):
            images, columns = numbered.make_shard(other, shard)
            columns["dose_electrons"] = np.ones(len(images), dtype=np.float32)
            writer.write_shard(shard, images, columns)
        writer.finish()
    merge([high.path, tmp_path / "other.zarr"], tmp_path / "both.zarr")
    thin(tmp_path / "both.zarr", tmp_path / "low.zarr", 0.5)
    made = Dataset.open(tmp_path / "low.zarr").header.provenance
    assert isinstance(made, Thinned)
    assert isinstance(made.of.provenance, Merged)


def test_the_same_seed_draws_the_same_whatever_was_written_before(high, low, tmp_path):
    again = tmp_path / "again.zarr"
    thin(high.path, again, 0.1)
    np.testing.assert_array_equal(Dataset.open(again).images(range(11)), low.images(range(11)))
    max(file for file in (again / "images" / "c").rglob("*") if file.is_file()).unlink()
    thin(high.path, again, 0.1, mode="resume")
    np.testing.assert_array_equal(Dataset.open(again).images(range(11)), low.images(range(11)))
    thin(high.path, again, 0.1, seed=1, mode="overwrite")
    assert (Dataset.open(again).images(range(11)) != low.images(range(11))).any()


@pytest.mark.parametrize("kept", [0, 1, -0.5, 2.0])
def test_a_share_of_nothing_or_of_all_is_refused(high, tmp_path, kept):
    with pytest.raises(InputError, match=f"kept={kept:g}: expected a share between 0 and 1"):
        thin(high.path, tmp_path / "low.zarr", kept)


def test_images_without_counts_and_places_within_are_refused(high, numbered, tmp_path):
    header = numbered.make_header(dtype="float32")
    numbered.write(tmp_path / "float.zarr", header)
    with pytest.raises(InputError, match="float32, no counts"):
        thin(tmp_path / "float.zarr", tmp_path / "low.zarr", 0.1)
    with pytest.raises(InputError, match="lies in"):
        thin(high.path, high.path / "low.zarr", 0.1)
