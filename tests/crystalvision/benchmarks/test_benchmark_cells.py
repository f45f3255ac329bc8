"""Which cells a suite has, and in which order."""

import pytest

from crystalvision.benchmarks import Suite, cells_of
from crystalvision.benchmarks._experiments import experiment_of, with_experiments
from crystalvision.errors import InputError


def suite_of(data, **changes):
    data = {key: value for key, value in {**data, **changes}.items() if key != "budgets"}
    return Suite.model_validate(data)


def test_every_system_meets_every_size_and_seed_after_what_it_begins_with(suite_data):
    cells = cells_of(suite_of(suite_data))
    keys = [cell.key for cell in cells]
    assert len(set(keys)) == len(keys) == 2 * 2 * 2
    for number, cell in enumerate(cells):
        assert cell.tests == ("rings",)
        assert cell.needs <= set(keys[:number])
    fused = next(cell for cell in cells if cell.key == ("fused", "rings", 32, 1))
    # The same size, but of a dataset that is named the largest.
    assert fused.starts["classifier"] == (("alone", "rings", 32, 1), "classifier")
    assert fused.starts["regressor"] == (("alone", "rings", 64, 1), "classifier")
    assert fused.key.folder == "runs/fused/rings-32-seed1"


def test_what_others_begin_with_is_trained_though_no_pairing_asks_for_it(suite_data):
    suite_data["datasets"]["more"] = {"recipe": "rings", "test": {"samples": 8, "seed": 5}}
    pairing = {"systems": ["fused"], "train_on": ["rings"], "test_on": ["rings", "more"]}
    cells = cells_of(suite_of(suite_data, pairings=[pairing], seeds=[0]))
    assert {(cell.key.system, cell.tests) for cell in cells} == {
        ("alone", ()),
        ("fused", ("rings", "more")),
    }


def test_pairings_of_one_cell_add_up(suite_data):
    suite_data["datasets"]["more"] = {"recipe": "rings", "test": {"samples": 8, "seed": 5}}
    pairings = [{"train_on": ["rings"]}, {"train_on": ["rings"], "test_on": ["more", "rings"]}]
    cells = cells_of(suite_of(suite_data, pairings=pairings))
    assert {cell.tests for cell in cells} == {("rings", "more")}


def test_what_cannot_be_is_refused(suite_data):
    only_test = {"recipe": "rings", "test": {"samples": 8, "seed": 5}}
    only_train = {"recipe": "rings", "train": {"samples": 8, "seed": 5}}
    suite_data["datasets"] |= {"tested": only_test, "trained": only_train}
    for pairing, message in (
        ({"train_on": ["tested"]}, "'tested' is to be trained on, but has no `train`"),
        ({"train_on": ["trained"]}, "'trained' is to be tested on, but has no `test`"),
    ):
        with pytest.raises(InputError, match=message):
            cells_of(suite_of(suite_data, pairings=[pairing]))
    del suite_data["datasets"]["rings"], suite_data["systems"]["fused"]
    with pytest.raises(InputError, match="nothing to do: no dataset has both"):
        cells_of(suite_of(suite_data))


def test_systems_that_begin_with_each_other_are_refused(suite_data):
    suite_data["systems"]["alone"]["starts_from"] = {"classifier": "fused#classifier"}
    with pytest.raises(InputError, match=r"begin with each other.*: fused → alone → fused$"):
        cells_of(suite_of(suite_data))


def test_small_sizes_may_get_as_many_steps_as_large_ones(suite_data, rings):
    def epochs(**changes):
        suite_data["datasets"]["rings"]["train"] |= changes
        suite = with_experiments(suite_of(suite_data, seeds=[0]), rings)
        return {
            cell.key.size: [phase.epochs for phase in experiment_of(suite, cell).schedule.phases]
            for cell in cells_of(suite)
            if cell.key.system == "alone"
        }

    usual = epochs(sizes=[32, 64], same_steps=False)
    assert usual[32] == usual[64]
    longer = epochs(sizes=[32, 64], same_steps=True)
    assert longer[64] == usual[64]
    # 48 patterns are learnt from in three batches of 16, 24 in two.
    assert longer[32] == [round(3 / 2 * number) for number in usual[64]]
