"""A library that grows: phases that a network never saw, sought by their expected patterns.

    python benchmarks/powder_library.py --data MEASURED --work WORK              # everything
    python benchmarks/powder_library.py --data MEASURED --work WORK --only many
    python benchmarks/powder_library.py --work WORK --only search

MEASURED is what `powder_measured.py` reads. A third of the measured phases, and every candidate
whose calculated pattern is the same, is left out of the training of a network with the head
`embedding`; then all candidates are placed, and the measured patterns looked up among them:
`left_out`. Beside it stand nearest neighbours on the patterns themselves, and the closed network of
`powder_measured.py`, which was trained on all of them, as far as its results are there. `many` adds
substitutions in prototypes until there are 100,000 candidates; `search` times the search alone.
Each part is written to `results/powder_library` as soon as it is done.
"""

import argparse
import json
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import crystalvision as cv
from _powder.library import Library, read_library
from _powder.machine import machine
from _powder.matching import calculated, matching
from _powder.ranks import TIE_WIDTH_DEG, ranks, summary, ties
from _powder.systems import INPUT
from _powder.training import dataset
from crystalvision import library as libraries
from crystalvision.plugins import Catalogue
from crystalvision.prediction import Predictor

RESULTS = Path(__file__).parent / "results" / "powder_library"
CLOSED = Path(__file__).parent / "results" / "powder_measured" / "results.json"
EVERY, MANY = 3, 100_000


def main() -> None:
    """Do what was asked for, and keep each part as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="the measured patterns")
    parser.add_argument("--work", type=Path, required=True, help="for datasets and runs")
    parser.add_argument("--only", default="left_out,many,search", help="parts, with commas")
    parser.add_argument("--patterns", type=int, default=12, help="of each phase, to train on")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--bin", type=int, default=1, help="points that are added to one")
    parser.add_argument("--draws", type=int, default=libraries.DRAWS)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.only.split(","):
        if name == "search":
            part = search_alone()
        else:
            library = read_library(options.data, options.work)
            trial = Trial(library, options)
            part = {"left_out": trial.left_out, "many": trial.many}[name]()
        _keep(name, {**part, "machine": machine()}, options.output)


class Trial:
    """A network that was trained without some of the measured phases."""

    def __init__(self, library: Library, options: argparse.Namespace) -> None:
        self.library, self.options = library, options
        path = options.work / "ties.npy"
        if not path.is_file():
            np.save(path, ties(calculated(library, TIE_WIDTH_DEG)))
        self.same: np.ndarray = np.load(path)
        self.truth = [one.candidate for one in library.measured]
        phases = sorted(set(self.truth))
        self.phases = phases[::EVERY]
        self.is_left_out = np.isin(self.truth, self.phases)

    def left_out(self) -> dict[str, Any]:
        """Ranks of phases that were trained on, and of those that were not."""
        run, about = self.trained()
        predictor = Predictor.load(run)
        started = time.perf_counter()
        found = self.placed(predictor, self.places())
        seconds = time.perf_counter() - started
        libraries.save_library(found, run)
        told: dict[str, Any] = {
            **about,
            "candidates": len(found),
            "draws": self.options.draws,
            "placing_seconds": round(seconds, 1),
            "phases_left_out": len(self.phases),
            "systems": {
                "embedding": self.judged(self.scores(predictor, found)),
                "nearest neighbours, cosine of patterns": self.judged(matching(self.library)),
            },
        }
        told["systems"] |= {
            f"closed network ({name})": self.closed(name) for name in ("better", "paper-nuisance")
        }
        return told

    def many(self) -> dict[str, Any]:
        """The same among very many candidates, with the time and memory that it takes."""
        run, _ = self.trained()
        predictor = Predictor.load(run)
        settings = self.options.work / "many.yaml"
        count = self.options.many - self.library.size
        settings.write_text(f"prototypes: {{originals: false, substitutions: {count}, seed: 7}}\n")
        before = _peak_mib()
        started = time.perf_counter()
        found = self.placed(predictor, [*self.places(), settings], draws=0)
        seconds = time.perf_counter() - started
        images = self.images(predictor)
        times = []
        for image in images:
            began = time.perf_counter()
            libraries.look_up(predictor, found, image[None], top=5)
            times.append(time.perf_counter() - began)
        return {
            "candidates": len(found),
            "draws": 0,
            "placing_seconds": round(seconds, 1),
            "peak_memory_mib": {"before": before, "after": _peak_mib()},
            "places_mib": round(found.places.nbytes / 2**20, 1),
            "seconds_a_pattern": {"median": float(np.median(times)), "most": max(times)},
            "systems": {"embedding": self.judged(self.scores(predictor, found))},
        }

    def places(self) -> list[Path]:
        """Where the candidates are, in the order of their numbers."""
        recipe = self.library.recipe
        return [Path(str(recipe["folder"])), Path(str(recipe["json_lines"]))]

    def trained(self) -> tuple[Path, dict[str, Any]]:
        """The run, trained if it is not there, on patterns of all phases but those left out."""
        options = self.options
        path = options.work / "runs" / "embedding"
        # With them go their twins.
        gone = np.flatnonzero(self.same[self.phases].any(axis=0))
        if not (path / "run.yaml").is_file():
            data = dataset("powder-library", self.library, options.work, options.patterns)
            kept = np.flatnonzero(~np.isin(data.column("label"), gone))
            cv.train(
                "powder-embedding",
                data.subset(kept),
                path,
                set={"schedule.classifier.epochs": options.epochs, "input": _input(options.bin)},
                overwrite=path.exists(),
            )
        record = cv.Run.load(path).record
        assert record.dataset.subset is not None
        return path, {
            "phases_trained_on": self.library.size - len(gone),
            "patterns": record.dataset.subset.samples,
            "epochs": record.phases[0].epochs,
            "training_seconds": round(record.training_seconds, 1),
            "validation": round(record.phases[0].best_value, 4),
        }

    def placed(
        self, predictor: Predictor, places: Sequence[Path], draws: int | None = None
    ) -> libraries.Library:
        """All candidates, placed, those of the library in the order of their numbers."""
        there = libraries.candidates_for(predictor.record, Catalogue.load(), places)
        self.digests = [entry.digest for entry in there.entries[: self.library.size]]
        found = libraries.embed_candidates(
            predictor, there, draws=self.options.draws if draws is None else draws
        )
        for name, reason in found.left_out.items():
            print(f"{name} was left out: {reason}")
        return found.library

    def images(self, predictor: Predictor) -> np.ndarray:
        """The measured patterns as the run takes them."""
        (axis,) = predictor.record.conditions.axes
        return np.stack([one.on(axis) for one in self.library.measured])[:, None]

    def scores(self, predictor: Predictor, library: libraries.Library) -> np.ndarray:
        """Cosine of each measured pattern with each candidate, (m, n): the library's first."""
        at = {entry.digest: place for place, entry in enumerate(library.entries)}
        first = [at[digest] for digest in self.digests]  # a crystal that is there twice is one
        order = [*first, *sorted(set(at.values()) - set(first))]
        places = predictor.embed(self.images(predictor), gap_values=(float("nan"),))
        return np.asarray(places @ library.places[order].T)

    def judged(self, scores: np.ndarray) -> dict[str, Any]:
        """Shares of patterns of phases that were left out, and of the others."""
        same = np.zeros((self.library.size, scores.shape[1]), dtype=bool)
        same[:, : self.library.size] = self.same
        return self._by_kind(ranks(scores, self.truth, same))

    def closed(self, name: str) -> dict[str, Any] | None:
        """The same of a network that was trained on all, from its own results."""
        known = json.loads(CLOSED.read_text(encoding="utf-8")) if CLOSED.is_file() else {}
        if name not in known:
            return None
        wrong: Mapping[str, Any] = known[name]["wrong"]
        found = [wrong.get(one.name, {}).get("rank", 1) for one in self.library.measured]
        return self._by_kind(np.array(found))

    def _by_kind(self, found: np.ndarray) -> dict[str, Any]:
        names = np.array([one.name for one in self.library.measured])
        return {
            "left out": summary(found[self.is_left_out]),
            "trained on": summary(found[~self.is_left_out]),
            "all": summary(found),
            "wrong": {str(names[n]): int(found[n]) for n in np.flatnonzero(found > 1)},
        }


