"""Suites whose question lies across training and test data: every test in a row, claims, curves."""

import json

import pytest
from pydantic import ValidationError

from crystalvision.benchmarks import BenchmarkFolder, Claim, Samples, Suite, load_suite
from crystalvision.benchmarks.report import write_report
from crystalvision.benchmarks.report._load import load_benchmark
from crystalvision.benchmarks.report._results import find_results
from crystalvision.errors import InputError

TESTS = ("ideal", "al", "strained", "twins")
CLAIMS = [
    {"text": "it is robust", "trained_on": "ideal", "tested_on": ["strained"],
     "than_tested_on": ["al"], "within": 0.1},
    {"text": "it fails", "trained_on": "ideal", "tested_on": ["al"], "than_tested_on": ["twins"]},
    {"text": "it is mended", "trained_on": "all", "tested_on": ["twins", "strained"],
     "than_trained_on": "ideal"},
    {"text": "it is worse", "trained_on": "ideal", "tested_on": ["twins"],
     "than_tested_on": ["al"], "within": 0.1},
    {"text": "nobody knows", "trained_on": "ideal", "tested_on": ["never"]},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, fake_benchmark):
    FakeBenchmark, FakeSystem, draw_test = fake_benchmark
    plan = {"recipe": "si3n4-four-classes", "test": {"samples": 200, "seed": 2}}
    train = {"train": {"samples": 800, "seed": 1}}
    accuracy = {
        (trained, tested): 0.3 if (trained, tested) == ("ideal", "twins") else 0.95
        for trained in ("ideal", "all")
        for tested in TESTS
    }
    datasets = dict.fromkeys((*TESTS, "never"), plan)
    datasets["ideal"] = plan | train
    datasets["all"] = {"recipe": "si3n4-four-classes", **train}
    datasets["twins"] = plan | {"published": "twins", "about": "mirrored spots"}
    fake = FakeBenchmark(
        tmp_path,
        {"network": FakeSystem(accuracy)},
        datasets=datasets,
        contrast=["ideal", "all"],
        curves=[{"title": "Strain", "axis": "strain [%]", "points": [[0, "al"], [5, "strained"]]}],
        claims=[{"system": "network", "than": "network", **claim} for claim in CLAIMS],
        published="printed.json",
        picture=0,
    )
    for trained in ("ideal", "all"):
        for tested in TESTS:
            for seed in fake.suite.seeds:
                fake.run("network", seed, draw_test(200), trained_on=trained, tested_on=tested)
    printed = {"source": "A paper", "tests": {"twins": {"defect": "a twin", "accuracy": 0.338}}}
    (tmp_path / "printed.json").write_text(json.dumps(printed))
    (tmp_path / "pictures.png").write_bytes(b"\x89PNG")
    return fake.finish()


def test_claims_across_data_are_paired_pattern_by_pattern(folder):
    results = find_results(load_benchmark(folder))
    found = {claim.text: claim for claim in results.across}
    assert found["it is robust"].answer == "yes"
    assert found["it fails"].answer == "yes"
    assert found["it fails"].difference.estimate.value == pytest.approx(0.65, abs=0.06)
    assert found["it is mended"].answer == "yes"
    assert found["it is mended"].difference.estimate.value == pytest.approx(0.325, abs=0.05)
    assert found["it is worse"].answer == "no"
    assert found["nobody knows"].answer.startswith("not tested: not all that it compares")
    assert not results.claims


def test_every_test_has_a_row_with_what_was_printed(folder):
    table = find_results(load_benchmark(folder)).tests
    assert [row.name for row in table.rows] == list(TESTS)
    assert [(c.system, c.trained_on) for c in table.columns] == [
        ("network", "ideal"),
        ("network", "all"),
    ]
    assert [row.printed for row in table.rows] == ["", "", "", "0.338"]
    assert table.rows[3].title == "a twin"
    first, second = (column.cells["twins"].score.value for column in table.columns)
    assert first == pytest.approx(0.3, abs=0.05)
    assert second == pytest.approx(0.95, abs=0.03)


