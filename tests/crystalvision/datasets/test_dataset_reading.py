import pickle
import shutil

import numpy as np
import pytest

from crystalvision.datasets import Dataset, describe
from crystalvision.errors import InputError, StorageError


def expected_images(numbered, header):
    return np.concatenate([numbered.make_shard(header, s)[0] for s in range(header.shards)])


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "float32"])
def test_what_is_written_is_read(numbered, tmp_path, dtype):
    header = numbered.make_header(dtype=dtype)
    dataset = Dataset.open(numbered.write(tmp_path / "d.zarr", header))
    assert len(dataset) == 11
    assert dataset.header == header
    assert dataset.identity == header.identity
    images = dataset.images(range(11))
    assert images.dtype == dtype
    np.testing.assert_array_equal(images, expected_images(numbered, header))
    for name, column in header.columns.items():
        values = np.concatenate([numbered.make_shard(header, s)[1][name] for s in range(3)])
        assert dataset.column(name).dtype == column.dtype
        np.testing.assert_array_equal(dataset.column(name), values.astype(column.dtype))


@pytest.mark.parametrize("indices", [[10, 0, 5, 5, 9], [0, 3], [7], 7, [], np.arange(10, -1, -3)])
def test_images_come_in_the_order_asked_for(numbered, written, indices):
    dataset = Dataset.open(written)
    expected = expected_images(numbered, dataset.header)[np.atleast_1d(indices).astype(int)]
    np.testing.assert_array_equal(dataset.images(indices), expected)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([11], "no sample 11; samples go from 0 to 10"),
        ([-1], "no sample -1"),
        ([0.5], "whole numbers"),
        ([[1]], "whole numbers in one row"),
        (np.ones(11, dtype=bool), "whole numbers"),
    ],
)
def test_an_index_that_is_no_sample_is_refused(written, indices, message):
    with pytest.raises(InputError, match=message):
        Dataset.open(written).images(indices)


def test_unknown_column_and_split_name_the_choices(written):
    dataset = Dataset.open(written)
    with pytest.raises(InputError, match="no column 'severty'; did you mean 'severity'"):
        dataset.column("severty")
    with pytest.raises(InputError, match="'val' is not one of train, validation, test, all"):
        dataset.split("val")


def test_a_dataset_travels_to_another_process(written):
    dataset = Dataset.open(written)
    before = dataset.images([3])
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy.images([3]), before)


def test_what_is_no_dataset_is_refused_by_name(tmp_path, numbered):
    import zarr

    with pytest.raises(InputError, match=r"nothing\.zarr: no such dataset"):
        Dataset.open(tmp_path / "nothing.zarr")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="expected a dataset's folder, found a file"):
        Dataset.open(tmp_path / "file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"holds no zarr\.json"):
        Dataset.open(tmp_path / "folder")
    zarr.create_group(tmp_path / "foreign.zarr")
    with pytest.raises(InputError, match="a Zarr group, but not a dataset of crystalvision"):
        Dataset.open(tmp_path / "foreign.zarr")


def test_a_damaged_header_is_told_from_a_newer_format(written):
    document = written / "zarr.json"
    sound = document.read_text()
    document.write_text(sound.replace('"seed": 7', '"seed": 8'))
    with pytest.raises(StorageError, match="the header does not match its checksum"):
        Dataset.open(written)
    document.write_text(sound.replace('"format": 3', '"format": 4'))
    with pytest.raises(StorageError, match="lacks the header"):
        Dataset.open(written)
    copy = written / "crystalvision.json"
    copy.write_text(copy.read_text().replace('"format": 3', '"format": 4'))
    with pytest.raises(InputError, match="format 4; this version of crystalvision reads format 3"):
        Dataset.open(written)
    document.write_text(sound[:100])
    with pytest.raises(StorageError, match=r"zarr\.json: damaged"):
        Dataset.open(written)


def test_damaged_images_are_a_storage_error(written):
    file = written / "images/c/1/0/0/0"
    file.write_bytes(file.read_bytes()[:-9])
    dataset = Dataset.open(written)
    with pytest.raises(StorageError, match="crystalvision dataset verify"):
        dataset.images([5])
    assert len(dataset.images([0, 8])) == 2


def test_an_incomplete_dataset_says_how_to_finish_it(numbered, tmp_path):
    path = numbered.write(tmp_path / "d.zarr", shards=[1], finish=False)
    hint = "finish it with the command that began it and --resume"
    with pytest.raises(InputError, match=rf"2 of 3 shards are missing; .*{hint}"):
        Dataset.open(path)
    dataset = Dataset.open(path, allow_incomplete=True)
    assert dataset.missing_shards == [0, 2]
    assert dataset.written().tolist() == [4, 5, 6, 7]
    assert dataset.column("label").tolist() == [-1] * 4 + [0, 1, 0, 1] + [-1] * 3
    assert len(dataset.images([4, 7])) == 2
    with pytest.raises(InputError, match=rf"sample 8 is not written yet; .*{hint}"):
        dataset.images([4, 8])
    with pytest.raises(InputError, match="has no splits"):
        dataset.split("test")


def test_all_shards_without_splits_is_incomplete(numbered, tmp_path):
    path = numbered.write(tmp_path / "d.zarr", finish=False)
    with pytest.raises(InputError, match="incomplete: not finished"):
        Dataset.open(path)


def test_describe(written):
    import json

    found = describe(Dataset.open(written))
    json.dumps(found)
    assert found["complete"]
    assert found["missing_shards"] == []
    assert found["classes"]["no_defect"] == {"severity": 0.0, "samples": 6}
    assert found["classes"]["25 % vacancies"] == {"severity": 0.9, "samples": 5}
    assert found["splits"] == {"train": 8, "validation": 1, "test": 2}
    assert found["recipe"] == "numbered"
    assert found["axes"][1]["scale"] == 0.125
    on_disk = sum(file.stat().st_size for file in written.rglob("*") if file.is_file())
    assert found["bytes_on_disk"] == on_disk


def test_describe_an_incomplete_dataset(written):
    shutil.rmtree(written / "images/c/0")
    (written / "split/c/0").unlink()
    found = describe(Dataset.open(written, allow_incomplete=True))
    assert not found["complete"]
    assert found["missing_shards"] == [0]
    assert found["samples_written"] == 7
    assert sum(entry["samples"] for entry in found["classes"].values()) == 7
    assert found["splits"] is None


def test_xarray_opens_it_labelled(written):
    import xarray

    with xarray.open_zarr(written) as opened:
        assert opened.images.dims == ("sample", "channel", "q_y", "q_x")
        assert opened.images.shape == (11, 1, 8, 8)
        np.testing.assert_allclose(opened.q_y, -1.0 + 0.25 * np.arange(8))
        np.testing.assert_allclose(opened.q_x, -0.5 + 0.125 * np.arange(8))
        assert opened.q_x.attrs["units"] == "1/angstrom"
        assert opened.thickness_angstrom.dims == ("sample",)
        assert opened.thickness_angstrom.attrs == {
            "units": "angstrom",
            "description": "length along the beam",
        }
        assert opened.label.dtype == np.int64
        assert opened.label.attrs["flag_meanings"] == "no_defect 25_%_vacancies"
        assert opened.split.attrs["flag_meanings"] == "train validation test"
        assert opened.attrs["class_names"] == ["no_defect", "25 % vacancies"]
        dataset = Dataset.open(written)
        near = opened.images.sel(q_x=0.0, method="nearest").isel(sample=3).values
        np.testing.assert_array_equal(near, dataset.images([3])[0, :, :, 4])
