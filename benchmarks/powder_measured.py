"""Names the phases of measured powder patterns among all candidates, by each kind of system.

    python benchmarks/powder_measured.py --data MEASURED --work WORK               # all systems
    python benchmarks/powder_measured.py --data MEASURED --work WORK --only better,knn
    python benchmarks/powder_measured.py --data MEASURED --work WORK --only ties,ablation

MEASURED is a folder with `manifest.csv`, `patterns`, `cif` and `library.jsonl.gz`; its files are
others' and are only read. Every system is trained on calculated patterns, none sees a measured one
before it is judged: the network of Wang et al. takes noise from measured patterns of other kinds
(mixtures, films, reactions) of the same collection. Each part is written to
`results/powder_measured` as soon as it is done.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from _powder.ablation import ablation
from _powder.library import Library, read_library
from _powder.machine import machine
from _powder.matching import calculated, matching
from _powder.ranks import TIE_COSINE, TIE_WIDTH_DEG, ranks, summary, ties
from _powder.systems import SYSTEMS
from _powder.table import table
from _powder.training import asked, trained

RESULTS = Path(__file__).parent / "results" / "powder_measured"
VIEWS_DEG = (-0.1, -0.05, 0.05, 0.1)


def main() -> None:
    """Do what was asked for, and keep each part as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the measured patterns")
    parser.add_argument("--work", type=Path, required=True, help="for datasets and runs")
    parser.add_argument("--only", default="", help="parts, with commas; by default all")
    parser.add_argument("--patterns", type=int, default=12, help="of each candidate, to train on")
    parser.add_argument("--epochs", type=int, help="of networks, instead of what their plans say")
    parser.add_argument(
        "--ablate", nargs="*", default=["knn", "xrdnet"], help="systems of the ablation"
    )
    parser.add_argument("--workers", type=int, help="processes that make patterns")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    library = read_library(options.data, options.work)
    parts: dict[str, Callable[[], Mapping[str, Any]]] = {
        "ties": partial(_ties, library, options),
        "cosine": partial(_judged, "cosine", library, options),
        **{name: partial(_judged, name, library, options) for name in SYSTEMS},
        "better-views": partial(_judged, "better-views", library, options),
        "ablation": partial(
            ablation, library, _same(library, options), options.work, options.ablate
        ),
    }
    chosen = [name for name in options.only.split(",") if name] or list(parts)
    if unknown := [name for name in chosen if name not in parts]:
        raise SystemExit(f"no part is called '{unknown[0]}'; there are: {', '.join(parts)}")
    for name in chosen:
        _keep(name, parts[name](), options.output)
        print((options.output / "results.md").read_text(encoding="utf-8"), flush=True)


def _same(library: Library, options: argparse.Namespace) -> np.ndarray:
    """Which candidates have the same pattern, (k, k); computed once."""
    path = options.work / "ties.npy"
    if not path.is_file():
        np.save(path, ties(calculated(library, TIE_WIDTH_DEG)))
    same: np.ndarray = np.load(path)
    return same


def _ties(library: Library, options: argparse.Namespace) -> dict[str, Any]:
    same = _same(library, options)
    names = library.names()
    return {
        "rule": f"cosine of calculated patterns at least {TIE_COSINE}, peaks {TIE_WIDTH_DEG}° wide",
        "candidates": len(same),
        "candidates_with_ties": int((same.sum(axis=1) > 1).sum()),
        "of_measured": {
            names[one.candidate]: [
                names[other]
                for other in np.flatnonzero(same[one.candidate])
                if other != one.candidate
            ]
            for one in library.measured
            if same[one.candidate].sum() > 1
        },
    }


def _judged(name: str, library: Library, options: argparse.Namespace) -> dict[str, Any]:
    """One system: trained, and asked about the measured patterns."""
    started = time.perf_counter()
    if name == "cosine":
        scores, about = matching(library), {"title": "cosine with one calculated pattern each"}
    elif name == "better-views":  # of the run that `better` has trained
        scores = asked(options.work / "runs" / f"better-{options.seed}", library, VIEWS_DEG)
        shifts = ", ".join(f"{shift:g}" for shift in VIEWS_DEG)
        about = {"title": f"the same, mean over views with zeros of {shifts}°"}
    else:
        scores, about = trained(name, library, options)
    truth = [one.candidate for one in library.measured]
    found = ranks(scores, truth, _same(library, options))
    strict = ranks(scores, truth, np.eye(len(scores[0]), dtype=bool))
    names = library.names()
    return {
        **about,
        "candidates": library.size,
        "patterns": len(found),
        **summary(found),
        "without_ties": summary(strict),
        "wrong": {
            one.name: {"rank": int(rank), "first": names[int(row.argmax())]}
            for one, rank, row in zip(library.measured, found, scores, strict=True)
            if rank > 1
        },
        "wall_seconds": round(time.perf_counter() - started, 1),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "machine": machine(),
    }


def _keep(name: str, part: Mapping[str, Any], output: Path) -> None:
    """Write a part beside the others, and the table of all."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / "results.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known[name] = dict(part)
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (output / "results.md").write_text(table(known), encoding="utf-8")


if __name__ == "__main__":
    main()
