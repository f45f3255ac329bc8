"""Whether everything runs on a GPU, and how fast: one script, at most eight minutes on one.

    python benchmarks/gpu_check.py                        # on a GPU; make gpu-check does the same
    python benchmarks/gpu_check.py --only parity,rates
    python benchmarks/gpu_check.py --tiny --device cpu    # all of it, small, on any machine

Each section is kept in `benchmarks/results/gpu.json`, and as a table in `gpu.md`, as soon as it is
done; on a CPU it is `cpu`. A section that fails leaves the others be, and one that would begin
after the time is up is left out. What the numbers mean is in `benchmarks/README.md`.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Result = dict[str, Any]

_HERE = Path(__file__).parent
_SECONDS = 480.0
_LAST_START = 0.8  # of the time: a section takes a minute or so


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        settings: Values set in the recipe of four classes, `KEY=VALUE`.
        rate_seconds: How long each recipe is simulated at most [s].
        rate_samples: And how many patterns at most.
        network: The backbone of the epoch and of prediction.
        side: Of their images [pixels].
        epoch_images: Images of the epoch.
        batch: Images in a batch.
        training_samples: Patterns that `quick` is trained on.
        training: Settings of its training.
        bound_samples: Draws of the bound.
    """

    settings: tuple[str, ...]
    rate_seconds: float
    rate_samples: int
    network: str
    side: int
    epoch_images: int
    batch: int
    training_samples: int
    training: tuple[str, ...]
    bound_samples: int


FULL = Sizes((), 12.0, 1024, "dnsnet", 1024, 1022, 12, 400, (), 16)
"""What is published: the paper's epoch is of 1022 images of 1024 × 1024 in batches of 12."""

TINY = Sizes(
    settings=(
        "specimen.width_angstrom=16",
        "specimen.thickness_angstrom={uniform: [6, 12]}",
        "renderer.band_limit_inv_angstrom=0.9",
        "instrument.pixels=32",
        "instrument.pixel_size_inv_angstrom=0.044",
    ),
    rate_seconds=1.0,
    rate_samples=4,
    network="dnsnet-tiny",
    side=32,
    epoch_images=8,
    batch=4,
    training_samples=40,
    training=(
        "system.branches.classifier.backbone=dnsnet-tiny",
        "system.branches.regressor.backbone=dnsnet-tiny",
        "input=[log1p, standardise]",
        "schedule.classifier.epochs=1",
        "schedule.regressor.epochs=1",
        "schedule.fusion.epochs=1",
    ),
    bound_samples=2,
)
"""Only to show that everything runs."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the check.

    Attributes:
        device: Where: `cuda` or `cpu`.
        tiny: Whether it is small.
    """

    device: str
    tiny: bool

    @property
    def sizes(self) -> Sizes:
        """How much is measured."""
        return TINY if self.tiny else FULL


def main(arguments: list[str] | None = None) -> int:
    """Run the sections that were asked for; 1 if one of them failed."""
    options = _parse(arguments)
    begin = time.perf_counter()
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        print("error: torch sees no GPU here; --tiny --device cpu runs anywhere", file=sys.stderr)
        return 2
    sys.path.insert(0, str(_HERE))
    from _gpu_check.table import render

    run = Run(options.device, options.tiny)
    document: Result = {
        "device": run.device,
        "tiny": run.tiny,
        "machine": _machine(run),
        "finished": "",
        "sections": {},
    }
    failed = []
    for name, measure in _sections(options.only).items():
        if time.perf_counter() - begin > _LAST_START * options.seconds:
            print(f"{name}: left out, the time is up", flush=True)
            document["sections"][name] = {"skipped": "the time was up"}
            continue
        print(f"{name}:", flush=True)
        start = time.perf_counter()
        try:
            measured = measure(run)
        except Exception as error:  # the other sections are worth having
            traceback.print_exc()
            failed.append(name)
            measured = {"failed": f"{type(error).__name__}: {error}"}
        measured["took_seconds"] = round(time.perf_counter() - start, 1)
        document["sections"][name] = measured
        document["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        _write(options.output, run, document, render(document))
    print(render(document))
    return 1 if failed else 0


def _sections(only: tuple[str, ...]) -> Mapping[str, Callable[[Run], Result]]:
    from _gpu_check import learning, rendering

    sections: dict[str, Callable[[Run], Result]] = {
        "parity": rendering.parity,
        "rates": rendering.rates,
        "epoch": learning.epoch,
        "prediction": learning.prediction,
        "training": learning.training,
        "bound": rendering.bound,
    }
    return {name: sections[name] for name in only or sections}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="only show that everything runs")
    parser.add_argument("--only", type=_names, default=(), help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="time for all of it [s]")
    parser.add_argument("--output", type=Path, default=_HERE / "results")
    return parser.parse_args(arguments)


SECTIONS = ("parity", "rates", "epoch", "prediction", "training", "bound")


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"'{unknown[0]}' is no section; expected some of {', '.join(SECTIONS)}"
        )
    return names


def _machine(run: Run) -> Result:
    """What the numbers are measured on."""
    import platform
    from importlib.metadata import version

    import torch

    described: Result = {
        "name": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("crystalvision", "torch", "lightning")},
    }
    if run.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        described |= {
            "name": properties.name,
            "gpu_memory_gib": round(properties.total_memory / 2**30, 1),
            "cuda": torch.version.cuda,
        }
    return described


def _write(folder: Path, run: Run, document: Result, table: str) -> None:
    """Keep what is there so far."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "gpu" if run.device == "cuda" else "cpu"
    for suffix, text in ((".json", json.dumps(document, indent=1) + "\n"), (".md", table)):
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).replace(folder / f"{stem}{suffix}")


if __name__ == "__main__":
    sys.exit(main())
