"""Crystal systems of measured powder patterns whose phases are not among those that were learnt.

    python benchmarks/powder_systems.py --data MEASURED --work WORK
    python benchmarks/powder_systems.py --data MEASURED --work WORK --only random-forest
    python benchmarks/powder_systems.py --data MEASURED --work WORK --only isotypic

MEASURED is what `powder_measured.py` reads. Every measured phase is left out of the training, and
with it whatever an instrument could not tell from it and other entries of its composition and space
group; systems learn the seven crystal systems of the rest from calculated patterns, and are asked
about the measured ones. `isotypic` learns nothing: it asks the candidates whose patterns are most
alike, whatever the size of their cells; how many, and how far cells may differ, is what is best on
simulated patterns. Each part is written to `results/powder_systems.json` as it is done.
"""

import argparse
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import crystalvision as cv
from _powder.isotypic import REACHES, VOTERS, Likeness, votes
from _powder.library import Library, read_library
from _powder.machine import machine
from _powder.matching import calculated, plain_source, prepared
from _powder.ranks import TIE_WIDTH_DEG, ties
from _powder.systems import INPUT
from _powder.training import asked, dataset
from crystalvision.evaluation import wilson_interval

RESULTS = Path(__file__).parent / "results" / "powder_systems.json"
RECIPE = "powder-crystal-systems"
SIMULATED = 150  # patterns that the way of voting is chosen on
_ENTRY = re.compile(r" \(\d+\)$")  # of candidates of one name
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "random-forest": (
        "random-forest",
        {
            "system.features": [{"name": "values", "points": 4}],
            "system.estimator": {"name": "random-forest", "trees": 200, "leaf_patterns": 3},
            "input": INPUT,
        },
    ),
    "xrdnet": (
        "powder",
        {
            "system.branches.classifier.backbone": "xrdnet",
            "system.branches.classifier.head": "dense",
        },
    ),
    "residual": ("powder", {}),
}
"""What a system is called → the shipped experiment that it is, and what is changed of it."""
PARTS = (*SYSTEMS, "isotypic")


