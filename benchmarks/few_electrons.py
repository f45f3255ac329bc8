"""How few electrons do the systems need? One rendering, thinned to each dose.

    crystalvision simulate si3n4-four-classes --samples 2200 --seed 1 \
        --set instrument.dose_electrons=1e6 -o train.zarr
    crystalvision dataset split train.zarr --validation 0.0909091 --test 0
    crystalvision simulate si3n4-four-classes --samples 600 --seed 2 \
        --set instrument.dose_electrons=1e6 -o test.zarr
    python benchmarks/few_electrons.py train.zarr test.zarr --work runs/few-electrons

Each seed draws counts of its own of the training and of the test patterns, and is that of the
experiment. What is there already is not made again, so systems may be added one by one
(`--systems`, `--doses`, `--seeds`); with `--exposures 3` they learn from three exposures of every
pattern, and are called so. Written are, for each dose and system, the accuracy with
Wilson's interval over all seeds together, and the exact paired test (McNemar) against `--against`,
on the same patterns of all seeds, also corrected for all systems of a dose (Holm).
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

import crystalvision as cv
from crystalvision.benchmarks.report import holm
from crystalvision.datasets import Dataset, DatasetWriter, SplitSettings, thin
from crystalvision.evaluation import wilson_interval
from crystalvision.prediction import Predictor
from crystalvision.runs import load_record

RENDERED = 1e6
CHUNK = 50
RESULTS = Path(__file__).parent / "results" / "few_electrons.json"
SYSTEMS = ["lattice", "lattice-net", "ring-moments", "logistic"]


def main() -> None:
    """Train and judge what is asked for, and write all that there is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("train", type=Path, help="rendered at 10⁶ electrons, split")
    parser.add_argument("test", type=Path, help="of another seed")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--systems", nargs="*", default=SYSTEMS)
    parser.add_argument("--doses", nargs="*", type=float, default=[1e3, 3e3, 1e4])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--exposures", type=int, default=1, help="of each training pattern")
    parser.add_argument("--against", default="lattice")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    for dose in options.doses:
        for seed in options.seeds:
            for system in options.systems:
                judge(options, system, dose, seed)
    written = summary(options.work, options.against)
    options.output.write_text(json.dumps(written, indent=2) + "\n")
    for row in written["results"]:
        print(row)


def exposed(source: Path, work: Path, dose: float, seed: int) -> Path:
    """The dataset at a dose, drawn by a seed."""
    path = work / f"{source.stem}-{dose:.0f}-{seed}.zarr"
    if not path.exists():
        thin(source, path, dose / RENDERED, seed=seed)
    return path


def exposed_often(source: Path, work: Path, dose: float, seed: int, times: int) -> Path:
    """Several exposures of each pattern, as many of them for validation as in `source`."""
    path = work / f"{source.stem}-{dose:.0f}-{seed}-x{times}.zarr"
    if not path.exists():
        before = Dataset.open(source)
        recipe = {"of": str(source), "split": "all", "kept": dose / RENDERED, "seed": seed}
        data = cv.simulate(recipe, path, samples=times * len(before), card=False)
        share = len(before.split("validation")) / len(before)
        with DatasetWriter.hold(path, data.header) as writer:
            writer.split(SplitSettings(validation_share=share, test_share=0))
    return path


def judge(options: argparse.Namespace, system: str, dose: float, seed: int) -> None:
    """Train a system and keep what it says of each test pattern, unless that is done."""
    times = options.exposures
    name = system if times == 1 else f"{system} x{times}"
    kept = options.work / f"{name}-{dose:.0f}-{seed}.csv"
    if kept.exists():
        return
    options.work.mkdir(parents=True, exist_ok=True)
    if times == 1:
        train = exposed(options.train, options.work, dose, seed)
    else:
        train = exposed_often(options.train, options.work, dose, seed, times)
    data = Dataset.open(exposed(options.test, options.work, dose, seed))
    folder = options.work / f"{name}-{dose:.0f}-{seed}"
    if not folder.exists():
        cv.train(system, train, folder, seed=seed)
    seconds = load_record(folder).training_seconds
    predictor = Predictor.load(folder)
    said = np.concatenate(
        [predictor.predict(data.images(part))["label"].value for part in chunks(len(data))]
    )
    rows = zip(data.column("label").tolist(), said.tolist(), strict=True)
    with kept.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "said", "seconds"])
        writer.writerows((*row, seconds) for row in rows)


def chunks(count: int) -> list[np.ndarray]:
    """Indices of some patterns at a time."""
    return [np.arange(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]


def right_of(work: Path) -> dict[tuple[str, float], dict[int, tuple[np.ndarray, float]]]:
    """Which patterns each system named rightly, by system and dose, then seed; and its seconds."""
    found: dict[tuple[str, float], dict[int, tuple[np.ndarray, float]]] = {}
    for file in sorted(work.glob("*.csv")):
        system, dose, seed = file.stem.rsplit("-", 2)
        table = np.genfromtxt(file, delimiter=",", skip_header=1)
        right = table[:, 0] == table[:, 1]
        found.setdefault((system, float(dose)), {})[int(seed)] = right, float(table[0, 2])
    return found


def summary(work: Path, against: str) -> dict[str, Any]:
    """All numbers."""
    found = right_of(work)
    rows = []
    for (system, dose), seeds in sorted(found.items(), key=lambda each: (each[0][1], each[0][0])):
        right = np.concatenate([each for each, _ in seeds.values()])
        low, high = wilson_interval(int(right.sum()), len(right))
        row: dict[str, Any] = {
            "dose_electrons": dose,
            "system": system,
            "seeds": sorted(seeds),
            "accuracy": round(float(right.mean()), 4),
            "interval_95": [round(low, 4), round(high, 4)],
            "accuracy_of_seeds": [round(float(seeds[each][0].mean()), 4) for each in sorted(seeds)],
            "training_seconds": [seeds[each][1] for each in sorted(seeds)],
        }
        other = found.get((against, dose), {})
        shared = sorted(seeds.keys() & other.keys())
        if system != against and shared:
            mine = np.concatenate([seeds[each][0] for each in shared])
            theirs = np.concatenate([other[each][0] for each in shared])
            more, fewer = int((mine & ~theirs).sum()), int((~mine & theirs).sum())
            chance = binomtest(more, more + fewer).pvalue if more + fewer else 1.0
            row[f"only_it_is_right, only_{against}_is"] = [more, fewer]
            row["p"] = float(f"{chance:.2g}")
        rows.append(row)
    for dose in {row["dose_electrons"] for row in rows}:
        tested = [row for row in rows if row["dose_electrons"] == dose and "p" in row]
        for row, p in zip(tested, holm([row["p"] for row in tested]), strict=True):
            row["p_holm"] = float(f"{p:.2g}")
    return {
        "about": "si3n4-four-classes, rendered once at 10⁶ electrons a pattern and thinned: 2,000 "
        "training and 200 validation patterns of seed 1, 600 test patterns of seed 2.",
        "training_seconds": "wall time with reading and preparing, however busy the machine was",
        "paired_test": f"exact, against {against}, on the same patterns and seeds; p_holm: for all "
        "systems of the dose",
        "results": rows,
    }


if __name__ == "__main__":
    main()
