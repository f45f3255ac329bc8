import json
import resource

import h5py
import numpy as np
import pytest

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError, StorageError
from crystalvision.exchange import export_hdf5

IMAGES = "crystalvision/images"


@pytest.fixture
def exported(salt_path, tmp_path):
    export_hdf5(salt_path, tmp_path / "salt.h5")
    return tmp_path / "salt.h5"


def test_images_are_stored_one_in_a_chunk(exported, salt):
    with h5py.File(exported) as file:
        data = file[IMAGES]["data"]
        assert data.dtype == np.uint16
        assert data.chunks == (1, 1, 6, 8)
        assert data.compression == "gzip"
        assert np.array_equal(data[:], salt.images(np.arange(len(salt))))


def test_axes_are_calibrated_for_y_and_x_apart(exported):
    with h5py.File(exported) as file:
        y, x = file[IMAGES]["dim2"], file[IMAGES]["dim3"]
        assert (y.attrs["name"], x.attrs["name"]) == ("q_y", "q_x")
        assert y.attrs["units"] == x.attrs["units"] == "1/angstrom"
        assert np.array_equal(y, -0.15 + 0.05 * np.arange(6))
        assert np.array_equal(x, -0.17 + 0.04 * np.arange(8))


def test_every_column_goes_along_with_its_type_and_units(exported, salt):
    with h5py.File(exported) as file:
        columns = file["columns"]
        for name, column in salt.header.columns.items():
            assert np.array_equal(columns[name], salt.column(name), equal_nan=True), name
            assert columns[name].dtype == column.dtype
            assert columns[name].attrs["units"] == column.units
        assert list(columns["label"].attrs["names"]) == list(salt.header.class_names)
        assert np.array_equal(columns["sample"], np.arange(len(salt)))
        assert list(columns["split"].attrs["names"]) == ["train", "validation", "test"]
        for number, name in enumerate(columns["split"].attrs["names"]):
            found = np.flatnonzero(columns["split"][:] == number)
            assert np.array_equal(found, salt.split(name))


def test_recipe_and_identity_go_along(exported, salt):
    with h5py.File(exported) as file:
        assert file.attrs["identity"] == salt.identity
        recipe = file["crystalvision/metadatabundle/dataset/recipe"]
        assert json.loads(recipe[()]) == salt.header.provenance.shown()


def test_one_part_holds_its_samples_only(salt_path, salt, tmp_path):
    done = export_hdf5(salt_path, tmp_path / "test.h5", split="test")
    assert done.samples == len(salt.split("test"))
    with h5py.File(tmp_path / "test.h5") as file:
        assert np.array_equal(file["columns/sample"], salt.split("test"))
        assert np.array_equal(file[IMAGES]["data"], salt.images(salt.split("test")))


