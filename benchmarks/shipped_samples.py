"""Checksums of the first samples of every shipped recipe, to show that a change left them alone.

`python benchmarks/shipped_samples.py --write` records them in `results/shipped_samples.json`;
without it they are made again and compared, bit for bit. That can hold on one kind of CPU with one
version of torch alone, which the record names.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from crystalvision.plugins import Catalogue
from crystalvision.sources import SourceSpec, read_recipe, source_of

SAMPLES = 24
RECORD = Path(__file__).parent / "results" / "shipped_samples.json"


def machine() -> dict[str, str]:
    """What the last bits of a sample depend on beside the recipe."""
    return {
        "torch": version("torch").partition("+")[0],
        "numpy": version("numpy"),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }


def checksums(name: str, catalogue: Catalogue, samples: int = SAMPLES) -> list[str]:
    """SHA-256 of the image and of the columns of each of the first samples of a recipe."""
    recipe = read_recipe(catalogue.path("recipe", name), catalogue)
    made_by = source_of(recipe, name, catalogue)
    source = SourceSpec(made_by, recipe, threads=1).open(catalogue)
    return [_checksum(sample.image, sample.columns) for sample in source.samples(range(samples))]


def _checksum(image: np.ndarray, columns: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(f"{image.dtype} {image.shape}".encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    digest.update(json.dumps({key: _number(columns[key]) for key in sorted(columns)}).encode())
    return digest.hexdigest()


def _number(value: Any) -> float | list[float]:
    """A column's value of one sample, a number or several."""
    return np.asarray(value, dtype=np.float64).tolist()


def main() -> int:
    """Write the record, or compare with it; the number of recipes that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="record instead of comparing")
    parser.add_argument(
        "--recipes", nargs="*", help="by default every shipped one; others keep their record"
    )
    arguments = parser.parse_args()
    catalogue = Catalogue.load()
    found = {}
    for name in arguments.recipes or catalogue.names("recipe"):
        found[name] = checksums(name, catalogue)
        print(name, found[name][0][:12], flush=True)
    if arguments.write:
        before = json.loads(RECORD.read_text(encoding="utf-8")) if arguments.recipes else {}
        if before and before["machine"] != machine():
            sys.exit(f"recorded on {before['machine']}, this is {machine()}: record all recipes")
        samples = before.get("samples", {}) | found
        record = {"machine": machine(), "samples": dict(sorted(samples.items()))}
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return 0
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    if record["machine"] != machine():
        print(f"recorded on {record['machine']}, this is {machine()}: the last bits may differ")
    changed = [name for name, sums in found.items() if sums != record["samples"][name]]
    print(
        f"{len(found) - len(changed)} recipes as recorded; changed: {', '.join(changed) or 'none'}"
    )
    return len(changed)


if __name__ == "__main__":
    sys.exit(main())
