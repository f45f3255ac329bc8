"""A folder of images that was exported comes back as the dataset that it was."""

import csv
import json

import numpy as np
import pytest

from crystalvision.datasets import Column, Dataset, verify
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.exchange import export_png, import_folder
from crystalvision.exchange._png import class_folders
from crystalvision.runs import train_run
from crystalvision.training import Experiment


@pytest.mark.parametrize("with_specimens", [False, True])
def test_an_export_comes_back_as_it_was(make_data, tmp_path, with_specimens):
    changes = {}
    if with_specimens:
        changes["columns"] = {
            "thickness_angstrom": Column(dtype="float32", units="angstrom"),
            "specimen": Column(dtype="int64"),
        }
    path = make_data(tmp_path / "salt.zarr", **changes)
    export_png(path, tmp_path / "images", scale="counts")
    done = import_folder(tmp_path / "images", tmp_path / "back.zarr")
    salt, back = Dataset.open(path), Dataset.open(tmp_path / "back.zarr")
    assert not done.notes
    assert not verify(back.path)
    assert np.array_equal(back.images(np.arange(23)), salt.images(np.arange(23)))
    assert back.header.class_names == salt.header.class_names
    assert back.header.class_severities == salt.header.class_severities
    assert back.header.axes == salt.header.axes
    assert back.header.dtype == salt.header.dtype
    for name, column in salt.header.columns.items():
        assert back.column(name).dtype == column.dtype
        assert back.header.columns[name].units == column.units
        assert np.array_equal(
            back.column(name), salt.column(name), equal_nan=column.dtype.startswith("float")
        ), name
    for part in ("train", "validation", "test"):
        assert np.array_equal(back.split(part), salt.split(part))


def test_an_export_that_comes_back_has_the_samples_of_the_first(salt_path, salt, tmp_path):
    export_png(salt_path, tmp_path / "images", scale="counts")
    import_folder(tmp_path / "images", tmp_path / "back.zarr")
    back = Dataset.open(tmp_path / "back.zarr")
    known = back.header.origins
    assert list(known) == [back.identity, salt.identity]
    assert known[salt.identity] == salt.header.provenance


def test_no_run_is_judged_on_a_copy_of_its_own_data(dataset_path, run, tmp_path):
    export_png(dataset_path, tmp_path / "images", scale="counts")
    import_folder(tmp_path / "images", tmp_path / "copy.zarr")
    with pytest.raises(InputError, match="have samples in common"):
        evaluate(run, Dataset.open(tmp_path / "copy.zarr"))


def test_counts_of_32_bits_come_back_in_32_bits(make_data, tmp_path):
    images = np.random.default_rng(0).integers(0, 60_000, (23, 1, 6, 8)).astype(np.uint32)
    path = make_data(tmp_path / "salt.zarr", images=images, dtype="uint32")
    export_png(path, tmp_path / "images", scale="counts")
    import_folder(tmp_path / "images", tmp_path / "back.zarr")
    back = Dataset.open(tmp_path / "back.zarr")
    assert back.header.dtype == "uint32"
    assert np.array_equal(back.images(np.arange(23)), images)


def test_grey_values_on_a_logarithmic_scale_are_no_counts(salt_path, tmp_path):
    export_png(salt_path, tmp_path / "images")
    done = import_folder(tmp_path / "images", tmp_path / "back.zarr")
    assert "holds grey values on the scale 'log', not counts" in done.notes[0]


def test_an_export_whose_description_is_damaged(salt_path, tmp_path):
    export_png(salt_path, tmp_path / "images", scale="counts")
    document = tmp_path / "images/dataset.json"
    content = json.loads(document.read_text())
    content["crystalvision_export"] = 9
    document.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"dataset.json: not what this version .* writes"):
        import_folder(tmp_path / "images", tmp_path / "back.zarr")
    document.write_text("{")
    with pytest.raises(InputError, match="column 'sample' cannot keep its name"):
        import_folder(tmp_path / "images", tmp_path / "measured.zarr", pixel_size_inv_angstrom=0.02)
    assert not (tmp_path / "measured.zarr").exists()


def test_a_class_that_the_export_did_not_have(salt_path, tmp_path):
    export_png(salt_path, tmp_path / "images", scale="counts")
    table = tmp_path / "images/labels.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[3][2] = "unheard of"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    message = "line 4: class 'unheard of' is none of vacancies 25 %, no_defect, twin"
    with pytest.raises(InputError, match=message):
        import_folder(tmp_path / "images", tmp_path / "measured.zarr", pixel_size_inv_angstrom=0.02)
    assert not (tmp_path / "measured.zarr").exists()


def test_severities_go_by_the_names_of_classes(make_data, tmp_path):
    """Class folders come in the order of the alphabet, which need not be the dataset's."""
    path = make_data(tmp_path / "salt.zarr")
    header = Dataset.open(path).header
    export_png(path, tmp_path / "images", scale="counts")
    (tmp_path / "images/labels.csv").unlink()
    for part in ("train", "validation", "test"):
        for folder in (tmp_path / "images" / part).iterdir():
            target = tmp_path / "images" / folder.name
            target.mkdir(exist_ok=True)
            for file in folder.iterdir():
                file.rename(target / file.name)
            folder.rmdir()
        (tmp_path / "images" / part).rmdir()
    import_folder(tmp_path / "images", tmp_path / "back.zarr")
    back = Dataset.open(tmp_path / "back.zarr").header
    known = dict(zip(class_folders(header.class_names), header.class_severities, strict=True))
    assert list(back.class_names) != list(known)
    assert dict(zip(back.class_names, back.class_severities, strict=True)) == known


def test_no_run_is_judged_on_its_images_imported_anew(
    make_experiment, dataset, catalogue, tmp_path
):
    pictures = tmp_path / "measured"
    names = dataset.header.class_names
    for index, label in enumerate(dataset.column("label")):
        place = pictures / names[label]
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / f"{index:03d}.npy", dataset.images([index])[0, 0])
    first, second = tmp_path / "first.zarr", tmp_path / "second.zarr"
    import_folder(pictures, first, pixel_size_inv_angstrom=0.01)
    import_folder(pictures, second, pixel_size_inv_angstrom=0.02)
    assert Dataset.open(first).identity != Dataset.open(second).identity
    described = make_experiment()
    experiment = Experiment.model_validate(
        {
            "system": {"branches": {"one": described["system"]["branches"]["classifier"]}},
            "input": described["input"],
            "schedule": [{**described["schedule"][0], "train": ["one"], "epochs": 1}],
        }
    )
    run = train_run(experiment, Dataset.open(first), tmp_path / "run", catalogue=catalogue)
    with pytest.raises(InputError, match=r"holds the images that .* was trained on, imported anew"):
        evaluate(run, Dataset.open(second))
