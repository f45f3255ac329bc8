"""Measures trust: calibration error before and after, and what the reject flag catches.

    crystalvision simulate si3n4-four-classes -o test.zarr --samples 600 --seed 7
    crystalvision simulate aluminium-four-classes -o al.zarr --seed 5
    python benchmarks/trust.py runs/quick --held-out test.zarr --unlike al.zarr

Runs must not have seen the held-out data, nor the seed that drew them. The unlike data are patterns
of another crystal, with images of the same shape. Plain noise is drawn here: Poisson counts, alike
in all pixels, with the mean counts of the held-out patterns. Aims: a calibration error of at most
0.03; where 5 % of the held-out patterns are rejected, at least 90 % of the others. That share is
given twice: as the run rejects, with the limit that its training chose, and with the limit at which
exactly 5 % of the held-out patterns would be rejected.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import Dataset
from crystalvision.prediction import Predictions, Predictor, join
from crystalvision_tasks.reliability import reliability

Row = dict[str, Any]
CHUNK = 64
FALSE_REJECTS = 0.05
RESULTS = Path(__file__).parent / "results" / "trust"


def main() -> None:
    """Measure every run, print a table, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--held-out", type=Path, required=True, help="like the training data")
    parser.add_argument("--unlike", type=Path, nargs="*", default=[], help="of other crystals")
    parser.add_argument("--noise", type=int, default=200, help="patterns of plain noise")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = [measure(run, options.held_out, options.unlike, options.noise) for run in options.runs]
    print(table(rows))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "trust.json").write_text(json.dumps(rows, indent=2) + "\n")
    (options.output / "trust.md").write_text(table(rows) + "\n")


def measure(run: Path, held_out: Path, unlike: list[Path], noise: int) -> Row:
    """Calibration and rejects of one run."""
    dataset = Dataset.open(held_out)
    calibrated, plain = Predictor.load(run), Predictor.load(run, calibrated=False)
    label = np.asarray(dataset.column("label"))
    predicted, before = predictions_of(calibrated, dataset), predictions_of(plain, dataset)
    others = {path.stem: predictions_of(calibrated, Dataset.open(path)) for path in unlike}
    mean = float(np.mean([chunk.mean() for chunk in chunks(dataset)]))
    rng = np.random.default_rng(0)
    counts = rng.poisson(mean, (noise, *dataset.header.image_shape)).astype(np.float32)
    others["noise"] = calibrated.predict(counts)
    limit = float(np.quantile(novelty(predicted), 1 - FALSE_REJECTS))
    return {
        "run": run.name,
        "patterns": len(dataset),
        "temperature": calibrated.temperatures["label"],
        "accuracy": float((predicted["label"].value == label).mean()),
        "calibration_error_before": error(before, label),
        "calibration_error_after": error(predicted, label),
        "false_rejects": float((novelty(predicted) > 1).mean()),
        "rejected": {kind: float((novelty(each) > 1).mean()) for kind, each in others.items()},
        "rejected_at_5_percent": {
            kind: float((novelty(each) > limit).mean()) for kind, each in others.items()
        },
    }


def predictions_of(predictor: Predictor, dataset: Dataset) -> Predictions:
    """What is said of every pattern of a dataset."""
    return join([predictor.predict(chunk) for chunk in chunks(dataset)])


def chunks(dataset: Dataset) -> Iterator[np.ndarray]:
    """The images of a dataset, some at a time."""
    for start in range(0, len(dataset), CHUNK):
        yield np.asarray(dataset.images(np.arange(start, min(start + CHUNK, len(dataset)))))


def error(predicted: Predictions, label: np.ndarray) -> float:
    """Expected calibration error, in 15 bins."""
    said = predicted["label"]
    if said.probabilities is None:
        raise SystemExit("a run tells no probabilities of its classes")
    return reliability(said.probabilities.max(axis=1), said.value == label).error


def novelty(predicted: Predictions) -> np.ndarray:
    """How unlike the training data each pattern is; the run rejects those above 1."""
    if predicted.novelty is None:
        raise SystemExit("a run holds no calibration: train it again")
    return predicted.novelty


def table(rows: list[Row]) -> str:
    """The results as a Markdown table."""
    kinds = list(rows[0]["rejected"])
    headings = ["run", "patterns", "accuracy", "T", "ECE before", "ECE after", "false rejects"]
    headings += [f"{kind} rejected" for kind in kinds]
    headings += [f"{kind} rejected where 5 % of held-out are" for kind in kinds]
    lines = [headings, ["---"] * len(headings)]
    for row in rows:
        numbers = [row["accuracy"], row["temperature"]]
        numbers += [row["calibration_error_before"], row["calibration_error_after"]]
        lines.append(
            [
                str(row["run"]),
                str(row["patterns"]),
                *(f"{number:.4f}" for number in numbers),
                f"{row['false_rejects']:.1%}",
                *(f"{row['rejected'][kind]:.1%}" for kind in kinds),
                *(f"{row['rejected_at_5_percent'][kind]:.1%}" for kind in kinds),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