def _input(points: int) -> list[Any]:
    return INPUT if points == 1 else [{"name": "bin", "size": points}, *INPUT]


def search_alone() -> dict[str, Any]:
    """Time of a search by matrix product, for one pattern and for 100 at once."""
    from crystalvision.sources import CandidateInfo

    rng, rows = np.random.default_rng(0), []
    for count, size in (
        (1_000, 128),
        (10_000, 128),
        (100_000, 128),
        (100_000, 256),
        (1_000_000, 128),
    ):
        places = rng.standard_normal((count, size), dtype=np.float32)
        places /= np.linalg.norm(places, axis=1, keepdims=True)
        entries = tuple(CandidateInfo(str(n), str(n)) for n in range(count))
        library = libraries.Library("", 0, entries, places)
        row: dict[str, Any] = {"candidates": count, "size": size}
        for patterns in (1, 100):
            times = []
            for _ in range(7):
                queries = places[rng.integers(count, size=patterns)]
                began = time.perf_counter()
                found = libraries.search(library, queries, top=5)
                times.append((time.perf_counter() - began) / patterns)
                assert (found.similarity[:, 0] > 0.999).all()
            row[f"seconds_a_pattern_of_{patterns}"] = float(np.median(times))
        rows.append(row)
        print(row)
    return {"rows": rows}


def _peak_mib() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _keep(name: str, part: Mapping[str, Any], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    path = output / "results.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known[name] = dict(part)
    text = json.dumps(known, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(part, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
