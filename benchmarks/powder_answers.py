"""How far answers about measured powder patterns can be trusted: refits, refusals, mixtures.

    python benchmarks/powder_answers.py --data MEASURED --work WORK            # everything
    python benchmarks/powder_answers.py --data MEASURED --work WORK --only singles
    python benchmarks/powder_answers.py --data MEASURED --work WORK --run RUN  # a network first

MEASURED is a folder as for `powder_measured.py`; its files are others' and are only read. The first
stage is a trained run, or else the cosine with one calculated pattern of each candidate. Its best
candidates are fitted. Of each pattern of a known phase its own candidates, with all that no
instrument could tell from them and other entries of the same composition and space group, are
then left out, and what remains is fitted again: that says how many patterns of phases that are not
in the library are refused.
"""

import argparse
import csv
import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from _powder.library import Library, Measured, read_library
from _powder.matching import calculated, prepared
from _powder.ranks import TIE_WIDTH_DEG, summary, ties
from crystalvision.plugins import Catalogue
from crystalvision.prediction import Predictor
from crystalvision.sources import Refinement, Source, SourceSpec, find_recipe, read_recipe

RESULTS = Path(__file__).parent / "results" / "powder_answers.json"
_POOL = 5000  # candidates of a mixture: all of them
_PARTS = 3
_REFUSALS = 0.05
_ENTRY = re.compile(r" \(\d+\)$")  # of candidates of one name


class Bench:
    """The library, what fits it, and what ranks it first."""

    def __init__(self, data: Path, work: Path, run: Path | None, first: int) -> None:
        """Read and calculate what is needed; kept in `work`."""
        self.data, self.first = data, first
        self.library: Library = read_library(data, work)
        catalogue = Catalogue.load()
        recipe = read_recipe(find_recipe("powder-library", catalogue), catalogue)
        recipe |= {"samples": self.library.size, "candidates": self.library.recipe}
        recipe.pop("source", None)
        self.spec = SourceSpec("powder", recipe)
        self.source: Source = self.spec.open(catalogue)
        self.names = self.source.header.class_names
        self.axes = self.source.header.axes
        self.run = None if run is None else Predictor.load(run, catalogue=catalogue)
        self.same = _kept(work / "ties.npy", lambda: ties(calculated(self.library, TIE_WIDTH_DEG)))
        self.clean = _kept(
            work / "clean.npy",
            lambda: prepared(calculated(self.library, 0.12)[:, None], self.axes),
        )

    def ranked(self, counts: np.ndarray) -> list[int]:
        """Candidates, the likeliest first."""
        if self.run is not None:
            (found,) = self.run.predict(counts[None, None], gap_values=(np.nan,)).values()
            assert found.probabilities is not None
            return np.argsort(-found.probabilities[0], kind="stable").tolist()
        (mine,) = prepared(counts[None, None], self.axes)
        there = ~np.isnan(counts)
        among = self.clean[:, there]
        scores = among @ mine[there] / np.linalg.norm(among, axis=1).clip(min=1e-30)
        return np.argsort(-scores, kind="stable").tolist()

    def entries_of(self, candidate: int) -> set[int]:
        """Candidates of the same composition and space group, by their names."""
        own = _ENTRY.sub("", self.names[candidate])
        return {place for place, name in enumerate(self.names) if _ENTRY.sub("", name) == own}

    def refined(
        self, counts: np.ndarray, numbers: Iterable[int], parts: int = 1
    ) -> list[Refinement]:
        """Candidates fitted to a pattern."""
        seen = ~np.isnan(counts)
        names = [self.names[number] for number in numbers]
        pattern = np.nan_to_num(counts).astype(np.float64)[None]
        return self.source.refine(pattern, seen[None], names, most_parts=parts) or []


def singles(bench: Bench) -> Iterator[dict[str, Any]]:
    """Ranks before and after refits, and misfits with and without the right candidates."""
    rows = []
    for one in bench.library.measured:
        counts = one.on(bench.axes[0])
        alike = set(np.flatnonzero(bench.same[one.candidate]).tolist())
        first = bench.ranked(counts)
        began = time.perf_counter()
        found = bench.refined(counts, first[: bench.first])
        seconds = time.perf_counter() - began
        own = bench.refined(counts, [one.candidate])
        # Another entry of the same composition and space group is no other phase.
        gone = alike | bench.entries_of(one.candidate)
        outside = bench.refined(counts, [n for n in first if n not in gone][: bench.first])
        order = [bench.names.index(each.names[0]) for each in found]
        order += [number for number in first if number not in order]
        rows.append(
            {
                "name": one.name,
                "formula": one.formula,
                "rank_before": _rank(first, alike),
                "rank": _rank(order, alike),
                "rank_strictly": _rank(order, {one.candidate}),
                "best": found[0].names[0],
                "best_misfit": round(found[0].misfit, 4),
                "own_residual": round(own[0].residual, 4),
                "own_misfit": round(own[0].misfit, 4),
                "outside": outside[0].names[0],
                "outside_misfit": round(outside[0].misfit, 4),
                "seconds": round(seconds, 2),
            }
        )
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
        yield of_singles(rows, bench.first, "cosine" if bench.run is None else "network")


