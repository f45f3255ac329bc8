"""A subset of a dataset is a view of it, on which a run is trained and judged as on any other."""

import pickle

import numpy as np
import pytest

from crystalvision.contracts import Axis
from crystalvision.datasets import (
    Column,
    Dataset,
    DatasetHeader,
    DatasetWriter,
    PatternDataset,
    Simulated,
    label_column,
)
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.runs import train_run
from crystalvision.training import Experiment

CHOSEN = [9, 2, 7, 0]


@pytest.fixture
def whole(numbered, tmp_path):
    return Dataset.open(numbered.write(tmp_path / "numbers.zarr"))


@pytest.fixture
def lines(tmp_path):
    """Ten samples, of two classes in turn, with their number in a column."""
    header = DatasetHeader(
        samples=10,
        image_shape=(1, 4),
        dtype="uint16",
        columns={
            "label": label_column(["even", "odd"]),
            "severity": Column(dtype="float32"),
            "index": Column(dtype="int32"),
            "direction": Column(dtype="float32", shape=(3,)),
        },
        axes=(Axis(name="time", size=4, scale=1.0, offset=0.0, units="ns"),),
        provenance=Simulated(seed=0),
        generator={},
        samples_per_shard=10,
    )
    numbers = np.arange(10)
    columns = {"label": numbers % 2, "severity": 0.5 * (numbers % 2), "index": numbers}
    columns["direction"] = np.zeros((10, 3), dtype=np.float32)
    with DatasetWriter.open(tmp_path / "lines.zarr", header) as writer:
        writer.write_shard(0, np.zeros((10, 1, 4), dtype=np.uint16), columns)
        writer.finish()
    return Dataset.open(tmp_path / "lines.zarr")


def test_its_samples_are_those_that_were_chosen(whole):
    part = whole.subset(CHOSEN)
    assert (len(part), part.identity) == (4, whole.identity)
    np.testing.assert_array_equal(part.images([0, 3]), whole.images([9, 0]))
    for name in whole.header.columns:
        np.testing.assert_array_equal(part.column(name), whole.column(name)[CHOSEN])
        np.testing.assert_array_equal(part.column(name, [2]), whole.column(name)[[7]])
    for name in ("train", "validation", "test", "all"):
        there = set(part.numbers(part.split(name)).tolist())
        assert there == set(CHOSEN) & set(whole.split(name).tolist())
    assert (
        PatternDataset(part, [1])
        .batch([0])
        .images.equal(PatternDataset(whole, [2]).batch([0]).images)
    )


def test_a_subset_of_a_subset_is_one_of_the_whole(whole):
    part = pickle.loads(pickle.dumps(whole.subset(CHOSEN).subset([3, 1])))
    assert part.numbers([0, 1]).tolist() == [0, 2]
    np.testing.assert_array_equal(part.images([1]), whole.images([2]))
    assert whole.chosen is None


@pytest.mark.parametrize(
    ("indices", "message"),
    [([], "subset of no samples"), ([1, 1], "sample 1 twice"), ([99], "no sample 99")],
)
def test_what_cannot_be_chosen(whole, indices, message):
    with pytest.raises(InputError, match=message):
        whole.subset(indices)
    with pytest.raises(InputError, match="no sample 4; samples go from 0 to 3"):
        whole.subset(CHOSEN).images([4])


def test_a_run_remembers_what_it_was_trained_on(dataset, make_experiment, catalogue, tmp_path):
    described = make_experiment()
    experiment = Experiment.model_validate(
        {
            "system": {"branches": {"one": described["system"]["branches"]["classifier"]}},
            "input": described["input"],
            "schedule": [{**described["schedule"][0], "train": ["one"], "epochs": 1}],
        }
    )
    part = dataset.subset(np.arange(0, 160, 3))
    run = train_run(experiment, part, tmp_path / "run", catalogue=catalogue)
    record = run.record.dataset
    assert (record.samples, record.subset.samples, record.identity) == (54, 54, dataset.identity)
    assert set(run.split()) == set(range(0, 160, 3))
    found = evaluate(run, dataset)  # the guard knows that it is the dataset of the run
    assert found.metrics.split == "test"
    assert set(evaluate(run, part).indices) == set(found.indices) & set(range(0, 160, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", [3]),
        ("9,2, 7", [9, 2, 7]),
        ("0:3, 8:", [0, 1, 2, 8, 9]),
        ("label == odd", [1, 3, 5, 7, 9]),
        ("label == 'odd' and severity > 0 and index < 6", [1, 3, 5]),
        ("index in [2, 4] or label != even", [1, 2, 3, 4, 5, 7, 9]),
    ],
)
def test_a_text_chooses_samples(lines, text, expected):
    assert lines.subset(text).chosen.tolist() == expected


def test_a_share_is_one_of_every_split_and_of_every_class(dataset):
    part, larger = dataset.subset("25 %"), dataset.subset("50%")
    assert set(part.chosen) < set(larger.chosen)
    for name in ("train", "validation", "test"):
        whole, some = dataset.split(name), part.split(name)
        assert len(some) == round(0.25 * len(whole))
        assert part.numbers(some).tolist() == dataset.split(name, len(some)).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0:99", "expected FIRST:END within 0:10"),
        ("3:3", "expected FIRST:END within 0:10"),
        ("1,,2", "'' is no index; expected indices such as 0:500"),
        ("0%", "expected more than 0 and at most 100 %"),
        (
            "label == green",
            "green.* is not defined; expected indices .*severity, index; classes: even, odd",
        ),
        ("severity + 1", "is no condition"),
        ("severity > 5", "no sample is so"),
        ("severity = 5", "is no condition"),
        ("@x > 3", "expected indices"),
        ("severity >", "expected indices"),
    ],
)
def test_a_text_that_chooses_nothing_is_refused(lines, text, message):
    with pytest.raises(InputError, match=message) as error:
        lines.subset(text)
    assert "\n" not in str(error.value)
