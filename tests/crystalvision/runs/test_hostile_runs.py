"""Damaged and malicious run folders: refused in one line, and nothing in them is executed."""

import json
import os
import pickle
import shutil
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.runs import Run

WEIGHTS = "weights.safetensors"


@pytest.fixture
def copy(run_path, tmp_path) -> Path:
    """A run that may be damaged."""
    return Path(shutil.copytree(run_path, tmp_path / "copy"))


@pytest.fixture
def bomb(tmp_path):
    """Something whose unpickling makes a folder, and that folder."""

    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "executed"),))

    yield Bomb()
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("write", ["torch", "pickle", "numpy"])
def test_a_pickle_in_place_of_the_weights(copy, catalogue, bomb, write):
    file = copy / WEIGHTS
    if write == "torch":
        torch.save({"weights": bomb}, file)
    elif write == "pickle":
        file.write_bytes(pickle.dumps(bomb))
    else:
        file.write_bytes(b"\x93NUMPY" + pickle.dumps(bomb))
    with pytest.raises(InputError, match=r"weights.safetensors cannot be read: ") as caught:
        Run.load(copy, catalogue)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.mkdir [{path}]",
        "!!python/object/new:os.mkdir [{path}]",
        "!!python/name:os.mkdir",
    ],
)
def test_a_python_tag_in_the_record(copy, catalogue, tmp_path, tag):
    with (copy / "run.yaml").open("a") as file:
        file.write("extra: " + tag.format(path=tmp_path / "executed") + "\n")
    with pytest.raises(InputError, match=r"run.yaml, line \d+: the tag tag:yaml.org,2002:python"):
        Run.load(copy, catalogue)
    assert not (tmp_path / "executed").exists()


def test_weights_cut_short_anywhere(copy, catalogue):
    whole = (copy / WEIGHTS).read_bytes()
    for length in (0, 4, 8, 100, len(whole) // 3, len(whole) - 1):
        (copy / WEIGHTS).write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"weights.safetensors cannot be read: "):
            Run.load(copy, catalogue)


@pytest.mark.parametrize(
    "header",
    [
        b"not JSON",
        b"[]",
        json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]}}).encode(),
        json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1 << 60]}}).encode(),
        json.dumps({"a": {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 4]}}).encode(),
        json.dumps({"a": {"dtype": "PICKLE", "shape": [1], "data_offsets": [0, 4]}}).encode(),
    ],
)
def test_a_header_that_lies(copy, catalogue, header):
    (copy / WEIGHTS).write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(InputError, match=r"weights.safetensors cannot be read: "):
        Run.load(copy, catalogue)


def test_a_header_longer_than_the_file(copy, catalogue):
    (copy / WEIGHTS).write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    with pytest.raises(InputError, match=r"weights.safetensors cannot be read: "):
        Run.load(copy, catalogue)


def test_weights_of_another_architecture(copy, catalogue):
    weights = {f"layer.{number}": torch.zeros(3) for number in range(4)}
    save_file(weights, copy / WEIGHTS)
    with pytest.raises(InputError, match=r"weights of another system than .*run.yaml describes: "):
        Run.load(copy, catalogue)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers(copy, catalogue, value):
    weights = load_file(copy / WEIGHTS)
    key = next(key for key in sorted(weights) if weights[key].is_floating_point())
    weights[key] = torch.full_like(weights[key], value)
    save_file(weights, copy / WEIGHTS)
    with pytest.raises(InputError, match=rf"weights.safetensors: '{key}' is not finite"):
        Run.load(copy, catalogue)


def test_weights_of_another_type(copy, catalogue):
    weights = load_file(copy / WEIGHTS)
    key = next(key for key in sorted(weights) if weights[key].is_floating_point())
    weights[key] = weights[key].to(torch.int32)
    save_file(weights, copy / WEIGHTS)
    with pytest.raises(InputError, match=rf"'{key}' is of type int32, expected float32"):
        Run.load(copy, catalogue)


def test_the_command_line_says_it_in_one_line(copy, dataset_path, bomb, capsys):
    torch.save({"weights": bomb}, copy / WEIGHTS)
    assert main(["evaluate", str(copy), "-d", str(dataset_path)]) == 2
    said = capsys.readouterr().err
    assert "cannot be read" in said
    assert "Traceback" not in said
