"""`crystalvision dataset info` and `crystalvision dataset verify`."""

import json

import numpy as np
import pytest

from crystalvision.datasets import Axis, DatasetHeader, DatasetWriter, Simulated, defect_columns

CLASSES = ("whole", "holed")


def write(path, *, shards=2):
    """A dataset of two shards of five patterns, of which some may be left out."""
    header = DatasetHeader(
        samples=10,
        image_shape=(1, 6, 8),
        dtype="uint16",
        columns=defect_columns(CLASSES, (0.0, 0.9)),
        axes=(
            Axis(name="q_y", size=6, scale=0.05, offset=-0.15),
            Axis(name="q_x", size=8, scale=0.04, offset=-0.16),
        ),
        provenance=Simulated(seed=7, recipe={"name": "salt"}),
        generator={"crystalvision": "9.9"},
        samples_per_shard=5,
    )
    rng = np.random.default_rng(0)
    with DatasetWriter.open(path, header) as writer:
        for shard in range(shards):
            labels = np.arange(5) % 2
            images = rng.poisson(3, (5, 1, 6, 8)).astype(np.uint16)
            severity = np.float32([0.0, 0.9])[labels]
            writer.write_shard(shard, images, {"label": labels, "severity": severity})
        if shards == 2:
            writer.finish()
    return path


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "salt.zarr")


def test_info_tells_what_a_dataset_holds(run, data):
    outcome = run("dataset", "info", data)
    assert outcome.status == 0
    assert max(len(line.rstrip()) for line in outcome.out.splitlines()) <= 80
    text = " ".join(outcome.out.split())
    for told in (
        "recipe salt, seed 7",
        "samples 10",
        "images 1×6×8 uint16",
        "whole: 6 (severity 0)",
        "holed: 4 (severity 0.9)",
        "q_y 6 pixels of 0.05 1/Å",
        "q_x 8 pixels of 0.04 1/Å",
        "made by crystalvision 9.9",
    ):
        assert told in text


def test_info_as_json(run, data):
    told = json.loads(run("dataset", "info", data, "--json").out)
    assert told["samples"] == 10
    assert told["complete"] is True
    assert told["classes"]["holed"] == {"severity": 0.9, "samples": 4}
    assert sum(told["splits"].values()) == 10


def test_info_of_a_dataset_that_is_being_written(run, tmp_path):
    path = write(tmp_path / "half.zarr", shards=1)
    text = " ".join(run("dataset", "info", path).out.split())
    assert "samples 5 of 10; 1 of 2 shards are missing" in text


def test_verify_of_a_whole_dataset(run, data):
    outcome = run("dataset", "verify", data)
    assert outcome.status == 0
    assert outcome.out.replace("\n", "") == f"{data}: whole"
    assert json.loads(run("dataset", "verify", data, "--json").out) == {
        "path": str(data),
        "whole": True,
        "problems": [],
    }


def test_verify_of_a_damaged_dataset(run, data):
    shard = max(data.glob("images/c/**/*"), key=lambda path: (path.is_file(), str(path)))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    outcome = run("dataset", "verify", data)
    assert outcome.status == 1
    assert outcome.out.startswith("shard 1: ")
    assert "1 problem" in outcome.err
    told = json.loads(run("dataset", "verify", data, "--json").out)
    assert told["whole"] is False
    assert [problem["shard"] for problem in told["problems"]] == [1]


def test_verify_of_an_incomplete_dataset(run, tmp_path):
    path = write(tmp_path / "half.zarr", shards=1)
    assert run("dataset", "verify", path).status == 1


@pytest.mark.parametrize("command", ["info", "verify"])
def test_what_is_no_dataset_is_bad_input(run, tmp_path, command):
    for path in (tmp_path / "nowhere.zarr", tmp_path):
        outcome = run("dataset", command, path)
        assert outcome.status == 2
        assert outcome.out == ""
        assert outcome.err.startswith(f"error: {path}: ")
        assert outcome.err.count("\n") == 1
