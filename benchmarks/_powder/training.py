"""Trains one system on calculated patterns, and asks it about the measured ones."""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import crystalvision as cv
from _powder.library import Library
from _powder.systems import RANGE, SYSTEMS
from crystalvision.prediction import UNSEEN, Predictor


def trained(
    name: str, library: Library, options: argparse.Namespace
) -> tuple[np.ndarray, dict[str, Any]]:
    """Probabilities of all candidates for each measured pattern, (m, k), and what it took."""
    plan = SYSTEMS[name]
    data = dataset(plan.recipe, library, options.work, options.patterns)
    changes: dict[str, Any] = dict(plan.set)
    epochs = options.epochs or plan.epochs
    if plan.epochs is not None:
        changes["schedule.classifier.epochs"] = epochs
    if plan.experiment == "powder-paper":
        changes["augment"] = [{"name": "measured-baseline", "files": list(library.noise)}]
    path = options.work / "runs" / f"{name}-{options.seed}"
    started = time.perf_counter()
    cpu = time.process_time()
    run = cv.train(
        plan.experiment,
        data,
        path,
        set=changes,
        seed=options.seed,
        online=plan.online,
        workers=options.workers if plan.online else None,
        overwrite=path.exists(),
    )
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    children = os.times()
    about = {
        "title": plan.title,
        "training_patterns": len(data.split("train")),
        "epochs": epochs,
        "new_each_epoch": plan.online,
        "training_seconds": round(wall, 1),
        "training_cpu_seconds": round(cpu + children.children_user + children.children_system, 1),
        "validation": {
            phase.monitor: round(phase.best_value, 4) for phase in getattr(run.record, "phases", ())
        },
    }
    return asked(path, library), about


def asked(run: Path, library: Library, shifts_deg: Sequence[float] = (0.0,)) -> np.ndarray:
    """Probabilities of all candidates for each measured pattern, (m, k).

    With several shifts the mean over as many views of each pattern, each with another zero of 2θ.
    """
    predictor = Predictor.load(run)
    (axis,) = predictor.record.conditions.axes
    views = []
    for shift in shifts_deg:
        moved = [replace(one, two_theta_deg=one.two_theta_deg + shift) for one in library.measured]
        images = np.stack([one.on(axis) for one in moved])[:, None]
        found = predictor.predict(images, gap_values=UNSEEN)["label"].probabilities
        assert found is not None
        views.append(found)
    return np.asarray(np.mean(views, axis=0))


def dataset(
    recipe: str, library: Library, work: Path, patterns: int, **changes: Any
) -> "cv.Dataset":
    """Simulated patterns of all candidates; those that are there are taken."""
    path = work / f"{recipe}-{patterns}.zarr"
    if path.exists():
        return cv.Dataset.open(path)
    settings = {f"candidates.{key}": value for key, value in library.recipe.items()}
    return cv.simulate(
        recipe,
        path,
        samples=patterns * library.size,
        set={**settings, **RANGE, **changes},
        card=False,
    )
