"""The numbers that the page on powder patterns tells are those that were measured."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "powder.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks" / "results"
MEASURED = json.loads((RESULTS / "powder_measured" / "results.json").read_text(encoding="utf-8"))
ANSWERS = json.loads((RESULTS / "powder_answers.json").read_text(encoding="utf-8"))
TITLES = {
    "cosine": "cosine with one calculated pattern each",
    "naive-bayes": "naive Bayes",
    "knn": "nearest neighbours by cosine",
    "logistic": "logistic regression",
    "random-forest": "random forest",
    "svm": "support vector machine",
    "paper": "`powder-paper` (Wang et al.), 40 epochs",
    "better": "`powder`, 20 epochs, `--online`, 10 minutes of one core",
    "better-views": "the same, mean over four zeros of 2θ",
}


def shares(found):
    cells = []
    for k in (1, 3, 5):
        low, high = found[f"top_{k}"]["wilson_95"]
        cells.append(f"{found[f'top_{k}']['share']:.0%} [{low * 100:.0f}, {high * 100:.0f}]")
    return " | ".join(cells).replace("%", " %")


@pytest.mark.parametrize("name", [name for name in TITLES if name in MEASURED])
def test_every_system_that_was_measured_is_in_the_table(name):
    assert f"| {TITLES[name]} | {shares(MEASURED[name])} |" in PAGE


def test_what_refits_make_of_it_is_in_the_table():
    singles = ANSWERS["singles"]
    assert singles["before"] == {k: MEASURED["better"][k] for k in ("top_1", "top_3", "top_5")}, (
        "refits began with another network than the table has"
    )
    assert f"| `powder`, then `--refine 10` | {shares(singles['after'])} |" in PAGE


def test_refusals_are_as_measured():
    found = ANSWERS["singles"]["refusal"]
    outside, inside = found["refused_without_their_phase"], found["refused_with_their_phase"]
    assert (
        f"{outside} of {found['patterns']} patterns ({outside / found['patterns']:.0%}) are "
        "refused".replace("%", " %")
        in " ".join(PAGE.split())
    )
    assert f"{inside} of {found['patterns']} where it is" in " ".join(PAGE.split())


def test_crystal_systems_are_as_measured():
    found = json.loads((RESULTS / "powder_systems.json").read_text(encoding="utf-8"))
    net, forest = found["xrdnet"], found["random-forest"]
    told = " ".join(PAGE.split())
    assert (
        f"right of {net['right']} of {net['measured']} measured patterns after {net['epochs']} "
        f"epochs (balanced accuracy {net['balanced_accuracy']:.2f})"
    ) in told
    assert f"a random forest of {forest['right']} ({forest['balanced_accuracy']:.2f}," in told
    assert f"{net['phases_trained_on']} others and {net['patterns']} patterns of each" in told
    alike = found["isotypic"]
    assert f"is right of {alike['right']}, too ({alike['balanced_accuracy']:.2f})" in told


def test_films_are_as_measured():
    found = json.loads((RESULTS / "powder_films.json").read_text(encoding="utf-8"))
    told = " ".join(PAGE.split())
    texts = {
        "knn": "{} are right ({}, balanced accuracy {})",
        "knn, as known": "{} ({}, {})",
        "xrdnet": "has {} right after 12 epochs ({}, balanced accuracy {})",
    }
    for name, begins in texts.items():
        part = found[name]
        low, high = (100 * end for end in part["wilson_95"])
        share = f"{part['right'] / part['films']:.0%} [{low:.0f}, {high:.0f}]".replace("%", " %")
        assert begins.format(part["right"], share, f"{part['balanced_accuracy']:.2f}") in told


def test_rates_beside_the_peers_are_as_measured():
    found = json.loads((RESULTS / "powder_speed" / "cpu.json").read_text(encoding="utf-8"))
    shipped, prototypes, measured = rows = found["rates"]
    told = " ".join(PAGE.split())

    def ratio(row):
        values = (row["ratio"]["pymatgen"][key] for key in ("median", "least", "greatest"))
        return "{:.3g} × ({:.3g} to {:.3g})".format(*values)

    rates = [f"{row['patterns_per_second']['crystalvision']['median']:.0f}" for row in rows]
    assert f"two cores make {rates[2]} patterns a second of 2,000 points, {ratio(measured)}" in told
    assert f"in the median) {rates[0]} patterns a second are {ratio(shipped)}" in told
    assert f"(367) {rates[1]} are {ratio(prototypes)}" in told
    peers = [row["ratio"]["pysimxrd"]["median"] for row in (shipped, prototypes)]
    assert f"{peers[0]:.0f} × and {peers[1]:.0f} ×" in told
