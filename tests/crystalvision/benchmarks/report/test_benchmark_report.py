"""What the page and the table of a benchmark say, and that it is true."""

import csv
import html
import json
import re
import shutil
from statistics import fmean, stdev

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from crystalvision.benchmarks import Suite
from crystalvision.benchmarks.report import _answers as answers
from crystalvision.benchmarks.report import write_report
from crystalvision.benchmarks.report._claims import ClaimResult
from crystalvision.benchmarks.report._cost_figures import pareto
from crystalvision.benchmarks.report._growth import by_curves, last_steps, size_groups
from crystalvision.benchmarks.report._lines import Difference
from crystalvision.benchmarks.report._load import load_benchmark
from crystalvision.benchmarks.report._published import measures_of
from crystalvision.benchmarks.report._results import find_results
from crystalvision.benchmarks.report._statistics import Estimate, holm
from crystalvision.benchmarks.report._ticks import power_text
from crystalvision.cli import main
from crystalvision.contracts import EvaluatedEstimates, Target
from crystalvision.errors import InputError
from crystalvision_tasks._class_comparison import macro_curve


@pytest.fixture(scope="module")
def text(fusion_folder):
    """The page in words."""
    page = (fusion_folder / "report.html").read_text()
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())


@pytest.fixture(scope="module")
def fusion(fusion_folder):
    return find_results(load_benchmark(fusion_folder))


@pytest.fixture(scope="module")
def dose(dose_folder):
    return find_results(load_benchmark(dose_folder))


def test_the_first_lines_answer_the_question(fusion, fusion_folder):
    page = (fusion_folder / "report.html").read_text()
    lead = page[page.index("<h1>") : page.index("<h2>")]
    assert "concat has the highest mean accuracy, 0.931 ± 0.010" in lead
    assert "Significantly better than the reference: concat (+8.1 points" in lead
    assert "Significantly worse than the reference: regressor" in lead
    assert "No significant difference is found for gated fusion" in lead
    assert (
        "The upper bound on beta is 0.975 (0.965 to 0.985); the best system is 4.4 points" in lead
    )
    assert "4 of 18 cells failed" in lead


