"""Every shipped suite, with each of its budgets, can be run."""

from contextlib import nullcontext

import pytest
import yaml

from crystalvision.benchmarks import load_suite, plan_benchmark
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
CASES = [
    pytest.param(name, budget, marks=[] if budget == "quick" else pytest.mark.slow)
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


def test_all_have_the_three_budgets():
    for name in CATALOGUE.names("suite"):
        assert {"quick", "standard", "paper"} <= {
            case.values[1] for case in CASES if case.values[0] == name
        }


def test_a_budget_for_measured_data_asks_for_them():
    suite = load_suite(CATALOGUE.path("suite", "powder"), "measured")
    with pytest.raises(InputError, match=r"--set datasets\.measured\.path=DATA\.zarr"):
        plan_benchmark(suite, CATALOGUE, PluginSelection(), device="cpu", watcher=Silent())
