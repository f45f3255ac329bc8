"""`crystalvision dataset export` and `crystalvision dataset import`."""

import json

import h5py
import numpy as np
import pytest

from crystalvision.datasets import Dataset


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(8):
        place = tmp_path / "measured" / ("good", "bad=old")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / f"{number}.npy", rng.integers(0, 99, (8, 8)).astype(np.uint16))
    return tmp_path / "measured"


@pytest.mark.parametrize(
    ("to", "name", "files"),
    [("hdf5", "rings.h5", 1), ("png", "rings", 163), ("webdataset", "r", 5)],
)
def test_a_dataset_is_exported(run, dataset_path, tmp_path, to, name, files):
    outcome = run("dataset", "export", dataset_path, "-o", tmp_path / name, "--to", to)
    assert (outcome.status, outcome.out) == (0, "")
    word = "1 file" if files == 1 else f"{files} files"
    assert outcome.err.startswith(f"160 samples in {tmp_path / name}: {word}, ")
    assert (tmp_path / name).exists()
    again = run("dataset", "export", dataset_path, "-o", tmp_path / name, "--to", to)
    assert again.status == 2
    assert "exists already; replace it by --overwrite" in again.err
    again = run("dataset", "export", dataset_path, "-o", tmp_path / name, "--to", to, "--overwrite")
    assert again.status == 0


def test_a_part_is_exported_and_told_as_json(run, dataset_path, tmp_path):
    place = tmp_path / "test.h5"
    outcome = run(
        "dataset", "export", dataset_path, "-o", place, "--to", "hdf5", "--split", "test", "--json"
    )
    assert json.loads(outcome.out) == {
        "path": str(place),
        "format": "hdf5",
        "split": "test",
        "samples": 32,
        "files": 1,
        "bytes": place.stat().st_size,
        "notes": [],
    }
    with h5py.File(place) as file:
        assert file.attrs["split"] == "test"


def test_a_scale_is_for_png(run, dataset_path, tmp_path):
    given = ("dataset", "export", dataset_path, "-o", tmp_path / "x", "--scale", "counts", "--to")
    outcome = run(*given, "hdf5")
    assert outcome.status == 2
    assert outcome.err.startswith("error: --scale counts: hdf5 keeps images as they are; leave it")
    assert run(*given, "png").status == 0
    assert json.loads((tmp_path / "x/dataset.json").read_text())["scale"] == "counts"


def test_images_are_imported(run, pictures, tmp_path):
    place = tmp_path / "measured.zarr"
    outcome = run(
        *("dataset", "import", pictures, "-o", place, "--name", "Monday", "--energy-kev", 200),
        *("--pixel-size-inv-angstrom", 0.02, "--pixel-size-y-inv-angstrom", 0.03),
        *("--centre", "3.5,4", "--severity", "good=0", "--severity", "bad=old=0.7"),
    )
    assert (outcome.status, outcome.out) == (0, "")
    assert f"8 patterns in {place}. Next: crystalvision dataset info {place}" in outcome.err
    data = Dataset.open(place)
    assert data.header.name == "Monday"
    assert [axis.scale for axis in data.header.axes] == [0.03, 0.02]
    assert [axis.offset for axis in data.header.axes] == pytest.approx([-0.105, -0.08])
    assert data.header.class_names == ("bad=old", "good")
    assert data.header.class_severities == (0.7, 0.0)
    assert run("dataset", "verify", place).status == 0
    given = ("dataset", "import", pictures, "-o", place, "--pixel-size-inv-angstrom", 0.02)
    assert "go on with it by --resume" in run(*given).err
    assert "cannot be resumed: its axes.0.offset is" in run(*given, "--resume").err
    outcome = run(*given, "--overwrite", "--json")
    told = json.loads(outcome.out)
    assert told["samples"] == 8
    assert told["notes"] == [
        "no severities are given, so all are 0; give --severity CLASS=VALUE to train on them"
    ]
    assert f"note: {told['notes'][0]}" in outcome.err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--centre", "3"), "--centre 3: expected a row and a column, such as 127.5,130"),
        (("--centre", "a,b"), "--centre a,b: expected a row and a column"),
        (("--severity", "good"), "--severity good: expected CLASS=VALUE, such as vacancies=0.5"),
        (("--severity", "good=x"), "--severity good=x: expected CLASS=VALUE"),
        (("--severity", "=1"), "--severity =1: expected CLASS=VALUE"),
        (("--severity", "a=1", "--severity", "a=2"), "is given twice for class 'a'; give it once"),
        (("--pixel-size-y-inv-angstrom", "0.1"), "is that of rows alone; give --pixel-size-inv"),
        (("--resume", "--overwrite"), "exclude each other: go on, or start anew"),
        ((), "the size of a pixel is not known; give it in 1/Å by --pixel-size-inv-angstrom"),
    ],
)
def test_what_is_wrong_with_the_line(run, pictures, tmp_path, given, message):
    outcome = run("dataset", "import", pictures, "-o", tmp_path / "x.zarr", *given)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert message in outcome.err
    assert not (tmp_path / "x.zarr").exists()
