"""A subset of a dataset is a view of it, on which a run is trained and judged as on any other."""

import pickle

import numpy as np
import pytest

from crystalvision.datasets import Dataset, PatternDataset
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.runs import train_run
from crystalvision.training import Experiment

CHOSEN = [9, 2, 7, 0]


@pytest.fixture
def whole(numbered, tmp_path):
    return Dataset.open(numbered.write(tmp_path / "numbers.zarr"))


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
