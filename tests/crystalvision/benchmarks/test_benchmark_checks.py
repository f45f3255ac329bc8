"""A suite that is wrong is refused before anything runs, in one line."""

import re

import pytest
import yaml

from crystalvision.benchmarks import BenchmarkFolder, load_suite, plan_benchmark
from crystalvision.benchmarks._datasets import make_dataset
from crystalvision.config import _set
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.sources import SourceSpec, generate

RINGS = "datasets.rings"
ALONE = "systems.alone"
SMALL = f"{ALONE}.experiment.system.branches.classifier"
OTHER = {"recipe": "rings", "test": {"samples": 8, "seed": 5}}


@pytest.fixture
def plan(suite_data, tmp_path, rings, selection, quiet):
    """Plans the suite with some of its values changed."""

    def run(changes, budget="one"):
        data = suite_data
        for path, value in changes.items():
            data = _set(data, path.split("."), value, path)
        file = tmp_path / "mine.yaml"
        file.write_text(yaml.safe_dump(data))
        suite = load_suite(file, budget)
        return plan_benchmark(suite, rings, selection, device="cpu", watcher=quiet)

    return run


def with_test(name, **changes):
    pairing = {"train_on": ["rings"], "test_on": [name]}
    return {f"datasets.{name}": {**OTHER, **changes}, "pairings": [pairing]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"compare_with": "none"}, r"mine.yaml, budget one: .*no system 'none'"),
        ({"budgets.one.seeds": 0}, r"seeds=0: expected a list, such as \[0\]"),
        ({f"{RINGS}.recipe": "sings"}, "'rings': no recipe is called 'sings'.*'rings'"),
        ({f"{RINGS}.set": {"dose": 3}}, "'rings': recipe: unknown key 'dose'"),
        ({f"{RINGS}.source": "hatter"}, "'rings': no source is called 'hatter'"),
        ({f"{RINGS}.test.seed": 1}, "train and test have the seed 1"),
        ({f"{SMALL}.head": "sofmax"}, "system 'alone': no head is called 'sofmax'; did you mean"),
        ({f"{ALONE}.experiment": "nowhere"}, "system 'alone': no experiment is called 'nowhere'"),
        ({f"{ALONE}.set": {"schedul": "x"}}, "system 'alone', set schedul: unknown key 'schedul'"),
        ({f"{SMALL}.backbone": "smal"}, "system 'alone': no backbone is called 'smal'"),
        ({f"{SMALL}.backbone.wdth": 3}, "system 'alone': .*wdth"),
        (
            {f"{ALONE}.set": {"input": [{"name": "bin", "size": 8}]}},
            "'alone': branch 'classifier' needs images of at",
        ),
        ({"target": "thickness"}, "target 'thickness' is none of dataset 'rings'; it has label"),
        ({"by": "thickness"}, "by='thickness': dataset 'rings' has no such column"),
        (with_test("more", test={"samples": 8, "seed": 1}), "would share specimens: both have"),
        (with_test("more", set={"size": 8}), "images of shape 1, 16, 16 here and 1, 8, 8 there"),
        (with_test("more", set={"classes": ["a", "b"]}), "has classes small, large here and a, b"),
        (
            {"systems.fused.starts_from": {"eye": "alone#classifier"}},
            "systems.fused.starts_from.eye: this system has no branch 'eye'; its branches: class",
        ),
        (
            {"systems.fused.starts_from": {"classifier": "alone#eye"}},
            "'alone' has no branch 'eye'; its branches: classifier",
        ),
        (
            {"systems.fused.experiment.system.branches.classifier.head": "severity"},
            "head 'severity' cannot begin with the weights of head 'softmax' of alone#classifier",
        ),
    ],
)
def test_a_wrong_suite_is_refused(plan, changes, message):
    with pytest.raises(InputError, match=message) as refused:
        plan(changes)
    assert "\n" not in str(refused.value)


def test_a_budget_that_is_not_there_is_refused(plan):
    with pytest.raises(InputError, match="it has no budget 'huge'; its budgets: one, quick"):
        plan({}, "huge")
    with pytest.raises(InputError, match=r"budgets\.one: expected a mapping.*, found 3"):
        plan({"budgets.one": 3})


def test_a_suite_without_budgets_is_taken_as_it_is(plan, suite_data, tmp_path):
    file = tmp_path / "resolved.yaml"
    del suite_data["budgets"]
    file.write_text(yaml.safe_dump(suite_data))
    assert load_suite(file).budget == ""
    with pytest.raises(InputError, match="no budget 'paper', for it has no `budgets`; leave --bu"):
        load_suite(file, "paper")
    file.write_text(yaml.safe_dump({**suite_data, "budget": "paper"}))
    assert load_suite(file).budget == load_suite(file, "paper").budget == "paper"


@pytest.mark.parametrize(
    ("backbone", "trouble"),
    [
        ("lost", "backbone 'lost' of .* cannot be loaded"),
        ({"name": "ziletti", "weights": "imagenet"}, "weights=imagenet: there are no"),
    ],
)
def test_what_a_machine_lacks_stops_only_the_system_that_needs_it(plan, backbone, trouble):
    del_start = {"systems.fused.starts_from": {}}
    planned = plan({f"{SMALL}.backbone": backbone, f"{RINGS}.set": {"size": 64}, **del_start})
    assert list(planned.troubles) == ["alone"]
    assert re.search(trouble, planned.troubles["alone"])


def test_data_that_are_there_can_be_tested_on(plan, rings, tmp_path):
    there = tmp_path / "there.zarr"
    recipe = {"name": "rings", "samples": 16, "seed": 77}
    source = SourceSpec("rings", {**made_by(plan), **recipe})
    generate(source, there, source=source.open(rings))
    pairing = {"train_on": ["rings"], "test_on": ["rings", "there"]}
    planned = plan({"datasets.there": {"path": str(there)}, "pairings": [pairing]})
    made = planned.sources["there", "test"]
    assert made.header.samples == 16
    place = BenchmarkFolder(tmp_path / "bench")
    for _ in range(2):  # again: it is there
        make_dataset(made, place, planned.suite.datasets["there"], cluster=None, advance=len_of)
    assert Dataset.open(place.test_data("there")).identity == Dataset.open(there).identity
    with pytest.raises(InputError, match=r"name a dataset by --set datasets\.there\.path=DATA"):
        plan({"datasets.there": {"path": str(tmp_path / "no.zarr")}, "pairings": [pairing]})


def made_by(plan):
    return dict(plan({}).sources["rings", "test"].spec.recipe)


def len_of(count):
    assert count == 16


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"path": "a.zarr", "recipe": "rings"}, "give either a `recipe`, or the `path`"),
        ({"test": {"samples": 8, "seed": 5}}, "give either a `recipe`, or the `path`"),
        ({"path": "a.zarr", "test": {"samples": 8, "seed": 5}}, "is tested on whole"),
    ],
)
def test_data_are_made_or_there(plan, dataset, message):
    with pytest.raises(InputError, match=message):
        plan({"datasets.there": dataset})