def of_singles(rows: list[dict[str, Any]], fitted: int, stage: str) -> dict[str, Any]:
    """What the patterns so far show."""
    ranks = {
        key: np.array([row[key] for row in rows])
        for key in ("rank_before", "rank", "rank_strictly")
    }
    return {
        "fitted": fitted,
        "first_stage": stage,
        "before": summary(ranks["rank_before"]),
        "after": summary(ranks["rank"]),
        "after_without_ties": summary(ranks["rank_strictly"]),
        "refusal": refusal(rows),
        "rows": rows,
    }


def refusal(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Refused patterns at a share of false refusals, the limit from all others' misfits.

    The limit for each pattern comes from the other patterns, so that none judges itself.
    """
    known = np.array([row["best_misfit"] for row in rows])
    outside = np.array([row["outside_misfit"] for row in rows])
    refused, false = 0, 0
    for place in range(len(rows) if len(rows) > 1 else 0):  # a limit takes another pattern
        others = np.delete(known, place)
        rank = min(len(others), int(np.ceil((1 - _REFUSALS) * (len(others) + 1))))
        limit = np.sort(others)[rank - 1]
        refused += bool(outside[place] > limit)
        false += bool(known[place] > limit)
    return {
        "patterns": len(rows),
        "refused_without_their_phase": int(refused),
        "refused_with_their_phase": int(false),
        "limit_of_all": float(np.quantile(known, 1 - _REFUSALS)),
    }


def mixtures(bench: Bench) -> Iterator[dict[str, Any]]:
    """What of weighed mixtures is found, what is false, and how much of each there is."""
    rows = []
    with (bench.data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        weighed = [row for row in csv.DictReader(file) if row["weight_fractions"]]
    by_cif = bench.library.numbers(bench.data)
    for row in weighed:
        angle, measured = np.loadtxt(
            bench.data / row["file"], delimiter=",", skiprows=1, unpack=True
        )
        counts = Measured(row["id"], row["formula"], 0, angle, measured).on(bench.axes[0])
        wanted = {
            phase: (set(np.flatnonzero(bench.same[by_cif[cif]]).tolist()), float(share))
            for phase, cif, share in zip(
                row["phases"].split(";"),
                row["cif"].split(";"),
                row["weight_fractions"].split(";"),
                strict=True,
            )
        }
        first = bench.ranked(counts)
        began = time.perf_counter()
        found = bench.refined(counts, first[:_POOL], _PARTS)
        seconds = time.perf_counter() - began
        parts = {
            bench.names.index(part.candidate): part.weight_fraction
            for one in found
            for part in one.parts
        }
        known = set().union(*(numbers for numbers, _ in wanted.values()))
        rows.append(
            {
                "name": row["id"],
                "weighed": {phase: share for phase, (_, share) in wanted.items()},
                "said": {
                    phase: round(sum(parts.get(number, 0.0) for number in numbers), 4)
                    for phase, (numbers, _) in wanted.items()
                },
                "false": {
                    bench.names[number]: round(share, 4)
                    for number, share in parts.items()
                    if number not in known
                },
                "rank_before": {p: _rank(first, numbers) for p, (numbers, _) in wanted.items()},
                "residual": round(found[0].residual, 4) if found else None,
                "seconds": round(seconds, 2),
            }
        )
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
        yield of_mixtures(rows)


def of_mixtures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the patterns so far show."""
    pairs = [(row["weighed"][p], row["said"][p]) for row in rows for p in row["weighed"]]
    there = [pair for pair in pairs if pair[1] > 0]
    false = sum(len(row["false"]) for row in rows)
    return {
        "patterns": len(rows),
        "phases_weighed": len(pairs),
        "phases_found": len(there),
        "phases_false": false,
        "all_found": sum(all(row["said"].values()) for row in rows),
        "mae_of_shares_found": float(np.mean([abs(a - b) for a, b in there])) if there else None,
        "pool": _POOL,
        "rows": rows,
    }


def _rank(order: Sequence[int], wanted: set[int]) -> int:
    return 1 + next(place for place, number in enumerate(order) if number in wanted)


def _kept(path: Path, make: Any) -> np.ndarray:
    """An array that is calculated once."""
    if not path.is_file():
        np.save(path, make())
    found: np.ndarray = np.load(path)
    return found


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the measured patterns")
    parser.add_argument("--work", type=Path, required=True, help="for what is calculated once")
    parser.add_argument("--run", type=Path, help="a trained run that ranks candidates first")
    parser.add_argument("--first", type=int, default=10, help="candidates to fit")
    parser.add_argument("--only", choices=("singles", "mixtures"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.data, options.work, options.run, options.first)
    parts = {"singles": singles, "mixtures": mixtures}
    for name, part in parts.items():
        if options.only in {None, name}:
            known = {}
            if options.output.is_file():
                known = json.loads(options.output.read_text(encoding="utf-8"))
            for known[name] in part(bench):  # kept after each pattern: all take long
                text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
                options.output.write_text(text, encoding="utf-8")
            print(json.dumps({k: v for k, v in known[name].items() if k != "rows"}, indent=1))


if __name__ == "__main__":
    main()
