"""Which nuisance of the simulation closes the gap between simulated and measured patterns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import crystalvision as cv
from _powder.library import Library
from _powder.machine import machine
from _powder.ranks import ranks, summary
from _powder.systems import INPUT, WITHOUT, left_out
from _powder.training import asked, dataset

PATTERNS, EPOCHS = 8, 15


def ablation(
    library: Library, same: np.ndarray, work: Path, systems: Sequence[str]
) -> dict[str, Any]:
    """Systems that were trained without a nuisance, on measured patterns and on simulated ones.

    Nearest neighbours by cosine, and the small network of Wang et al. with our input: both trained
    on as many patterns, one nuisance after the other left out of them. `systems` names those of
    them that are tried.
    """
    truth = [one.candidate for one in library.measured]
    tested = dataset("powder-library", library, work / "ablation-test", 2, seed=1)
    found: dict[str, Any] = {
        "patterns_a_candidate": PATTERNS,
        "epochs": EPOCHS,
        "candidates": library.size,
        "machine": machine(),
        "without": {},
    }
    for name in WITHOUT:
        folder = work / f"ablation-{name.replace(' ', '-')}"
        folder.mkdir(exist_ok=True)
        data = dataset("powder-library", library, folder, PATTERNS, **left_out(name))
        for system, experiment, changes in SYSTEMS:
            if system not in systems:
                continue
            run = cv.train(experiment, data, folder / system, set=changes, overwrite=True)
            evaluation = run.evaluate(tested)
            accuracy = evaluation.metrics.targets["label"].metrics["accuracy"]
            found["without"].setdefault(name, {})[system] = {
                **summary(ranks(asked(folder / system, library), truth, same)),
                "simulated_accuracy": accuracy,
            }
    return found


SYSTEMS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "knn",
        "knn",
        {
            "system.features": [{"name": "values", "points": 4}],
            "system.estimator": {"name": "knn", "neighbours": 5, "metric": "cosine"},
            "input": INPUT,
        },
    ),
    (
        "xrdnet",
        "powder",
        {
            "system.branches.classifier.backbone": "xrdnet",
            "system.branches.classifier.head": "dense",
            "schedule.classifier.epochs": EPOCHS,
        },
    ),
)