def test_means_and_spreads_are_those_of_the_table(fusion, fusion_folder):
    text = (fusion_folder / "results.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    for line in fusion.main[0].judged:
        mine = [row for row in rows if row["system"] == line.system and row["status"] == "ok"]
        accuracies = [float(row["accuracy"]) for row in mine]
        assert line.score.value == pytest.approx(fmean(accuracies))
        assert line.spread == pytest.approx(stdev(accuracies))
        assert line.score.low < line.score.value < line.score.high


def test_differences_are_of_common_seeds(fusion):
    lines = {line.system: line for line in fusion.main[0].lines}
    assert lines["classifier"].is_reference
    assert lines["classifier"].difference is None
    bilinear = lines["bilinear"].difference
    assert bilinear.seeds == 2
    comparison = fusion.main[0].comparison
    gains = comparison.scores("bilinear").mean() - comparison.scores("classifier", [0, 2]).mean()
    assert bilinear.estimate.value == pytest.approx(gains)
    assert bilinear.corrected >= bilinear.p


def test_a_significant_p_alone_is_no_difference(dose):
    """The trainings differ on these patterns, but three seeds scatter more than that."""
    line = dose.main[0].judged[1]
    assert line.difference.corrected < 0.05
    assert line.difference.estimate.low < 0 < line.difference.estimate.high
    assert line.difference.word == "differs, but not beyond the spread of the seeds"


def test_failures_are_shown_with_their_reason(text):
    assert "bilinear diverged (seed 1): the loss is not finite" in text
    for seed in range(3):
        assert f"broken failed (seed {seed}): plugin 'mine' cannot be imported" in text
    assert "2 of 3" in text


def test_published_numbers_are_printed_and_recomputed(text):
    assert "The data differ" in text
    assert "by up to 4.1 points" in text
    assert "model [40] (2 classes) printed 0.881" in text
    assert "Neither its images nor its exact protocol are public." in text
    assert "dnsnet printed 0.917 0.869 0.901 – – –" in text
    assert "dnsnet recomputed 0.958 0.958 0.986 0.958 0.958 0.981" in text
    assert re.search(r"classifier ours 0\.850", text)


def test_claims_are_answered(fusion, text, fusion_folder):
    ((_, claims),) = fusion.claims
    told = {claim.text: claim for claim in claims}
    helped = told["fusion helps"]
    assert helped.answer == "yes"
    assert (round(helped.printed, 3), round(helped.recomputed, 4)) == (0.040, 0.0294)
    (line,) = (line for line in fusion.main[0].lines if line.system == "concat")
    assert helped.difference.estimate == line.difference.estimate
    reverse = told["a regressor alone is better"]
    assert (reverse.answer, reverse.printed) == ("no, the reverse", None)
    assert told["gating helps"].answer == "not found"
    lost = told["what is broken is better"]
    assert (lost.difference, lost.answer) == (None, "not tested: no seed in common")
    raw = [claim.difference.p for claim in claims if claim.difference]
    assert [claim.difference.corrected for claim in claims if claim.difference] == holm(raw)
    assert (
        f"fusion helps yes {fusion.benchmark.score.difference(helped.difference.estimate)}" in text
    )
    assert "| fusion helps | yes | " in (fusion_folder / "results.md").read_text()


@pytest.mark.parametrize(
    ("value", "low", "high", "seeds", "answer"),
    [
        (0.03, 0.01, 0.05, 3, "yes"),
        (0.03, 0.01, 0.05, 1, "yes, of these trainings"),
        (-0.03, -0.05, -0.01, 3, "no, the reverse"),
        (0.03, -0.01, 0.07, 3, "as trained here, but not beyond what other seeds may give"),
        (
            -0.03,
            -0.07,
            0.01,
            3,
            "the reverse, as trained here, but not beyond what other seeds may give",
        ),
    ],
)
def test_an_answer_says_which_way(value, low, high, seeds, answer):
    difference = Difference(Estimate(value, low, high), p=0.001, corrected=0.001, seeds=seeds)
    assert ClaimResult("it helps", difference, None, None).answer == answer


def test_a_claim_of_an_unknown_system_is_refused(fusion):
    data = fusion.benchmark.suite.model_dump()
    data["claims"] = [{"text": "x", "system": "concat", "than": "nobody"}]
    with pytest.raises(ValueError, match=r"claims\.0: no system 'nobody' in this suite"):
        Suite.model_validate(data)


def test_recomputed_measures_are_right(fusion_folder):
    published = json.loads((fusion_folder / "alarfaj2022.json").read_text())
    for system in published["systems"].values():
        if "confusion" not in system:
            continue
        measures = measures_of(np.array(system["confusion"]))
        for name, value in measures.items():
            assert value == pytest.approx(system["recomputed"][name], abs=1e-4), name
    confusion = np.array([[5, 2, 0], [1, 7, 1], [0, 3, 6]])
    actual, told = (
        np.repeat(where, confusion.ravel()) for where in np.indices((3, 3)).reshape(2, 9)
    )
    expected = cohen_kappa_score(actual, told, weights="quadratic")
    assert measures_of(confusion)["quadratic_kappa"] == pytest.approx(expected)


def test_every_figure_is_described(fusion_folder, dose_folder):
    told = []
    for folder in (fusion_folder, dose_folder):
        page = (folder / "report.html").read_text()
        images = re.findall(r'<img src="data:image/svg[^"]*" alt="([^"]+)" width="\d+"', page)
        assert len(images) == page.count("<img")
        told += images
    for what in (
        "Accuracy of each system with its 95 % interval",
        "concat: Confusion matrix of 1200 patterns",
        "ROC curves",
        "Precision–recall curves",
        "regressor: Bland–Altman",
        "Accuracy against epoch time",
        "Accuracy against parameters",
        "Accuracy against prediction time",
        "Accuracy on beta against the number of training patterns",
        "Accuracy on beta against dose [electrons a pattern]",
    ):
        assert any(what in each for each in told), what
    assert not any("classifier: Bland–Altman" in each for each in told[: len(told) // 2])


def test_the_page_asks_for_nothing_from_elsewhere(fusion_folder):
    page = (fusion_folder / "report.html").read_text()
    assert not re.search(r'<script|<link|href=|src="(?!data:)|url\(|@import', page)


def test_commands_run_it_again(text):
    assert "crystalvision benchmark fusion -o runs/fusion" in text
    assert "--samples 800 --seed 1 --set instrument.dose_electrons=10000.0" in text
    run = "runs/concat/beta-800-seed1"
    assert f"train concat.yaml -d datasets/beta-train.zarr -o {run} --set seed=1" in text
    assert f"evaluate {run} -d datasets/beta-test.zarr --split all --name beta" in text
    assert "processor two cores" in text


@pytest.mark.parametrize(
    ("share", "told"), [(0.02234, "+2.2"), (-0.0004, "−0.04"), (0.000001, "0.0"), (0.0, "0.0")]
)
def test_a_side_of_zero_is_shown(fusion, share, told):
    difference = fusion.benchmark.score.difference
    assert difference(Estimate(share, share, share)) == f"{told} ({told} to {told})"


def test_the_markdown_table_is_whole(fusion_folder):
    caption, table, *_ = (fusion_folder / "results.md").read_text().split("\n\n")
    lines = table.splitlines()
    for what in (
        "Suite `fusion`",
        "budget `quick`",
        "seeds 0, 1, 2",
        "400 patterns",
        "torch 2.11.0",
    ):
        assert what in caption
    assert "dose 10,000 electrons" in caption
    assert len({line.count("|") for line in lines}) == 1
    assert any("bilinear | 2 (seed 1: diverged) |" in line for line in lines)
    assert any(
        "broken | 0 (seed 0: failed; seed 1: failed; seed 2: failed)" in line for line in lines
    )


def test_the_markdown_tells_accuracies_by_dose(dose, dose_folder):
    text = (dose_folder / "results.md").read_text()
    caption, table = text[text.index("Accuracy against dose") :].split("\n\n")
    assert caption.startswith(
        "Accuracy against dose [electrons a pattern], trained on 800 patterns"
    )
    heads, _, concat, *_, bound = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
    )
    assert heads == ["system", "10³", "10⁴", "10⁵"]
    (curve,) = (each for each in by_curves(dose.main[0]) if each.system == "concat")
    assert [float(cell.split()[0]) for cell in concat[1:]] == [
        pytest.approx(point.value, abs=5e-4) for point in curve.points.values()
    ]
    assert bound == ["*upper bound*", "0.700", "0.900", "0.990"]


def test_specimens_are_drawn_where_patterns_share_them(dose):
    comparison = dose.main[0].comparison
    assert comparison.unit == "specimen"
    assert comparison.resampling.units == 60


def test_growth_is_told_for_each_system(dose):
    (group,) = size_groups(dose.tables)
    steps = last_steps(group)
    assert [(step.title, step.before, step.after) for step in steps] == [
        ("concat", 400, 800),
        ("classifier", 400, 800),
    ]
    before, after = (table.judged[0].score.value for table in group)
    assert steps[0].per_doubling.value == pytest.approx(after - before)
    told = answers.growth_sentence(steps, dose.benchmark.score, "beta")
    assert "it still rises (p < 0.001)" in told[0]
    assert "not beyond what other seeds may give" in told[1]


def test_a_dose_curve_is_of_the_patterns_of_each_dose(dose):
    curves = by_curves(dose.main[0])
    for curve in curves:
        assert list(curve.points) == [1e3, 1e4, 1e5]
        for dose_electrons, point in curve.points.items():
            rows = [
                row.accuracy
                for row in dose.benchmark.rows
                if (row.system, row.train_patterns, row.value)
                == (curve.system, 800, dose_electrons)
            ]
            assert point.value == pytest.approx(fmean(rows))
            assert point.low < point.value < point.high


def test_a_report_needs_no_images(dose_folder, catalogue, tmp_path):
    folder = shutil.copytree(dose_folder, tmp_path / "dose")
    shutil.rmtree(folder / "datasets/beta-test.zarr")
    write_report(folder, catalogue)
    assert (folder / "report.html").read_bytes() == (dose_folder / "report.html").read_bytes()
    (folder / "datasets/beta-test.csv").unlink()
    with pytest.raises(InputError, match=r"beta-test\.csv is missing; .* go on with --resume"):
        write_report(folder, catalogue)


def test_the_ends_of_a_curve_are_told(dose_folder):
    page = (dose_folder / "report.html").read_text()
    lead = page[: page.index("<h2>")]
    assert "Along dose [electrons a pattern], the highest accuracy is 0.508 at 10³" in lead
    assert "(upper bound 0.700) and 0.954 at 10⁵, by concat (upper bound 0.990)" in lead


def test_without_the_reference_nothing_is_compared(fusion_folder, tmp_path):
    folder = shutil.copytree(fusion_folder, tmp_path / "fusion")
    suite = (folder / "suite.yaml").read_text()
    told = suite.replace("compare_with: classifier", "compare_with: broken")
    (folder / "suite.yaml").write_text(told)
    results = find_results(load_benchmark(folder))
    assert results.differences == 0
    sentences = answers.answer(results.main[0], {})
    (told,) = sentences
    assert told.startswith("concat has the highest mean accuracy, 0.931 ± 0.010")
    assert told.endswith("The reference has no result here, so no difference is tested.")


def test_the_bound_of_a_column_is_the_mean_of_its_points(dose):
    limit = dose.limits["beta"]
    assert limit.upper.value == pytest.approx((0.7 + 0.9 + 0.99) / 3)
    values = [point.value for point in limit.curve("dose_electrons")]
    assert values == pytest.approx([1e3, 1e4, 1e5])
    assert limit.curve("thickness_angstrom") == []


def test_the_macro_curve_of_certain_answers():
    label = np.array([0, 1, 0, 1])
    sure = np.eye(2)[label]
    target = Target(name="label", task="classification", classes=("a", "b"))
    judged = EvaluatedEstimates(target, label, label, sure, np.arange(4))
    assert (macro_curve(sure, judged, roc=True) == 1).all()
    assert (macro_curve(sure, judged, roc=False) == 1).all()


def test_the_pareto_front():
    assert pareto([(1, 0.5), (2, 0.4), (2, 0.8), (3, 0.8), (0.5, 0.1)]) == [4, 0, 2]


@pytest.mark.parametrize(
    ("value", "told"), [(5, "5"), (1e3, "10³"), (3e5, "3·10⁵"), (2.5e-4, "2.5·10⁻⁴"), (0, "0")]
)
def test_powers_of_ten_are_readable(value, told):
    assert power_text(value) == told


def test_what_is_missing_is_named_and_the_old_page_stays(fusion_folder, tmp_path, catalogue):
    folder = shutil.copytree(fusion_folder, tmp_path / "fusion")
    before = (folder / "report.html").read_bytes()
    (folder / "runs/concat/beta-800-seed0/evaluations/beta/predictions.csv").unlink()
    with pytest.raises(InputError, match=r"the evaluation 'beta' of .*seed0 is missing"):
        write_report(folder, catalogue)
    (folder / "results.csv").unlink()
    with pytest.raises(InputError, match=r"results\.csv is missing"):
        write_report(folder, catalogue)
    assert (folder / "report.html").read_bytes() == before


def test_runs_judged_on_other_data_are_refused(fusion_folder, tmp_path):
    folder = shutil.copytree(fusion_folder, tmp_path / "fusion")
    path = folder / "runs/regressor/beta-800-seed1/evaluations/beta/metrics.json"
    path.write_text(path.read_text().replace("0" * 64, "1" * 64))
    with pytest.raises(InputError, match=r"regressor.*its test on beta was of other data than tha"):
        find_results(load_benchmark(folder))


def test_runs_judged_on_other_patterns_are_refused(fusion_folder, tmp_path):
    folder = shutil.copytree(fusion_folder, tmp_path / "fusion")
    path = folder / "runs/concat/beta-800-seed0/evaluations/beta/predictions.csv"
    path.write_text(path.read_text().replace("\n0,", "\n4000,", 1))
    with pytest.raises(InputError, match="judged other patterns"):
        find_results(load_benchmark(folder))


@pytest.mark.slow  # ten seconds; run by CI
def test_the_page_can_be_drawn_again_by_the_command(fusion_folder, tmp_path, capsys):
    page = tmp_path / "again.html"
    assert main(["report", str(fusion_folder), "-o", str(page)]) == 0
    assert page.read_bytes() == (fusion_folder / "report.html").read_bytes()
    assert "concat" in capsys.readouterr().out
    assert main(["report", str(fusion_folder), "-o", str(page), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["report"], len(told["rows"])) == (str(page), 18)
    assert main(["report", str(fusion_folder), str(fusion_folder), "-o", str(page)]) == 2
    assert "is a benchmark with a report of its own: give it alone" in " ".join(
        capsys.readouterr().err.split()
    )
