"""Measures the backbones: training speed and memory, beside torchvision's DenseNet-121, in one run.

    python benchmarks/models.py                # all that are registered, about ten minutes
    python benchmarks/models.py --models dnsnet-tiny,resnet18 --rounds 1
    python benchmarks/models.py --only dnsnet
    python benchmarks/models.py --device cuda  # also columns for bf16 and others, and the epoch

Each network runs in a process of its own. Each section is written as soon as it is done. What the
numbers mean is in `benchmarks/README.md`.
"""

import argparse
import os
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

_HERE = Path(__file__).parent
SECTIONS = ("speed", "dnsnet", "epoch")
UNIT = "densenet121"


def main(arguments: list[str] | None = None) -> int:
    """Run the sections that were asked for; 1 if one of them failed."""
    options = _parse(arguments)
    for name in ("OMP", "MKL", "OPENBLAS"):  # before anything that counts cores is imported
        os.environ[f"{name}_NUM_THREADS"] = str(options.threads)
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler talks on stderr
    from _models.results import Results
    from _models.settings import Run
    from crystalvision.errors import CrystalVisionError

    run = Run(
        device=options.device,
        threads=options.threads,
        rounds=options.rounds,
        size=options.size,
        batch=options.batch,
        step_seconds=options.step_seconds,
        models=options.models,
        unit=options.unit,
    )
    results, failed = Results(options.output, run), []
    for name in options.only or [name for name in SECTIONS if name != "epoch" or _gpu(options)]:
        run.say(f"{name}:")
        begin = time.perf_counter()
        try:
            measured = import_module(f"_models.{name}").measure(run)
        except CrystalVisionError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_status
        except Exception:  # the other sections are worth having
            traceback.print_exc()
            failed.append(name)
            continue
        results.add(name, measured, time.perf_counter() - begin)
    if failed:
        run.say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("--only", type=_sections, help=f"sections: {','.join(SECTIONS)}")
    parser.add_argument(
        "--models", type=_names, default=(), help="backbones; by default all that are registered"
    )
    parser.add_argument("--unit", default=UNIT, help="the backbone that all are compared with")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=cores)
    parser.add_argument("--rounds", type=int, default=5, help="pairs with the unit")
    parser.add_argument("--size", type=int, default=256, help="side of the images [pixels]")
    parser.add_argument("--batch", type=int, help="images; by default 4, on a GPU 32")
    parser.add_argument(
        "--step-seconds",
        type=float,
        default=6.0,
        help="a network whose step takes longer gets a smaller batch [s]",
    )
    parser.add_argument("--output", type=Path, default=_HERE / "results" / "models")
    options = parser.parse_args(arguments)
    for name in ("threads", "rounds", "size"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} is {getattr(options, name)}; expected at least 1")
    if options.batch is None:
        options.batch = 32 if _gpu(options) else 4
    return options


def _gpu(options: argparse.Namespace) -> bool:
    return bool(options.device == "cuda")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _sections(text: str) -> tuple[str, ...]:
    for name in _names(text):
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(
                f"'{name}' is no section; expected some of {', '.join(SECTIONS)}"
            )
    return _names(text)


if __name__ == "__main__":
    sys.exit(main())
