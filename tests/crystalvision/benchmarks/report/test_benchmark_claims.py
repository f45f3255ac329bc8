"""Claims of a limit, and of what a larger library costs, each tested."""

import numpy as np
import pytest

from crystalvision.benchmarks import Claim
from crystalvision.benchmarks.report._lines import below
from crystalvision.benchmarks.report._load import load_benchmark
from crystalvision.benchmarks.report._results import find_results
from crystalvision.errors import InputError

DATASET = {
    "recipe": "si3n4-four-classes",
    "train": {"samples": 800, "seed": 1},
    "test": {"samples": 400, "seed": 2},
}
CLAIMS = [
    {"text": "nets hold", "system": "net", "than": "trees", "between": ["small", "large"]},
    {"text": "trees hold", "system": "trees", "than": "net", "between": ["small", "large"]},
    {"text": "trees stay below 0.6", "system": "trees", "below": 0.6},
    {"text": "nets stay below 0.6", "system": "net", "below": 0.6},
]


@pytest.fixture
def folder(fake_benchmark, tmp_path):
    make, system, draw_test = fake_benchmark
    fakes = {
        "net": system({("small", "common"): 0.9, ("large", "common"): 0.88}),
        "trees": system({("small", "common"): 0.85, ("large", "common"): 0.4}),
    }
    datasets = {name: dict(DATASET) for name in ("small", "large")}
    datasets["common"] = {"recipe": "si3n4-four-classes", "test": {"samples": 400, "seed": 3}}
    fake = make(tmp_path, fakes, datasets=datasets, claims=CLAIMS)
    test = draw_test(400)
    for name in fakes:
        for seed in fake.suite.seeds:
            for trained_on in ("small", "large"):
                fake.run(name, seed, test, trained_on=trained_on, tested_on="common")
    return fake.finish()


def answers(folder):
    found = find_results(load_benchmark(folder))
    return {
        table.comparison.trained_on: {claim.text: claim for claim in claims}
        for table, claims in found.claims
    }


def test_who_keeps_more_as_the_library_grows(folder):
    found = answers(folder)
    assert set(found["small"]) == {"trees stay below 0.6", "nets stay below 0.6"}
    held = found["large"]["nets hold"]
    assert held.answer == "yes"
    assert held.difference.estimate.value == pytest.approx(0.43, abs=0.06)
    assert found["large"]["trees hold"].answer == "no, the reverse"


def test_a_limit_is_tested_from_both_sides(folder):
    found = answers(folder)
    assert found["large"]["trees stay below 0.6"].answer == "yes"
    assert found["small"]["trees stay below 0.6"].answer == "no, the reverse"
    assert found["large"]["nets stay below 0.6"].answer == "no, the reverse"
    at = found["large"]["trees stay below 0.6"].difference
    assert at.estimate.value == pytest.approx(-0.2, abs=0.06)
    assert at.p < 0.01


def test_a_score_that_lies_on_its_limit_is_no_finding(folder):
    (table,) = (
        each
        for each in find_results(load_benchmark(folder)).tables
        if each.comparison.trained_on == "large"
    )
    score = float(np.mean(table.comparison.scores("trees")))
    assert below(table.comparison, "trees", round(score, 2)).word == "no significant difference"


def test_a_claim_about_a_metric_that_no_pattern_has_is_refused(folder):
    suite = (folder / "suite.yaml").read_text()
    (folder / "suite.yaml").write_text(suite.replace("metric: ''", "metric: top_5"))
    with pytest.raises(InputError, match="no metric of each pattern there; there are: none"):
        answers(folder)


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"system": "a"}, "give either `than`, another system, or `below`"),
        ({"system": "a", "than": "b", "below": 0.5}, "give either `than`"),
        ({"system": "a", "below": 0.5, "between": ["x", "y"]}, "give `than`"),
    ],
)
def test_a_claim_says_one_thing(claim, message):
    with pytest.raises(ValueError, match=message):
        Claim(text="it is so", **claim)