def main() -> None:
    """Train what was asked for, and keep each part as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the measured patterns")
    parser.add_argument("--work", type=Path, required=True, help="for datasets and runs")
    parser.add_argument(
        "--only", default=",".join([*SYSTEMS, "isotypic"]), help="systems, with commas"
    )
    parser.add_argument("--patterns", type=int, default=12, help="of each phase, to train on")
    parser.add_argument("--epochs", type=int, default=20, help="of networks")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    library = read_library(options.data, options.work)
    gone = left_out(library, options.work)
    for name in options.only.split(","):
        part = (
            isotypic(library, gone, options)
            if name == "isotypic"
            else judged(name, library, gone, options)
        )
        known = {}
        if options.output.is_file():
            known = json.loads(options.output.read_text(encoding="utf-8"))
        known[name] = part
        text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
        options.output.write_text(text, encoding="utf-8")
        print(json.dumps({name: part}, indent=1, ensure_ascii=False))


def left_out(library: Library, work: Path) -> np.ndarray:
    """Numbers of candidates that nothing may learn from."""
    path = work / "ties.npy"
    if not path.is_file():
        np.save(path, ties(calculated(library, TIE_WIDTH_DEG)))
    same = np.load(path)
    names = [_ENTRY.sub("", name) for name in library.names()]
    own = {names[one.candidate] for one in library.measured}
    alike = same[[one.candidate for one in library.measured]].any(axis=0)
    return np.flatnonzero(alike | np.isin(names, sorted(own)))


def judged(
    name: str, library: Library, gone: np.ndarray, options: argparse.Namespace
) -> dict[str, Any]:
    """One system, trained without the measured phases, and what it says of them."""
    experiment, changes = SYSTEMS[name]
    data = dataset(RECIPE, library, options.work, options.patterns)
    classes = data.header.class_names
    # A sample's specimen is the number of its phase; of a phase all labels are one.
    phases, labels = data.column("specimen"), data.column("label")
    system_of = dict(zip(phases.tolist(), labels.tolist(), strict=True))
    kept = data.subset(np.flatnonzero(~np.isin(phases, gone)))
    is_network = "system.estimator" not in changes
    if is_network:
        changes = {**changes, "schedule.classifier.epochs": options.epochs}
    path = options.work / "runs" / f"systems-{name}"
    started = time.process_time()
    cv.train(experiment, kept, path, set=changes, overwrite=path.exists())
    seconds = time.process_time() - started
    said = asked(path, library).argmax(axis=1)
    truth = np.array([system_of[one.candidate] for one in library.measured])
    return {
        "phases_left_out": len(gone),
        "phases_trained_on": library.size - len(gone),
        "patterns": options.patterns,
        "epochs": options.epochs if is_network else None,
        "training_cpu_seconds": round(seconds, 1),
        **_told(said, truth, library, classes),
    }


def isotypic(library: Library, gone: np.ndarray, options: argparse.Namespace) -> dict[str, Any]:
    """The systems of the candidates that are most alike."""
    data = dataset(RECIPE, library, options.work, options.patterns)
    axes, phases, labels = data.header.axes, data.column("specimen"), data.column("label")
    systems = np.zeros(library.size, dtype=np.int64)
    systems[phases] = labels
    source = plain_source(library, TIE_WIDTH_DEG)
    plain = np.stack([one.image for one in source.samples(range(library.size))])
    like = Likeness(prepared(plain, axes), axes[0])
    same, names = (
        np.load(options.work / "ties.npy"),
        np.array([_ENTRY.sub("", name) for name in library.names()]),
    )
    chosen = np.sort(np.random.default_rng(0).choice(len(phases), SIMULATED, replace=False))
    chosen = chosen[~np.isin(phases[chosen], gone)]
    images = np.asarray(data.images(chosen)).reshape(len(chosen), 1, -1)
    whole = np.ones(axes[0].size, dtype=bool)
    simulated = np.stack([like.of(one, whole) for one in prepared(images, axes)], axis=1)
    for place, phase in enumerate(phases[chosen]):  # nothing of its own has a vote
        simulated[:, place, same[phase] | (names == names[phase])] = -1
    simulated[:, :, gone] = -1
    shares = {
        (reach, voters): float((votes(one, systems, voters) == labels[chosen]).mean())
        for reach, one in zip(REACHES, simulated, strict=True)
        for voters in VOTERS
    }
    reach, voters = max(shares, key=lambda which: shares[which])
    counts = np.stack([one.on(axes[0]) for one in library.measured])
    seen = ~np.isnan(counts)
    measured = np.stack(
        [like.of(*each)[REACHES.index(reach)]
         for each in zip(prepared(counts[:, None], axes), seen, strict=True)]
    )  # fmt: skip
    measured[:, gone] = -1
    truth = systems[[one.candidate for one in library.measured]]
    return {
        "phases_left_out": len(gone),
        "candidates": library.size - len(gone),
        "cells_differ_by": reach,
        "voters": voters,
        "simulated": len(chosen),
        "right_of_simulated": {f"{r:g}, {k}": round(v, 4) for (r, k), v in shares.items()},
        **_told(votes(measured, systems, voters), truth, library, data.header.class_names),
    }


def _told(
    said: np.ndarray, truth: np.ndarray, library: Library, classes: Sequence[str]
) -> dict[str, Any]:
    """What was right of the measured patterns."""
    hits = said == truth
    of_class = {
        classes[k]: [int(hits[truth == k].sum()), int((truth == k).sum())]
        for k in np.unique(truth).tolist()
    }
    return {
        "measured": len(hits),
        "right": int(hits.sum()),
        "wilson_95": [round(end, 4) for end in wilson_interval(int(hits.sum()), len(hits))],
        "balanced_accuracy": float(np.mean([right / count for right, count in of_class.values()])),
        "right_of_each": of_class,
        "wrong": {
            one.name: f"{classes[k]}, not {classes[t]}"
            for one, k, t in zip(library.measured, said, truth, strict=True)
            if k != t
        },
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
