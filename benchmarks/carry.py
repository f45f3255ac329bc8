"""How far do systems carry that were trained on many specimens, voltages and instruments?

    python benchmarks/carry.py --work runs/carry --recipe si3n4-robust
    python benchmarks/carry.py --work runs/one --recipe si3n4-robust-one-instrument

Trained once on patterns of a recipe in which much varies, and tested on others of the same recipe,
and on patterns that lie in one corner each: thick, at 300 kV, tilted, of narrow and of wide boxes.
Written are accuracy with Wilson's interval, how many the reject flag takes for unlike the training
data and how many are undecided between classes, of all and of what was told wrongly, and who was
taken for whom. Those told rightly that are flagged all the same are what is left of each. What is
there already is not made again.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import crystalvision as cv
from crystalvision.datasets import Dataset, DatasetWriter, SplitSettings
from crystalvision.errors import InputError
from crystalvision.evaluation import wilson_interval
from crystalvision.prediction import Predictor, join
from crystalvision.runs import load_record

RESULTS = Path(__file__).parent / "results" / "carry"
CHUNK = 50
VALIDATION = 0.15
THIN = {"specimen.thickness_angstrom": {"uniform": [50, 100]}}
NEAR = {"beam.mistilt_mrad": {"uniform": [0, 8]}}
# What differs is that of the suite `generalise`; all else is of si3n4-converged.
CORNERS: dict[str, dict[str, Any]] = {
    "thin, near [001]": THIN | NEAR,
    "thick": {"specimen.thickness_angstrom": {"uniform": [100, 150]}} | NEAR,
    "300 kV": THIN | NEAR | {"beam.energy_kev": 300},
    "tilted": THIN | {"beam.mistilt_mrad": {"uniform": [8, 17]}},
    "box of 40 Å": THIN | NEAR | {"specimen.width_angstrom": 40},
    "box of 80 Å": THIN | NEAR | {"specimen.width_angstrom": 80},
}
# Doses of thirty to one: what matters is how the counts are shared out, not how many there are.
RELATIVE = {"input": ["lattice", "sqrt", "standardise"]}
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "lattice": ("lattice", RELATIVE),
    "lattice-net": ("lattice-net", {}),
    "single": ("single", {}),
    "logistic": ("logistic", {}),
}


def main() -> None:
    """Make, train and judge what is not there, and write all that there is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--recipe", default="si3n4-robust", help="to train on; or its file")
    parser.add_argument("--samples", type=int, default=1600, help="to train on")
    parser.add_argument("--test-samples", type=int, default=100, help="of each test")
    parser.add_argument("--configurations", type=int, help="in place of the recipe's one to four")
    parser.add_argument("--dose", type=float, default=2e4, help="electrons of each test pattern")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=SYSTEMS)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    robust = {} if options.configurations is None else {"configurations": options.configurations}
    train = made(options.work / "train.zarr", options.recipe, robust, options.samples, seed=1)
    with DatasetWriter.hold(train.path, train.header) as writer:
        writer.split(SplitSettings(validation_share=VALIDATION, test_share=0))
    tests = {
        "as trained": made(
            options.work / "test.zarr", options.recipe, robust, options.test_samples, seed=2
        )
    }
    for number, (name, changes) in enumerate(CORNERS.items()):
        tests[name] = made(
            options.work / f"test-{number}.zarr",
            "si3n4-converged",
            changes | {"instrument.dose_electrons": options.dose},
            options.test_samples,
            seed=3 + number,
        )
    rows = []
    for system in options.systems:
        folder = options.work / system
        if not folder.exists():
            experiment, changes = SYSTEMS[system]
            cv.train(experiment, train, folder, set=changes)
        seconds = load_record(folder).training_seconds
        rows += [judged(folder, system, name, test, seconds) for name, test in tests.items()]
    about = (
        f"Trained on {options.samples} patterns of {train.header.name}, {VALIDATION:.0%} of them "
        f"for validation; tested on {options.test_samples} more, and on as many of each corner of "
        f"si3n4-converged at {options.dose:g} electrons."
    )
    fixed = options.configurations or "as in the recipe"
    written = {"about": about, "configurations": fixed, "results": rows}
    output = options.output or RESULTS / f"{train.header.name}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", "utf-8")


def made(path: Path, recipe: str, changes: dict[str, Any], samples: int, *, seed: int) -> Dataset:
    """A dataset, which is simulated unless it is there."""
    if path.exists():
        return Dataset.open(path)
    return cv.simulate(recipe, path, set=changes, samples=samples, seed=seed, card=False)


def judged(run: Path, system: str, test: str, data: Dataset, seconds: float) -> dict[str, Any]:
    """What a system says of a test set."""
    predictor = Predictor.load(run)
    told = join([predictor.predict(data.images(part)) for part in chunks(len(data))])
    said, flagged, undecided = told["label"].value, told.rejected, told.undecided
    if flagged is None or undecided is None:
        raise InputError(f"{run} was calibrated by an earlier version; remove it to train it again")
    truth = data.column("label")
    wrong = said != truth
    names = data.header.class_names
    confusion = {
        f"{names[one]} taken for {names[other]}": int(((truth == one) & (said == other)).sum())
        for one in range(len(names))
        for other in range(len(names))
        if one != other
    }
    low, high = wilson_interval(int((~wrong).sum()), len(wrong))
    row = {
        "system": system,
        "test": test,
        "accuracy": round(float((~wrong).mean()), 4),
        "interval_95": [round(low, 4), round(high, 4)],
        "patterns": len(wrong),
        "flagged": int(flagged.sum()),
        "wrong": int(wrong.sum()),
        "wrong_and_flagged": int((wrong & flagged).sum()),
        "undecided": int(undecided.sum()),
        "wrong_and_undecided": int((wrong & undecided).sum()),
        "wrong_and_either": int((wrong & (flagged | undecided)).sum()),
        "confusion": {name: count for name, count in confusion.items() if count},
        "training_seconds": seconds,
    }
    print(row, flush=True)
    return row


def chunks(count: int) -> list[np.ndarray]:
    """Indices of some patterns at a time."""
    return [np.arange(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]


if __name__ == "__main__":
    main()
