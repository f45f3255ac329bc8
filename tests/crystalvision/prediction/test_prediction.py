"""Prediction: from Python, and from files of every kind on the command line."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
import zarr
from skimage.io import imsave

from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.prediction import Predictor, read_image


@pytest.fixture
def predictor(run_path, catalogue):
    return Predictor.load(run_path, catalogue=catalogue)


@pytest.fixture
def pattern(dataset) -> np.ndarray:
    """A raw pattern, (h, w)."""
    return dataset.images([0])[0, 0]


def test_it_says_what_evaluation_says(predictor, run, dataset):
    evaluation = evaluate(run, dataset, split="test")
    told = predictor.predict(dataset.images(dataset.split("test")))
    label, severity = told["label"], told["severity"]
    assert np.array_equal(label.probabilities, evaluation.predictions["label"].probabilities)
    assert np.array_equal(severity.value, evaluation.predictions["severity"].value)
    assert label.names == [dataset.header.class_names[index] for index in label.value]


def test_a_prediction_does_not_depend_on_its_batch(predictor, dataset):
    images = dataset.images(np.arange(7))
    whole = predictor.predict(images, batch_size=7)
    small = predictor.predict(images, batch_size=2)
    assert np.allclose(whole["label"].probabilities, small["label"].probabilities, atol=1e-6)
    alone = predictor.predict(images[3])
    assert alone.patterns == 1
    found, expected = alone["label"].probabilities[0], whole["label"].probabilities[3]
    assert np.allclose(found, expected, atol=1e-6)


def test_images_may_come_without_their_single_channel(predictor, dataset):
    images = dataset.images(np.arange(3))
    expected, without, single = (
        predictor.predict(each)["label"].probabilities
        for each in (images, images[:, 0], images[0, 0])
    )
    assert np.array_equal(without, expected)
    assert np.allclose(single, expected[:1], atol=1e-6)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((1, 16, 16)), r"has shape \(16, 16\); this run expects .* \(1, 32, 32\)"),
        (np.zeros((3, 1, 16, 16)), r"image 0 has shape \(1, 16, 16\)"),
        (np.zeros((5,)), r"shape \(5,\); expected n of at least 1 of \(channels, height, width\)"),
        (np.zeros((0, 1, 32, 32)), "n of at least 1"),
        (np.zeros((32, 32), dtype=complex), "values of type complex128; expected real numbers"),
        (np.zeros((32, 32), dtype=bool), "values of type bool; expected real numbers"),
        (np.full((32, 32), np.nan), "values that are not finite"),
        (-2 * np.eye(32, dtype=int), "32 of 1,024 pixels are -2, which is how detectors mark"),
    ],
)
def test_wrong_images_say_what_is_wrong(predictor, image, message):
    with pytest.raises(InputError, match=message) as caught:
        predictor.predict(image)
    assert "\n" not in str(caught.value)


def write(path, pattern: np.ndarray):
    if path.suffix == ".npy":
        np.save(path, pattern)
    elif path.suffix == ".png":
        imsave(path, pattern, check_contrast=False)
    else:
        tifffile.imwrite(path, pattern)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".npy", ".PNG"])
def test_every_kind_of_file_reads_back_exactly(tmp_path, pattern, suffix):
    path = tmp_path / f"pattern{suffix}"
    write(path.with_suffix(suffix.lower()), pattern).rename(path)
    assert np.array_equal(read_image(str(path)), pattern)


def test_counts_above_255_survive_a_png(tmp_path, pattern):
    path = write(tmp_path / "bright.png", pattern + np.uint16(40_000))
    assert read_image(str(path)).max() == pattern.max() + 40_000


def test_channels_come_first(tmp_path):
    colour = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    imsave(tmp_path / "colour.png", colour, check_contrast=False)
    tifffile.imwrite(tmp_path / "colour.tif", colour, photometric="rgb")
    for name in ("colour.png", "colour.tif"):
        assert np.array_equal(read_image(str(tmp_path / name)), np.moveaxis(colour, -1, 0))


def test_a_sample_of_a_dataset(dataset, dataset_path):
    assert np.array_equal(read_image(f"{dataset_path}[3]"), dataset.images([3])[0])


@pytest.mark.parametrize("index", ["160", "-1", "x", ""])
def test_a_sample_that_is_not_there(dataset_path, index):
    with pytest.raises(InputError, match=r"expected an index from 0 to 159"):
        read_image(f"{dataset_path}[{index}]")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.png", None, "absent.png: no such file"),
        ("text.odt", b"hello", r"type '.odt' are not read; use .*.png"),
        ("broken.png", b"hello", "broken.png is not a PNG file"),
        ("broken.tif", b"hello", "broken.tif is not a TIFF file"),
        ("broken.npy", b"hello", "broken.npy is not a NPY file"),
    ],
)
def test_a_file_that_is_no_image(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_image(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_a_pickle_is_never_loaded(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(InputError, match=r"is not a NPY file: .* Python objects"):
        read_image(str(tmp_path / "objects.npy"))


def test_a_palette_is_no_count(tmp_path, pattern):
    from PIL import Image

    Image.fromarray(pattern.astype(np.uint8)).convert("P").save(tmp_path / "palette.png")
    with pytest.raises(InputError, match="it has a palette of colours; expected counts"):
        read_image(str(tmp_path / "palette.png"))


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(InputError, match=r"is a folder; expected a measured file"):
        read_image(str(tmp_path))


def test_the_command_tells_every_image_in_json(run_path, dataset_path, tmp_path, pattern, capsys):
    files = [write(tmp_path / f"pattern{suffix}", pattern) for suffix in (".png", ".tif", ".npy")]
    images = [*map(str, files), f"{dataset_path}[0]"]
    assert main(["predict", str(run_path), *images, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sources"] == {"label": "head", "severity": "head"}
    assert [row["image"] for row in told["predictions"]] == images
    first = told["predictions"][0]
    assert sum(first["label_probability"].values()) == pytest.approx(1, abs=1e-5)
    assert first["label"] == max(first["label_probability"], key=first["label_probability"].get)
    for row in told["predictions"]:
        assert row["label_probability"] == pytest.approx(first["label_probability"], abs=1e-6)


def test_the_command_keeps_a_file_of_what_it_says(run_path, dataset_path, tmp_path, capsys):
    line = ["predict", str(run_path), f"{dataset_path}[0:2]", "-o"]
    assert main([*line, str(tmp_path / "said.csv")]) == 0
    assert main([*line, str(tmp_path / "said.json"), "--csv"]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "said.csv").read_text().splitlines() == printed.splitlines()[-3:]
    assert len(json.loads((tmp_path / "said.json").read_text())["predictions"]) == 2
    assert main([*line, str(tmp_path / "said.txt")]) == 2
    assert "expected a file that ends in .csv or .json" in capsys.readouterr().err
    before = (tmp_path / "said.csv").read_text()
    assert main([*line, str(tmp_path / "said.csv")]) == 2
    assert "said.csv is there already; use --overwrite" in capsys.readouterr().err
    assert main([*line, str(tmp_path / "said.csv"), "--overwrite"]) == 0
    assert (tmp_path / "said.csv").read_text() == before
    assert main([*line[:-1], "--overwrite"]) == 2
    assert "--overwrite does nothing without -o" in capsys.readouterr().err


def test_a_wavelength_is_nothing_to_images(run_path, dataset_path, capsys):
    line = ["predict", str(run_path), f"{dataset_path}[0]", "--anode", "Cu"]
    assert main(line) == 2
    assert "--anode Cu: the run reads patterns of 2 dimensions" in capsys.readouterr().err


def test_the_command_prints_a_table(run_path, dataset_path, capsys, monkeypatch):
    monkeypatch.chdir(dataset_path.parent)
    assert main(["predict", str(run_path), f"{dataset_path.name}[1]"]) == 0
    shown = capsys.readouterr().out
    assert "rings.zarr[1]" in shown
    assert "probability" in shown


def test_the_command_refuses_a_wrong_size_in_one_line(run_path, tmp_path, capsys):
    path = write(tmp_path / "small.png", np.zeros((8, 8), dtype=np.uint8))
    assert main(["predict", str(run_path), str(path)]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "has shape (8, 8); this run expects (channels, height, width) = (1, 32, 32)" in shown


class Mine:
    """What a pickle would do when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_no_array_is_unpickled(run_path, tmp_path, capsys):
    array = tmp_path / "array.zarr"
    array.mkdir()
    described = {
        "zarr_format": 2,
        "shape": [1, 32, 32],
        "chunks": [1, 32, 32],
        "dtype": "|O",
        "compressor": None,
        "fill_value": 0,
        "order": "C",
        "filters": [{"id": "vlen-utf8"}, {"id": "pickle"}],
    }
    (array / ".zarray").write_text(json.dumps(described))
    (array / "0.0.0").write_bytes(pickle.dumps(Mine(tmp_path / "executed")))
    assert main(["predict", str(run_path), str(array)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "executed").exists()


def test_a_damaged_array_is_told(run_path, tmp_path, capsys):
    path = tmp_path / "array.zarr"
    zarr.save_array(path, np.ones((2, 32, 32), dtype=np.uint16))
    for chunk in [each for each in path.rglob("c/*/*/*") if each.is_file()]:
        chunk.write_bytes(b"nothing")
    assert main(["predict", str(run_path), str(path)]) == 2
    assert "array.zarr cannot be read: " in capsys.readouterr().err


def test_what_does_not_fit_is_predicted_in_parts(predictor, dataset, monkeypatch):
    images = dataset.images(np.arange(8))
    expected = predictor.predict(images)
    batch, sizes = Predictor._batch, []

    def limited(self, images, passes):
        if len(images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(images))
        return batch(self, images, passes)

    monkeypatch.setattr(Predictor, "_batch", limited)
    found = predictor.predict(images)
    assert sizes == [2, 2, 2, 2]
    assert np.allclose(found["label"].probabilities, expected["label"].probabilities, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--explain-to", "maps"], "--explain-to maps does nothing without --explain"),
        (["--passes", "5"], "--passes 5 does nothing without --uncertainty dropout"),
        (["--seed", "0"], "--seed 0 does nothing without --uncertainty dropout"),
    ],
)
def test_options_that_would_do_nothing_are_refused(run_path, dataset, options, message, capsys):
    assert main(["predict", str(run_path), f"{dataset.path}[0]", *options]) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
