"""Whole specimens are told by the sum of their patterns' log-probabilities."""

import shutil

import numpy as np
import pytest

from crystalvision.cli import main
from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision.datasets import (
    SPECIMEN,
    SPECIMEN_COLUMN,
    Dataset,
    DatasetHeader,
    DatasetWriter,
)
from crystalvision.errors import InputError
from crystalvision.evaluation import load_metrics
from crystalvision.evaluation._by_specimen import require_specimens, specimen_scores


class Data:
    """As much of a dataset as is asked for."""

    def __init__(self, labels, names):
        self.labels = np.array(labels)
        self.header = self
        self.columns = {"label": None}
        self.class_names = names

    def column(self, name):
        assert name == "label"
        return self.labels


def estimates(probabilities, truth, specimen, classes, **about):
    probabilities = np.array(probabilities, dtype=np.float32)
    return EvaluatedEstimates(
        target=Target(name="label", task="classification", classes=classes, **about),
        truth=np.array(truth),
        value=probabilities.argmax(axis=1),
        probabilities=probabilities,
        specimen=np.array(specimen),
        temperature=None,
    )


def test_a_sure_pattern_outweighs_two_that_are_not():
    told = estimates(
        [[0.4, 0.6], [0.45, 0.55], [0.99, 0.01], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]],
        [0, 0, 0, 1, 1, 1],
        [7, 7, 7, 9, 9, 9],
        ("fcc", "bcc"),
    )
    (score,) = specimen_scores({"label": told}, Data([], ("fcc", "bcc")), np.arange(6))
    assert (score.specimens, score.patterns) == (2, 6)
    assert score.accuracy == 1
    assert score.pattern_accuracy == pytest.approx(4 / 6)
    assert score.interval[0] < 1 == score.interval[1]


def test_the_label_follows_from_what_looks_alike():
    """Along [001] both look alike; one pattern along [011] decides."""
    shares = ({"fcc": 0.5, "bcc": 0.5}, {"fcc": 1.0}, {"bcc": 1.0})
    names = ("fcc+bcc [001]", "fcc [011]", "bcc [011]")
    told = estimates(
        [[0.9, 0.05, 0.05], [0.1, 0.2, 0.7], [0.9, 0.06, 0.04], [0.1, 0.8, 0.1]],
        [0, 2, 0, 1],
        [0, 0, 1, 1],
        names,
        label_shares=shares,
    )
    data = Data([1, 1, 0, 0], ("fcc", "bcc"))
    (score,) = specimen_scores({"appearance": told}, data, np.arange(4))
    assert (score.target, score.source) == ("label", "appearance")
    assert score.accuracy == 1


def test_one_impossible_pattern_does_not_rule_a_class_out():
    rows = [[0.0, 1.0], *[[0.999, 0.001]] * 4]
    told = estimates(rows, [0] * 5, [0] * 5, ("fcc", "bcc"))
    (score,) = specimen_scores({"label": told}, Data([], ("fcc", "bcc")), np.arange(5))
    assert score.accuracy == 1


def test_where_each_pattern_is_a_specimen_there_is_nothing_to_say():
    told = estimates([[0.4, 0.6], [0.45, 0.55]], [0, 1], [0, 1], ("fcc", "bcc"))
    scores = specimen_scores({"label": told}, Data([], ("fcc", "bcc")), np.arange(2))
    assert scores == ()
    with pytest.raises(InputError, match="each pattern is a specimen of its own") as caught:
        require_specimens(scores, "data.zarr")
    assert "\n" not in str(caught.value)


@pytest.fixture
def of_specimens(other_dataset_path, tmp_path):
    """The other dataset, five patterns of one class a specimen."""
    dataset = Dataset.open(other_dataset_path)
    content = dataset.header.model_dump()
    content["columns"][SPECIMEN] = SPECIMEN_COLUMN
    header = DatasetHeader.model_validate(content)
    order = np.argsort(dataset.column("label"), kind="stable")
    path = tmp_path / "specimens.zarr"
    with DatasetWriter.open(path, header) as writer:
        for shard in writer.missing_shards():
            rows = np.asarray(writer.shard_indices(shard))
            columns = {name: dataset.column(name)[order[rows]] for name in dataset.header.columns}
            images = np.stack([dataset.images([index])[0] for index in order[rows]])
            writer.write_shard(shard, images, {**columns, SPECIMEN: rows // 5})
        writer.finish()
    return path


@pytest.fixture
def copied_run(run_path, tmp_path):
    return shutil.copytree(run_path, tmp_path / "copy")


def test_the_command_tells_of_specimens(copied_run, of_specimens, capsys):
    run_path = copied_run
    command = ["evaluate", str(run_path), "-d", str(of_specimens), "--name", "whole"]
    assert main([*command, "--by", "specimen"]) == 0
    shown = capsys.readouterr().out
    (score,) = load_metrics(run_path / "evaluations" / "whole").specimens
    assert score.specimens == 8
    assert f"{score.accuracy:.4f} of 8" in shown
    assert f"{score.pattern_accuracy:.4f} of 40" in shown


def test_the_command_refuses_what_has_no_specimens(copied_run, other_dataset_path, capsys):
    run_path = copied_run
    assert main(["evaluate", str(run_path), "-d", str(other_dataset_path), "--by", "specimen"]) == 2
    assert "each pattern is a specimen of its own" in capsys.readouterr().err.replace("\n", " ")
    assert not (run_path / "evaluations").exists()
