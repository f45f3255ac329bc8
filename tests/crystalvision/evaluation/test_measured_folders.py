"""A run judged on folders of measured images: classes by name, pixels by what is stated."""

import shutil

import numpy as np
import pytest

from crystalvision.api.runs import Run
from crystalvision.cli import main
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.evaluation import load_metrics

SEEN = (3, 1)  # of the run's four classes, in another order than its own


@pytest.fixture
def copy(run_path, tmp_path):
    return shutil.copytree(run_path, tmp_path / "copy")


@pytest.fixture
def folder(other_dataset_path, tmp_path):
    """Patterns of two classes with four pixels for one of the run's, less a background."""
    data = Dataset.open(other_dataset_path)
    labels = np.asarray(data.column("label"))
    for name, label in zip("ab", SEEN, strict=True):
        place = tmp_path / "lab" / data.header.class_names[label]
        place.mkdir(parents=True)
        for number in np.flatnonzero(labels == label)[:4]:
            image = data.images([number])[0, 0].astype(np.float32)
            fine = np.kron(image, np.ones((2, 2))) / 4 - 0.3
            np.save(place / f"{name}{number}.npy", fine.astype(np.float32))
    return tmp_path / "lab"


def fine_pixels(data_path):
    """Size and middle of pixels of which four are one of the dataset's."""
    axis = Dataset.open(data_path).header.axes[0]
    return axis.scale / 2, -axis.offset / axis.scale * 2 + 0.5


def test_two_of_four_classes_in_another_order_are_judged_by_name(copy, folder, other_dataset_path):
    size, middle = fine_pixels(other_dataset_path)
    run = Run.load(copy)
    found = run.evaluate(folder, pixel_size_inv_angstrom=size, centre=(middle, middle))
    truth = found.judged["label"].truth.tolist()
    names = run.record.class_names
    assert sorted({names[each] for each in truth}) == sorted(names[each] for each in SEEN)
    assert found.metrics.samples == 8
    # The run's own severities of these classes, not zeros.
    severities = dict(zip(names, run.record.class_severities, strict=True))
    expected = [severities[names[each]] for each in truth]
    assert found.judged["severity"].truth.tolist() == pytest.approx(expected)
    assert found.metrics.dataset == str(folder)
    assert not any("/crystalvision-" in note for note in found.metrics.conditions.notes)
    assert found.metrics.targets["label"].numbers()["accuracy"] > 0.5


def test_images_of_the_size_of_the_run_need_no_calibration(
    copy, folder, other_dataset_path, capsys
):
    for path in folder.rglob("*.npy"):
        image = np.load(path)
        np.save(path, image.reshape(32, 2, 32, 2).sum(axis=(1, 3)))
    assert main(["evaluate", str(copy), "-d", str(folder), "--resamples", "2"]) == 0
    assert "states no axes: its pixels are taken to be those of the run" in capsys.readouterr().err


def test_marks_of_gaps_are_masked_where_they_are_told(copy, folder, other_dataset_path, capsys):
    size, middle = fine_pixels(other_dataset_path)
    whole = Run.load(copy).evaluate(
        folder, pixel_size_inv_angstrom=size, centre=(middle, middle), name="whole", resamples=2
    )
    for path in folder.rglob("*.npy"):
        image = np.load(path)
        image[:2] = 7777.0  # a gap far from the pattern
        np.save(path, image)
    line = ["evaluate", str(copy), "-d", str(folder), "--resamples", "2"]
    line += ["--pixel-size-inv-angstrom", str(size), "--centre", f"{middle},{middle}"]
    assert main([*line, "--name", "masked", "--gap-value", "7777"]) == 0
    assert main([*line, "--name", "bright"]) == 0
    severity = {
        name: load_metrics(copy / "evaluations" / name).targets["severity"].numbers()["mae"]
        for name in ("whole", "masked", "bright")
    }
    assert severity["whole"] == whole.metrics.targets["severity"].numbers()["mae"]
    off = {name: abs(severity[name] - severity["whole"]) for name in ("masked", "bright")}
    assert off["masked"] < off["bright"] / 3
    assert main(["evaluate", str(copy), "-d", str(other_dataset_path), "--gap-value", "1"]) == 2
    assert f"--gap-value: {other_dataset_path} is no folder" in capsys.readouterr().err


def test_images_that_nothing_is_known_of_are_refused_with_what_to_do(copy, folder):
    with pytest.raises(InputError, match=r"states no axes, and is of 64×64 pixels.*calibrate"):
        Run.load(copy).evaluate(folder)


def test_a_class_that_the_run_does_not_know_is_refused(copy, folder, other_dataset_path):
    size, middle = fine_pixels(other_dataset_path)
    next(folder.iterdir()).rename(folder / "quasicrystal")
    with pytest.raises(InputError, match=r"quasicrystal.*was trained on"):
        Run.load(copy).evaluate(folder, pixel_size_inv_angstrom=size, centre=(middle, middle))
