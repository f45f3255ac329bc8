"""Measures the simulation engine, beside its peers, in one run.

    python benchmarks/simulation.py            # everything, as published: about half an hour
    python benchmarks/simulation.py --quick    # minutes
    python benchmarks/simulation.py --only multislice,kinematic
    python benchmarks/simulation.py --device cuda

Each section is written as soon as it is done; `--resume` skips those that are. What the numbers
mean is in `benchmarks/README.md`.
"""

import argparse
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _simulation.settings import Result, Run

_HERE = Path(__file__).parent
SECTIONS = ("accuracy", "multislice", "kinematic", "recipes", "growth", "memory", "gpu")


def main(arguments: list[str] | None = None) -> int:
    """Run the sections that were asked for; 1 if one of them failed."""
    options = _parse(arguments)
    _limit_threads(options.threads)  # before anything that counts cores is imported
    import torch

    from _simulation.results import Results
    from _simulation.settings import Run

    run = Run(torch.device(options.device), options.threads, options.size, options.seed)
    results = Results(options.output, run)
    failed = []
    for name in _sections(options):
        if options.resume and results.has(name):
            run.say(f"{name}: done before")
            continue
        run.say(f"{name}:")
        begin = time.perf_counter()
        try:
            measured = _measure_apart(name, run)
        except Exception:  # the other sections are worth having
            traceback.print_exc()
            failed.append(name)
            continue
        results.add(name, measured, time.perf_counter() - begin)
    results.write()
    if failed:
        run.say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", default="full")
    size.add_argument("--tiny", dest="size", action="store_const", const="tiny")
    parser.add_argument("--only", type=_names, help=f"sections: {','.join(SECTIONS)}")
    parser.add_argument("--skip", type=_names, default=(), help="sections to leave out")
    parser.add_argument("--resume", action="store_true", help="keep the sections that are there")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=_cores(), help="for us and for the peers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=_HERE / "results" / "simulation")
    options = parser.parse_args(arguments)
    if not 1 <= options.threads <= _cores():
        parser.error(f"--threads is {options.threads}; expected 1 to {_cores()}")
    return options


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"'{unknown[0]}' is no section; expected some of {', '.join(SECTIONS)}"
        )
    return names


def _sections(options: argparse.Namespace) -> list[str]:
    chosen = options.only or [name for name in SECTIONS if name != "gpu" or options.device != "cpu"]
    return [name for name in chosen if name not in options.skip]


def _measure_apart(name: str, run: "Run") -> "Result":
    """Measure a section in a process of its own, which no other section has changed."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_measure, name, run).result()


def _measure(name: str, run: "Run") -> "Result":
    import torch

    torch.set_num_threads(run.threads)
    measured: Result = import_module(f"_simulation.{name}").measure(run)
    return measured


def _limit_threads(threads: int) -> None:
    """Give every library, and everything that counts cores, this many."""
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA", "NUMEXPR"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
