"""Every shipped suite, with each of its budgets, can be run."""

import json
from contextlib import nullcontext

import pytest
import yaml

from crystalvision.benchmarks import load_suite, plan_benchmark
from crystalvision.benchmarks._cells import cells_of
from crystalvision.benchmarks._experiments import experiment_of, with_experiments
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue, PluginSelection


class Silent:
    """A watcher that shows nothing."""

    def note(self, text):
        raise AssertionError(text)

    def step(self, what, total):
        del what, total
        return nullcontext(lambda _count: None)


CATALOGUE = Catalogue.load()
MANY = {"sadp"}  # datasets, each of which takes a second to look at
CASES = [
    pytest.param(
        name, budget, marks=[] if budget == "quick" and name not in MANY else pytest.mark.slow
    )
    for name in CATALOGUE.names("suite")
    for budget in yaml.safe_load(CATALOGUE.path("suite", name).read_text())["budgets"]
    if budget != "measured"  # it asks for data of the user's own
]


@pytest.mark.parametrize(("name", "budget"), CASES)
def test_it_can_be_planned(name, budget):
    suite = load_suite(CATALOGUE.path("suite", name), budget)
    planned = plan_benchmark(suite, CATALOGUE, PluginSelection(), device="cpu", watcher=Silent())
    assert {cell.key.system for cell in planned.cells} == set(suite.systems)
    here = {system for system in planned.troubles if "imagenet" in system}
    assert set(planned.troubles) == here, "only weights of ImageNet are not at hand"


@pytest.mark.parametrize("case", [case.values for case in CASES], ids="-".join)
def test_its_experiments_and_cells_are_in_order(case):
    name, budget = case
    suite = with_experiments(load_suite(CATALOGUE.path("suite", name), budget), CATALOGUE)
    cells = cells_of(suite)
    left_out = {"densenet", "profile"} if case == ("sadp", "quick") else set()
    assert {cell.key.system for cell in cells} == set(suite.systems) - left_out
    for cell in cells:
        assert experiment_of(suite, cell).seed == cell.key.seed


def test_the_selected_area_study_has_every_row_of_the_table():
    path = CATALOGUE.path("suite", "sadp")
    suite = load_suite(path, "standard")
    published = json.loads((path.parent / "../published/jeong2024.json").read_text())
    rows = {plan.published for plan in suite.datasets.values() if plan.published}
    assert rows == set(published["tests"])
    cells = {cell.key.dataset for cell in cells_of(suite)}
    kinds = {name for name in cells if name.startswith("with-")}
    assert {name.replace("with", "all-but") for name in kinds} | kinds | {"ideal", "all"} == cells
    assert len(kinds) == 7
    quick = {cell.key.dataset for cell in cells_of(load_suite(path, "quick"))}
    assert quick == {"ideal", "all", "with-twin", "all-but-dislocations", "all-but-twin"}


def test_all_have_the_three_budgets():
    for name in CATALOGUE.names("suite"):
        assert {"quick", "standard", "paper"} <= {
            case.values[1] for case in CASES if case.values[0] == name
        }


def test_a_budget_for_measured_data_asks_for_them():
    suite = load_suite(CATALOGUE.path("suite", "powder"), "measured")
    with pytest.raises(InputError, match=r"--set datasets\.measured\.path=DATA\.zarr"):
        plan_benchmark(suite, CATALOGUE, PluginSelection(), device="cpu", watcher=Silent())
