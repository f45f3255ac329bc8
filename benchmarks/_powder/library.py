"""Measured patterns of single phases, and the library of candidates that they are sought in."""

import csv
import gzip
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crystalvision.contracts import Axis
from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec

_OF_CIF = re.compile(r"_(con|repo|core|aflow|ncrystal|aa)_(.*)\.cif$")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A measured pattern of one phase.

    Attributes:
        name: Its identity in the collection.
        formula: Of the phase.
        candidate: Number of the candidate that it is, in `Library.recipe`'s order.
        two_theta_deg: Angle of each point, ascending [degree], (m,).
        counts: Of each point, (m,).
    """

    name: str
    formula: str
    candidate: int
    two_theta_deg: np.ndarray
    counts: np.ndarray

    def on(self, axis: Axis) -> np.ndarray:
        """Counts on an axis, (n,) in float32, NaN where nothing was measured.

        Finer points are averaged over each step, coarser ones are joined by lines.
        """
        places = axis.values()
        step = float(np.median(np.diff(self.two_theta_deg)))
        if step < axis.scale:
            edges = np.append(places - axis.scale / 2, places[-1] + axis.scale / 2)
            sums = np.append(0, np.cumsum(self.counts * step))
            ends = np.append(self.two_theta_deg - step / 2, self.two_theta_deg[-1] + step / 2)
            values = np.diff(np.interp(edges, ends, sums)) / axis.scale
        else:
            values = np.interp(places, self.two_theta_deg, self.counts)
        first, last = self.two_theta_deg[[0, -1]]
        outside = (places < first - axis.scale / 2) | (places > last + axis.scale / 2)
        return np.where(outside, np.nan, values.clip(min=0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Library:
    """Candidates, the measured patterns among them, and other measured patterns.

    Attributes:
        recipe: Where the candidates are, as a recipe's `candidates`.
        size: How many.
        measured: The measured patterns of single phases.
        noise: Files of other measured patterns, whose noise may be used.
    """

    recipe: dict[str, object]
    size: int
    measured: tuple[Measured, ...]
    noise: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        """Name of each candidate."""
        recipe = {"name": "names", "samples": self.size, "candidates": self.recipe}
        return SourceSpec("powder", recipe).open(Catalogue.load()).header.class_names

    def numbers(self, data: Path) -> dict[str, int]:
        """Number of the candidate that each CIF file of the collection is, by its name."""
        known, _ = _numbers_of(data / "library.jsonl.gz")
        files = sorted(path.name for path in (data / "cif").glob("*.cif"))
        others = [name for name in files if _key(name) not in known]
        found = {name: len(others) + known[_key(name)] for name in files if name not in others}
        return found | {name: place for place, name in enumerate(others)}


def read_library(data: Path, work: Path) -> Library:
    """Read the collection.

    Args:
        data: Its folder, with `manifest.csv`, `patterns`, `cif` and `library.jsonl.gz`.
        work: A folder for the structures that `library.jsonl.gz` lacks.
    """
    known, lines = _numbers_of(data / "library.jsonl.gz")
    files = sorted(path for path in (data / "cif").glob("*.cif") if _key(path.name) not in known)
    more = work / "candidates"
    more.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copyfile(path, more / path.name)
    # Those of the folder come first; see crystalvision_simulate.powder.
    numbers = {_key(path.name): place for place, path in enumerate(files)}
    numbers |= {key: len(files) + place for key, place in known.items()}
    size = len(files) + lines
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    measured, noise = [], []
    for row in rows:
        path = data / row["file"]
        if row["kind"] == "single" and row["cif"]:
            angle, counts = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
            number = numbers[_key(row["cif"])]
            measured.append(Measured(row["id"], row["formula"], number, angle, counts))
        else:
            noise.append(str(path))
    recipe = {
        "structures": [],
        "folder": str(more),
        "json_lines": str(data / "library.jsonl.gz"),
    }
    return Library(recipe, size, tuple(measured), tuple(noise))


def _numbers_of(path: Path) -> tuple[dict[tuple[str, str], int], int]:
    """Number of each line, by all the names that it has; and how many lines there are."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    found = {_plain(*about["id"].split(":", 1)): place for place, about in enumerate(lines)}
    for place, about in enumerate(lines):
        for name in about["also"]:
            found.setdefault(_plain(*name.split(":", 1)), place)
    return found, len(lines)


def _key(cif: str) -> tuple[str, str]:
    match = _OF_CIF.search(cif)
    if match is None:
        raise SystemExit(f"{cif}: its name does not say where it is from")
    return _plain(*match.groups())


def _plain(kind: str, name: str) -> tuple[str, str]:
    return kind, re.sub(r"\W", "_", name.rsplit("/", maxsplit=1)[-1].removesuffix(".cif"))