def test_page_and_table_tell_all_of_it(folder, catalogue):
    write_report(folder, catalogue)
    page = (folder / "report.html").read_text()
    for text in ("it is mended", "a twin", "0.338", "mirrored spots", "data:image/png;base64"):
        assert text in page
    assert "accuracy against strain [%]".lower() in page.lower()
    told = (folder / "results.md").read_text()
    assert "| a twin | 0.338 |" in told
    assert "| it fails | yes |" in told


def test_tests_of_other_sizes_cannot_be_paired(folder, fake_benchmark):
    text = (folder / "suite.yaml").read_text()
    rows = (folder / "results.csv").read_text()
    FakeBenchmark, FakeSystem, draw_test = fake_benchmark
    other = FakeBenchmark(folder, {"network": FakeSystem(0.9)})
    other.run("network", 0, draw_test(40), trained_on="ideal", tested_on="never")
    other.finish()
    line = (folder / "results.csv").read_text().splitlines()[1]
    (folder / "suite.yaml").write_text(text)
    (folder / "results.csv").write_text(rows + line + "\n")
    with pytest.raises(InputError, match="give both the same `samples` and `seed`"):
        find_results(_with_claim(folder, "never"))


def test_a_suite_that_would_pair_tests_of_other_sizes_is_refused_before_it_runs(folder):
    suite = BenchmarkFolder(folder).read_suite()
    plans = {**suite.datasets, "al": suite.datasets["al"].model_copy(update={"test": _of(40)})}
    with pytest.raises(ValidationError, match=r"'strained' is tested on 200 .* 'al' on 40"):
        Suite.model_validate({**suite.model_dump(), "datasets": plans})


def _of(samples):
    return Samples(samples=samples, seed=2)


def _with_claim(folder, test):
    text = (folder / "suite.yaml").read_text()
    first = text.replace("than_tested_on:\n  - al\n", f"than_tested_on:\n  - {test}\n", 1)
    assert first != text
    (folder / "suite.yaml").write_text(first)
    return load_benchmark(folder)


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"trained_on": "ideal"}, "both `trained_on` and `tested_on`"),
        ({"within": 0.1}, "need `trained_on`"),
        (
            {"trained_on": "a", "tested_on": ["b", "c", "d"], "than_tested_on": ["b", "c"]},
            "than_tested_on has 2 tests; expected one, or 3",
        ),
    ],
)
def test_claims_that_make_no_sense_are_refused(claim, message):
    with pytest.raises(ValidationError, match=message):
        Claim.model_validate({"text": "so", "system": "x", "than": "y", **claim})


def test_what_every_dataset_has_is_written_once(tmp_path):
    path = tmp_path / "suite.yaml"
    path.write_text(
        """
name: short
title: Short?
description: A suite.
compare_with: single
every_dataset:
  recipe: si3n4-four-classes
  set: {specimen.width_angstrom: 20, samples: 3}
  train: {samples: 80, seed: 1}
  test: {samples: 40, seed: 2}
datasets:
  both: {train: {}, test: {samples: 10}}
  tested: {set: {samples: 4}, test: {}}
systems: {single: {experiment: single}}
pairings: [{train_on: [both], test_on: [tested]}]
budgets: {quick: {every_dataset: {test: {samples: 20}}}}
"""
    )
    suite = load_suite(path)
    assert suite.datasets["both"].train.samples == 80
    assert suite.datasets["both"].test.model_dump() == {"samples": 10, "seed": 2}
    assert suite.datasets["tested"].train is None
    assert suite.datasets["tested"].test.samples == 20
    assert suite.datasets["tested"].set == {"specimen.width_angstrom": 20, "samples": 4}


def test_a_picture_of_every_test_is_kept_and_not_drawn_anew(folder, fake_test_data):
    from crystalvision.benchmarks._pictures import write_pictures

    write, draw_test = fake_test_data
    place = BenchmarkFolder(folder)
    suite = place.read_suite()
    for name in ("al", "twins"):
        write(place.test_data(name), draw_test(8))
    write_pictures(place, suite)
    assert place.pictures.read_bytes() == b"\x89PNG"
    place.pictures.unlink()
    write_pictures(place, suite.model_copy(update={"picture": None}))
    assert not place.pictures.exists()
    write_pictures(place, suite)
    assert place.pictures.read_bytes()[:4] == b"\x89PNG"
    assert place.pictures.stat().st_size > 1000
