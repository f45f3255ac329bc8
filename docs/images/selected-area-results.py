"""Draws selected-area-curves.svg and prints the guide's tables, from the results that are kept."""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from crystalvision.benchmarks import BenchmarkFolder
from crystalvision.benchmarks.report import TestCell, TestTable, find_results, load_benchmark
from crystalvision.figures import look
from crystalvision.plugins import Catalogue

RESULTS = Path(__file__).parents[2] / "benchmarks/results/suites/sadp-quick"
NETWORKS = {"network": "radius and angle", "pictures": "pictures"}
TRAINED_ON = ("ideal", "with-twin", "all-but-dislocations", "all-but-twin", "all")
LEFT_OUT = ("al", "al-fe", "thermal-300", "vacancies-high", "dislocations", "twins")
NAMES = {
    "Axial strain": "axial strain [%]",
    "Shear": "shear [mrad]",
    "Temperature": "temperature [K]",
    "Vacancies in ordered arrays": "vacancies, arrays [%]",
    "Vacancies at random sites": "vacancies, random [%]",
    "Substitution in ordered arrays": "Si in Al, arrays [%]",
    "Substitution at random sites": "Si in Al, random [%]",
}


def read() -> TestTable:
    """Every test in a row, of the networks, trained on ideal crystals or on all defects."""
    table = find_results(load_benchmark(RESULTS, Catalogue.load())).tests
    if table is None:
        raise SystemExit(f"{RESULTS} holds no table of tests")
    shown = tuple(
        replace(column, title=NETWORKS[column.system])
        for column in table.columns
        if column.system in NETWORKS
    )
    return replace(table, columns=shown)


def left_out() -> str:
    """Accuracy in per cent of one network, trained on some kinds of defects, on tests of kinds."""
    rows = pd.read_csv(RESULTS / "results.csv").query("system == 'network'")
    shares = 100 * rows.pivot_table("appearance.accuracy", "trained_on", "tested_on")
    lines = [["trained on", *LEFT_OUT], ["---"] * (len(LEFT_OUT) + 1)]
    lines += [[name, *(f"{shares[test][name]:.1f}" for test in LEFT_OUT)] for name in TRAINED_ON]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown(table: TestTable) -> str:
    """Accuracy of each column on every test, and the share that is flagged, in per cent."""
    heads = ["test", "printed", *(column.name for column in table.columns)]
    rows = [heads, ["---"] * len(heads)]
    for row in table.rows:
        numbers = [_cell(column.cells[row.name]) for column in table.columns]
        rows.append([row.title, row.printed or "–", *numbers])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(cell: TestCell) -> str:
    value, low, high = (100 * each for each in (cell.score.value, cell.score.low, cell.score.high))
    return f"{value:.1f} ({low:.0f}–{high:.0f}), {100 * (cell.rejected or 0):.0f}"


def draw(table: TestTable, output: Path) -> None:
    """Above, accuracy with its 95 % interval; below, the share of patterns that is flagged."""
    figure = Figure(figsize=(15, 6), layout="constrained", facecolor="white")
    curves = BenchmarkFolder(RESULTS).read_suite().curves
    above, below = figure.subplots(2, len(curves), sharey="row", height_ratios=(2.2, 1))
    for top, bottom, curve in zip(above, below, curves, strict=True):
        for number, column in enumerate(table.columns):
            points = sorted((at, column.cells[name]) for at, name in curve.points)
            colour, marker, dashes = look(number)
            style = {"color": colour, "marker": marker, "linestyle": dashes, "markersize": 4}
            places = [at for at, _ in points]
            scores = [cell.score for _, cell in points]
            ends = [
                [each.value - each.low for each in scores],
                [each.high - each.value for each in scores],
            ]
            aside = 0.012 * (number - len(table.columns) / 2) * places[-1]
            moved = [at + aside for at in places]
            top.errorbar(
                moved,
                [each.value for each in scores],
                yerr=ends,
                elinewidth=0.8,
                label=column.name,
                **style,
            )
            bottom.plot(moved, [100 * (cell.rejected or 0) for _, cell in points], **style)
        top.set_ylim(0, 1.03)
        bottom.set_ylim(-3, 103)
        bottom.set_xlabel(NAMES[curve.title])
        top.tick_params(labelbottom=False)
    above[0].set_ylabel("accuracy")
    below[0].set_ylabel("flagged [%]")
    figure.legend(*above[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(output, metadata={"Date": None})


if __name__ == "__main__":
    with rc_context({"svg.hashsalt": "selected-area"}):
        draw(read(), Path(__file__).with_name("selected-area-curves.svg"))
    sys.stdout.write(markdown(read()) + "\n\n" + left_out() + "\n")
