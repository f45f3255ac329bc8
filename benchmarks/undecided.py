"""Of patterns that a run gets wrong, how many are undecided where 5 % of the right ones are?

    python benchmarks/undecided.py

From the committed predictions of the suites, which are calibrated: of each run on each test set,
some patterns drawn at random set the limit of doubt, and the others are flagged by it, twenty times
over. Written are, by the accuracy of the runs, the share of right patterns that are flagged, its
standard deviation over draws, and the share of wrong ones; and of the suite `generalise`, with the
limit that patterns like the training data set, the same by test set.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from crystalvision.calibration import doubt_limits, in_doubt

RESULTS = Path(__file__).parent / "results"
ACCURACIES = [0, 0.6, 0.8, 0.9, 0.94, 0.97, 1]
FEW = 36  # validation patterns of 240
DRAWS = 20


def main() -> None:
    """Flag all predictions, and write shares."""
    rows = [row for path in sorted((RESULTS / "suites").glob("*/*.parquet")) for row in tried(path)]
    table = pd.DataFrame(rows)
    table["accuracy"] = pd.cut(table["right"], ACCURACIES).astype(str)
    moved = pd.DataFrame(carried(RESULTS / "suites" / "generalise-quick" / "predictions.parquet"))
    written = {
        "by accuracy": shares(table, ["limit of", "accuracy"]),
        "by test of generalise": shares(moved, ["test"]),
    }
    text = json.dumps(written, indent=2) + "\n"
    (RESULTS / "undecided.json").write_text(text, encoding="utf-8")
    print(text)


def tried(path: Path) -> Iterator[dict[str, Any]]:
    """Flags of every run of a suite on every test set of which it got some wrong."""
    rng = np.random.default_rng(0)
    for said, truth in judged(path).values():
        right = accuracy(said, truth)
        if right == 1:
            continue
        for name, count in ((str(FEW), FEW), ("half", len(said) // 2)):
            orders = [rng.permutation(len(said)) for _ in range(DRAWS)]
            draws = [(said[order], truth[order]) for order in orders]
            found = [
                flags(limits, a[count:], b[count:])
                for a, b in draws
                if (limits := doubt_limits({"": a[:count]}, {"": b[:count]}, {"": 1.0}))
            ]
            yield {"limit of": name, "right": right} | summary(found)


def carried(path: Path) -> Iterator[dict[str, Any]]:
    """Flags on every test set, by the limit of patterns as those that a run was trained on."""
    everything = judged(path)
    for (run, test), (said, truth) in everything.items():
        home, label = everything[run, "as-trained"]
        if test != "as-trained":
            found = flags(doubt_limits({"": home}, {"": label}, {"": 1.0}), said, truth)
            yield {"test": test, "right": accuracy(said, truth)} | summary([found])


def judged(path: Path) -> dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor]]:
    """Probabilities and classes by run and test set, where a suite has them."""
    table = pd.read_parquet(path)
    classes = [name for name in map(str, table) if name.startswith("label_probability_")]
    parts = table.groupby(["run", "evaluation"], observed=True) if classes else ()
    found = {
        (str(run), str(test)): (
            torch.tensor(part[classes].to_numpy(np.float32)),
            torch.tensor(part["label"].to_numpy(np.int64)),
        )
        for (run, test), part in parts
    }
    return {names: each for names, each in found.items() if not each[0].isnan().any()}


def accuracy(said: torch.Tensor, truth: torch.Tensor) -> float:
    """Share of patterns that are told rightly."""
    return float((said.argmax(dim=1) == truth).double().mean())


def flags(
    limits: dict[str, float], said: torch.Tensor, truth: torch.Tensor
) -> tuple[float, int, int]:
    """Share of right patterns that are flagged, how many wrong ones are, and of how many."""
    flag, right = in_doubt(said.numpy(), limits[""]), (said.argmax(dim=1) == truth).numpy()
    return float(flag[right].mean()), int(flag[~right].sum()), int((~right).sum())


def summary(found: list[tuple[float, int, int]]) -> dict[str, float]:
    """Mean and deviation of the first, sums of the others."""
    false, caught, wrong = np.array(found).T
    return {
        "false": false.mean(),
        "deviation": false.std(),
        "caught": caught.sum(),
        "wrong": wrong.sum(),
    }


def shares(table: pd.DataFrame, by: list[str]) -> list[dict[str, Any]]:
    """Shares over all runs, by what they have in common."""
    found = []
    for names, part in table.groupby(by):
        caught, wrong = part["caught"].sum(), part["wrong"].sum()
        found.append(
            dict(zip(by, names, strict=True))
            | {
                "evaluations": len(part),
                "mean accuracy": round(part["right"].mean(), 4),
                "false": round(part["false"].mean(), 4),
                "wrong and undecided": round(caught / wrong, 4),
            }
            | ({"deviation of false": round(part["deviation"].mean(), 4)} if by != ["test"] else {})
        )
    return found


if __name__ == "__main__":
    main()
