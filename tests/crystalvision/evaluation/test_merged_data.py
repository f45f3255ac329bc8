"""A run is not judged on samples that it has learnt, however they were merged."""

import pytest

from crystalvision.datasets import Dataset, merge
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate
from crystalvision.runs import train_run
from crystalvision.training import Experiment


@pytest.fixture(scope="module")
def merged_path(dataset_path, other_dataset_path, tmp_path_factory):
    path = tmp_path_factory.mktemp("merged") / "merged.zarr"
    merge([dataset_path, other_dataset_path], path)
    return path


def test_a_run_is_not_judged_on_a_merge_of_its_training_data(run, merged_path):
    for split in (None, "test", "all"):
        with pytest.raises(InputError, match="have samples in common, those of 'rings'"):
            evaluate(run, Dataset.open(merged_path), split=split)


def test_a_run_on_merged_data_is_not_judged_on_an_input(
    make_experiment, merged_path, dataset, make_dataset, catalogue, tmp_path
):
    described = make_experiment()
    experiment = Experiment.model_validate(
        {
            "system": {"branches": {"one": described["system"]["branches"]["classifier"]}},
            "input": described["input"],
            "schedule": [{**described["schedule"][0], "train": ["one"], "epochs": 1}],
        }
    )
    merged = Dataset.open(merged_path)
    run = train_run(experiment, merged, tmp_path / "run", catalogue=catalogue)
    assert evaluate(run, merged).metrics.split == "test"
    with pytest.raises(InputError, match="have samples in common"):
        evaluate(run, dataset)
    third = make_dataset(tmp_path / "third.zarr", samples=40, seed=2)
    assert evaluate(run, Dataset.open(third)).metrics.samples == 40
    merge([dataset.path, third], tmp_path / "overlap.zarr")
    with pytest.raises(InputError, match="have samples in common"):
        evaluate(run, Dataset.open(tmp_path / "overlap.zarr"))