def test_the_same_bytes_every_time(exported, salt_path, tmp_path):
    export_hdf5(salt_path, tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == exported.read_bytes()


def read_emd(emdfile, path):
    """What emdfile reads. It walks all modules, which lazy ones make more of while it does."""
    for _ in range(9):
        try:
            return emdfile.read(str(path))
        except RuntimeError as error:
            if "changed size during iteration" not in str(error):
                raise
    return emdfile.read(str(path))


def test_emdfile_reads_images_columns_and_recipe(exported, salt):
    emdfile = pytest.importorskip("emdfile")
    root = read_emd(emdfile, exported)
    images = root.tree("images")
    assert np.array_equal(images.data, salt.images(np.arange(len(salt))))
    assert list(images.dim_names) == ["sample", "channel", "q_y", "q_x"]
    assert list(images.dim_units)[2:] == ["1/angstrom"] * 2
    assert np.array_equal(images.dims[2], -0.15 + 0.05 * np.arange(6))
    assert np.array_equal(images.dims[3], -0.17 + 0.04 * np.arange(8))
    assert images.units == "counts"
    points = root.tree("samples").data
    assert np.array_equal(points["thickness_angstrom"], salt.column("thickness_angstrom"))
    assert np.array_equal(points["is_tilted"], salt.column("is_tilted"))
    told = root.metadata["dataset"]
    assert tuple(told["class_names"]) == salt.header.class_names
    assert tuple(told["class_severities"]) == salt.header.class_severities
    assert json.loads(told["recipe"]) == salt.header.provenance.shown()


@pytest.mark.compare
@pytest.mark.filterwarnings("default")
def test_hyperspy_reads_images_with_calibrated_axes(exported, salt):
    hyperspy = pytest.importorskip("hyperspy.api")
    signal = hyperspy.load(str(exported), file_format="EMD")
    # One signal: neither a column called `data_quality` nor the layout of EMD 0.2 is a second one.
    assert np.array_equal(signal.data, salt.images(np.arange(len(salt))))
    axes = {axis.name: axis for axis in signal.axes_manager._axes}
    assert list(axes) == ["sample", "channel", "q_y", "q_x"]
    for name, scale, offset in (("q_y", 0.05, -0.15), ("q_x", 0.04, -0.17)):
        assert axes[name].scale == pytest.approx(scale, rel=1e-12)
        assert axes[name].offset == offset
        assert axes[name].units.replace(" ", "") == "1/Å"
    assert axes["channel"].scale == 1
    patterns = signal.transpose(signal_axes=("q_x", "q_y"))
    assert patterns.axes_manager.signal_shape == (8, 6)


def test_the_older_layout_counts_axes_from_one(exported):
    with h5py.File(exported) as file:
        old = file["data/images"]
        assert old.attrs["emd_group_type"] == 1
        assert (old.attrs["version_major"], old.attrs["version_minor"]) == (0, 2)
        assert old["data"] == file[IMAGES]["data"]
        assert [old[f"dim{n}"].attrs["name"] for n in range(1, 5)] == [
            "sample",
            "channel",
            "q_y",
            "q_x",
        ]


def test_one_float_sample_of_one_pixel(make_data, tmp_path):
    data = make_data(
        tmp_path / "one.zarr", samples=1, image_shape=(3, 1, 1), dtype="float32", recipe={}
    )
    export_hdf5(data, tmp_path / "one.h5")
    with h5py.File(tmp_path / "one.h5") as file:
        assert file[IMAGES]["data"].shape == (1, 3, 1, 1)
        assert file[IMAGES]["data"].attrs["units"] == "1"
        assert np.allclose(file[IMAGES]["dim2"], [-0.15, 0.85])


@pytest.mark.parametrize("what", ["file", "ours"])
def test_what_is_there_is_not_replaced_unasked(exported, salt_path, tmp_path, what):
    place = exported
    if what == "file":
        place = tmp_path / "thesis.h5"
        place.write_text("years of work")
    before = place.read_bytes()
    with pytest.raises(InputError, match="exists already; replace it by --overwrite"):
        export_hdf5(salt_path, place)
    assert place.read_bytes() == before


def test_only_an_export_is_overwritten(exported, salt_path, tmp_path):
    export_hdf5(salt_path, exported, split="test", overwrite=True)
    with h5py.File(exported) as file:
        assert file.attrs["split"] == "test"
    thesis = tmp_path / "thesis.h5"
    with h5py.File(thesis, "w") as file:
        file["years"] = 4
    with pytest.raises(InputError, match="was not exported by crystalvision"):
        export_hdf5(salt_path, thesis, overwrite=True)
    with h5py.File(thesis) as file:
        assert file["years"][()] == 4


def test_a_place_within_the_dataset_is_refused(salt_path):
    with pytest.raises(InputError, match="lies within the dataset"):
        export_hdf5(salt_path, salt_path / "salt.h5")


def test_a_folder_is_no_file(salt_path, tmp_path):
    with pytest.raises(InputError, match="is a folder; expected the name of a file"):
        export_hdf5(salt_path, tmp_path)


def test_an_empty_part_is_refused(make_data, tmp_path):
    data = make_data(tmp_path / "two.zarr", samples=2)
    with pytest.raises(InputError, match="split 'validation' is empty"):
        export_hdf5(data, tmp_path / "two.h5", split="validation")
    assert not (tmp_path / "two.h5").exists()


def test_damage_leaves_nothing_behind(make_data, tmp_path):
    data = make_data(tmp_path / "salt.zarr")
    shard = data / "images/c/3/0/0/0"
    content = bytearray(shard.read_bytes())
    content[10] ^= 255
    shard.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        export_hdf5(data, tmp_path / "salt.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["salt.zarr"]


FULL = """
import resource, sys
from crystalvision.errors import StorageError
from crystalvision.exchange import export_hdf5, export_png, export_webdataset
export = {"hdf5": export_hdf5, "png": export_png, "webdataset": export_webdataset}[sys.argv[1]]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
try:
    export(sys.argv[2], sys.argv[3])
except StorageError as error:
    sys.stdout.write(str(error))
"""


@pytest.mark.parametrize(
    ("to", "limit"),
    [
        ("hdf5", 90),
        ("hdf5", 3000),
        ("hdf5", 8000),
        ("hdf5", 22000),
        ("png", 60),
        ("webdataset", 9000),
    ],
)
@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs limits of POSIX")
def test_a_full_disk_leaves_nothing_behind(run_python, salt_path, tmp_path, to, limit):
    done = run_python("-c", FULL, to, salt_path, tmp_path / "out", limit)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 0
    assert "cannot be written" in done.stdout
    assert "raise the limit on the size of files, then run again" in done.stdout
    assert "--resume" not in done.stdout
    assert not list(tmp_path.iterdir())


def test_an_interrupted_export_is_made_again(salt_path, salt, tmp_path):
    class StopError(Exception):
        pass

    def stop(_what, _total):
        def advance(_done):
            raise StopError

        return advance

    with pytest.raises(StopError):
        export_hdf5(salt_path, tmp_path / "salt.h5", begin=stop)
    assert not list(tmp_path.iterdir())
    (tmp_path / ".salt.0123abcd.partial.h5").write_text("left by a kill")
    export_hdf5(salt_path, tmp_path / "salt.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["salt.h5"]


def test_an_unfinished_dataset_is_refused(make_data, tmp_path):
    data = make_data(tmp_path / "salt.zarr")
    (data / "images/c/1/0/0/0").unlink()
    with pytest.raises(InputError, match="incomplete: 1 of 5 shards are missing"):
        export_hdf5(data, tmp_path / "salt.h5")


def test_an_export_is_read_a_few_images_at_a_time(salt_path, tmp_path, monkeypatch):
    largest = []
    read = Dataset.images

    def images(self, indices):
        largest.append(len(indices))
        return read(self, indices)

    monkeypatch.setattr(Dataset, "images", images)
    monkeypatch.setattr("crystalvision.exchange._selection._BATCH_BYTES", 300)
    export_hdf5(salt_path, tmp_path / "salt.h5")
    assert max(largest) == 3
    assert sum(largest) == 23
