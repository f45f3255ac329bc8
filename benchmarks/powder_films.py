"""Space groups of measured films of halide perovskites, learnt from simulated films alone.

    python benchmarks/powder_films.py --data MEASURED --work WORK
    python benchmarks/powder_films.py --data MEASURED --work WORK --only knn

MEASURED is what `powder_measured.py` reads; its films are of seven space groups by the folders
that they lie in. Structures of five are made from prototypes (`_powder/halides.py`), none for P2₁/a
and Pc, whose two films are counted as wrong. Systems learn from the recipe `powder-films`, whose
texture, widths and humps are those of films, and see no measured one. By default there are as many
patterns of each group; `--as-known` takes each composition once, two thirds of which are cubic:
many films show no more than the one order of planes that a cubic and a tetragonal perovskite have
at one place, and then such a prior decides. Each part is written to `results/powder_films.json` as
it is done.
"""

import argparse
import csv
import json
import time
from collections import defaultdict
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

import crystalvision as cv
from _powder.halides import halides
from _powder.library import Library, Measured
from _powder.machine import machine
from _powder.systems import INPUT
from _powder.training import asked
from crystalvision.evaluation import wilson_interval

RESULTS = Path(__file__).parent / "results" / "powder_films.json"
PHASES = 12  # of each space group, by turns
_CURVE = [{"name": "values", "points": 4}]
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "knn": (
        "knn",
        {
            "system.features": _CURVE,
            "system.estimator": {"name": "knn", "neighbours": 15, "metric": "cosine"},
            "input": INPUT,
        },
    ),
    "random-forest": (
        "random-forest",
        {
            "system.features": _CURVE,
            "system.estimator": {"name": "random-forest", "trees": 100, "leaf_patterns": 2},
            "input": INPUT,
        },
    ),
    "xrdnet": (
        "powder",
        {
            "system.branches.classifier.backbone": "xrdnet",
            "system.branches.classifier.head": "dense",
            "schedule.classifier.epochs": 12,
        },
    ),
}


def main() -> None:
    """Train what was asked for, and keep each part as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the measured patterns")
    parser.add_argument("--work", type=Path, required=True, help="for datasets and runs")
    parser.add_argument("--only", default=",".join(SYSTEMS), help="systems, with commas")
    parser.add_argument("--as-known", action="store_true", help="each composition once")
    parser.add_argument("--samples", type=int, default=3000, help="simulated films")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    data = simulated(options)
    films = measured_films(options.data)
    known: dict[str, Any] = {}
    for name in options.only.split(","):
        part = judged(name, data, films, options)
        if options.output.is_file():
            known = json.loads(options.output.read_text(encoding="utf-8"))
        known[f"{name}{', as known' if options.as_known else ''}"] = part
        text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
        options.output.write_text(text, encoding="utf-8")
        print(json.dumps({name: part}, indent=1, ensure_ascii=False))


def simulated(options: argparse.Namespace) -> "cv.Dataset":
    """Simulated films, as many of each space group; those that are there are taken."""
    kind = "known" if options.as_known else "equal"
    path = options.work / f"powder-films-{kind}-{options.samples}.zarr"
    if path.exists():
        return cv.Dataset.open(path)
    of_group = defaultdict(list)
    for line in halides():
        of_group[line["space_group"]].append(line)
    # Of many evenly chosen ones; few are taken several times.
    lines = [
        line
        for each in of_group.values()
        for line in (
            each
            if options.as_known
            else islice(cycle(each[:: max(1, len(each) // PHASES)]), PHASES)
        )
    ]
    listed = options.work / f"halides-{kind}.jsonl"
    listed.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    changes = {"candidates.structures": [], "candidates.json_lines": str(listed)}
    return cv.simulate("powder-films", path, samples=options.samples, set=changes, card=False)


def measured_films(data: Path) -> Library:
    """The measured films; the candidate of each is the number of its space group."""
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "film"]
    films = []
    for row in rows:
        angle, counts = np.loadtxt(data / row["file"], delimiter=",", skiprows=1, unpack=True)
        number = int(row["space_group"])
        films.append(Measured(row["id"], row["formula"], number, angle, counts))
    return Library({}, 0, tuple(films), ())


def judged(
    name: str, data: "cv.Dataset", films: Library, options: argparse.Namespace
) -> dict[str, Any]:
    """One system, trained on simulated films, and what it says of the measured ones."""
    experiment, changes = SYSTEMS[name]
    path = options.work / "runs" / f"films-{name}{'-known' if options.as_known else ''}"
    started = time.process_time()
    run = cv.train(experiment, data, path, set=changes, overwrite=path.exists())
    seconds = time.process_time() - started
    accuracy = run.evaluate(data).metrics.targets["label"].metrics["accuracy"]
    numbers = np.array(sorted({line["space_group"] for line in halides()}))  # as classes are
    said = numbers[asked(path, films).argmax(axis=1)]
    truth = np.array([one.candidate for one in films.measured])
    hits = said == truth
    of_group = {
        int(group): [int(hits[truth == group].sum()), int((truth == group).sum())]
        for group in np.unique(truth)
    }
    return {
        "simulated": len(data.split("train")),
        "simulated_accuracy_of_phases_left_out": round(float(accuracy), 4),
        "training_cpu_seconds": round(seconds, 1),
        "films": len(hits),
        "right": int(hits.sum()),
        "wilson_95": [round(end, 4) for end in wilson_interval(int(hits.sum()), len(hits))],
        "balanced_accuracy": float(np.mean([right / count for right, count in of_group.values()])),
        "right_of_each_group": of_group,
        "said": {one.name: int(number) for one, number in zip(films.measured, said, strict=True)},
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
