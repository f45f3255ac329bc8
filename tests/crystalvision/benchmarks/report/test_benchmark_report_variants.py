"""Benchmarks of other shapes: several datasets, one seed, nothing that went well."""

import shutil

import pytest

from crystalvision.benchmarks.report import _answers as answers
from crystalvision.benchmarks.report import write_report
from crystalvision.benchmarks.report._load import load_benchmark
from crystalvision.benchmarks.report._results import find_results
from crystalvision.benchmarks.report._target_figures import target_figures
from crystalvision.figures import drawing


@pytest.fixture
def make(tmp_path, fake_benchmark):
    FakeBenchmark, FakeSystem, draw_test = fake_benchmark

    def make(fakes, **suite):
        return FakeBenchmark(tmp_path, {n: FakeSystem(**f) for n, f in fakes.items()}, **suite)

    return make, draw_test


def test_each_dataset_meets_each_test(make, catalogue):
    make_benchmark, draw_test = make
    names = ("thin", "thick")
    plan = {"recipe": "si3n4-four-classes", "train": {"samples": 800, "seed": 1}}
    plan |= {"test": {"samples": 40, "seed": 2}}
    accuracy = {(a, b): 0.9 if a == b else 0.5 for a in names for b in names}
    fake = make_benchmark(
        {"single": {"accuracy": accuracy}}, datasets=dict.fromkeys(names, plan), seeds=(0,)
    )
    for trained in names:
        for tested in names:
            fake.run("single", 0, draw_test(40), trained_on=trained, tested_on=tested)
    folder = fake.finish()
    write_report(folder, catalogue)
    page = (folder / "report.html").read_text()
    assert "single: accuracy by training and test data: thin on thin" in page
    assert "known not at all" in page
    told = answers.carry_sentences(find_results(load_benchmark(folder)).tables, "single")
    assert [line.partition(", single reaches")[0] for line in told] == [
        "Trained on thin",
        "Trained on thick",
    ]
    assert all(line in page for line in told)
    results = find_results(load_benchmark(folder))
    assert len(results.tables) == 4
    assert [t.comparison.trained_on for t in results.main] == ["thin", "thick"]


def test_one_seed_says_little(make):
    make_benchmark, draw_test = make
    fake = make_benchmark({"good": {"accuracy": 0.95}, "bad": {"accuracy": 0.5}}, seeds=(0,))
    for name in ("good", "bad"):
        fake.run(name, 0, draw_test(200))
    results = find_results(load_benchmark(fake.finish()))
    told = " ".join(answers.answer(results.main[0], {}))
    assert "Significantly worse than the reference: bad" in told
    assert "With one seed this holds for these trainings only." in told
    assert "±" not in told


def test_a_fusion_costs_what_its_branches_do(make):
    make_benchmark, draw_test = make
    plans = {
        "single": {"experiment": "quick"},
        "fused": {"experiment": "quick", "starts_from": {"classifier": "single#classifier"}},
    }
    fakes = {"single": {"epoch_seconds": 4.0}, "fused": {"epoch_seconds": 0.1}}
    fake = make_benchmark(fakes, systems=plans, seeds=(0,))
    for name in fakes:
        fake.run(name, 0, draw_test(40))
    fake.rows[0] = fake.rows[0].model_copy(update={"training_seconds": 100.0})
    (table,) = find_results(load_benchmark(fake.finish())).tables
    single, fused = table.lines
    assert (single.training_seconds, single.epoch_seconds) == (100, 4)
    assert fused.training_seconds == 160
    assert fused.epoch_seconds == pytest.approx(4.1)


def test_systems_that_share_a_regressor_share_its_figures(make):
    make_benchmark, draw_test = make
    fake = make_benchmark({"one": {}, "same": {}, "other": {}}, seeds=(0, 1))
    for seed in (0, 1):
        for name in ("one", "same", "other"):
            fake.run(name, seed, draw_test(40))
        place = f"beta-800-seed{seed}"
        shutil.copytree(
            fake.folder / "runs/one" / place, fake.folder / "runs/same" / place, dirs_exist_ok=True
        )
    results = find_results(load_benchmark(fake.finish()))
    with drawing():
        _, severity = target_figures(results.tables[0], results.benchmark.tasks)
    captions = [each.caption for each in severity.each]
    shared, alone = "one; same, 2 seeds together", "other, 2 seeds together"
    assert captions == [shared, shared, alone, alone]


def test_a_benchmark_without_any_result_says_so(make, catalogue):
    make_benchmark, draw_test = make
    fake = make_benchmark({"single": {"failures": {0: ("out-of-memory", "killed")}}}, seeds=(0,))
    fake.run("single", 0, draw_test(40))
    folder = fake.finish()
    write_report(folder, catalogue)
    page = (folder / "report.html").read_text()
    assert "No cell has a result." in page
    assert "out-of-memory" in page
    assert "killed" in page
    assert "out-of-memory" in (folder / "results.md").read_text()


def test_titles_break_nothing_and_the_same_files_give_the_same_page(make, catalogue):
    make_benchmark, draw_test = make
    plans = {"single": {"title": "a|b <script>x</script>", "experiment": "quick"}}
    fake = make_benchmark({"single": {}}, systems=plans, seeds=(0,))
    fake.run("single", 0, draw_test(40))
    folder = fake.finish()
    found = []
    for _ in range(2):
        write_report(folder, catalogue)
        found.append([(folder / name).read_bytes() for name in ("report.html", "results.md")])
    assert found[0] == found[1]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert "<script" not in (folder / "report.html").read_text()
    assert "a\\|b" in (folder / "results.md").read_text()
