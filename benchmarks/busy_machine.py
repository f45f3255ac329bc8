"""A training beside a busy process, and on a free machine: how its threads wait, in seconds.

    python benchmarks/busy_machine.py -o busy_machine.json
    python benchmarks/busy_machine.py --pairs 1 --epochs 1 --samples 200
    python benchmarks/busy_machine.py --choices automatic default spins=1000 spins=100000,threads=1

Each figure is the wall time of a whole process, `crystalvision train single` on the demo's data. A
busy process spins in Python, free to run on any core: from two seconds before the training on, or
from some seconds after it began. In each pair all choices and all conditions take turns, so that a
drift of the machine meets them alike. Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crystalvision.cores import usable_cores, usage

CONDITIONS = ("free", "beside", "later")
CHOICES = ("automatic", "default")
_VARIABLES = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"),
    *("KMP_BLOCKTIME", "LOKY_MAX_CPU_COUNT"),
)
_RECIPE = (  # the Makefile's demo
    *("--set", "specimen.width_angstrom=40", "--set", "instrument.dose_electrons=1e5"),
    *(part for n in range(4) for part in ("--set", f"classes.{n}.share=1")),
)
_HEAD_START = 2.0  # s that the busy process has


def main() -> None:
    """Measure, and print a table."""
    options = _options()
    print(f"{usable_cores()} cores, of which others use {_load():.2f} now", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or _simulate(Path(folder) / "data.zarr", options.samples)
        seconds: dict[str, dict[str, list[float]]] = {
            choice: {condition: [] for condition in options.conditions}
            for choice in options.choices
        }
        for pair in range(options.pairs):
            for choice, conditions in seconds.items():
                for condition, found in conditions.items():
                    found.append(_train(choice, condition, data, Path(folder) / "run", options))
                    print(f"{pair + 1}: {choice:24} {condition:8} {found[-1]:7.1f} s", flush=True)
    _print(seconds)
    if options.output:
        measured = {"cores": usable_cores(), "epochs": options.epochs, "seconds": seconds}
        options.output.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=3, help="how often all is measured")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--samples", type=int, default=800, help="of the demo's data")
    parser.add_argument("--data", type=Path, help="a dataset, instead of the demo's")
    parser.add_argument("--later", type=float, default=8.0, help="when it comes later [s]")
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=CONDITIONS)
    parser.add_argument(
        "--choices",
        nargs="+",
        default=CHOICES,
        help="automatic: what the command line chooses; default: what OpenMP does by itself; or "
        "spins=N, threads=N, policy=passive, or several of these with commas between",
    )
    parser.add_argument("-o", "--output", type=Path, help="a JSON file to write")
    return parser.parse_args()


def _environment(choice: str) -> dict[str, str]:
    """The variables that a choice stands for, and none of the user's."""
    found = {name: value for name, value in os.environ.items() if name not in _VARIABLES}
    if choice in CHOICES:
        return found
    names = {"spins": "GOMP_SPINCOUNT", "threads": "OMP_NUM_THREADS", "policy": "OMP_WAIT_POLICY"}
    for part in choice.split(","):
        name, _, value = part.partition("=")
        if name not in names or not value:
            sys.exit(f"{part}: expected automatic, default, spins=N, threads=N or policy=passive")
        found[names[name]] = value
    return found


def _command(choice: str, *line: str) -> list[str]:
    # With arguments, `main` leaves the variables alone; without, it chooses what is not set.
    call = "main()" if choice == "automatic" else "main(sys.argv[1:])"
    code = f"import sys; from crystalvision.cli import main; sys.exit({call})"
    return [sys.executable, "-c", code, *line]


def _simulate(path: Path, samples: int) -> Path:
    line = ("simulate", "si3n4-four-classes", "-o", str(path), "--samples", str(samples), *_RECIPE)
    subprocess.run(_command("default", *line), check=True, stdout=subprocess.DEVNULL)
    return path


def _train(
    choice: str, condition: str, data: Path, run: Path, options: argparse.Namespace
) -> float:
    """Wall time of a training under a condition [s]."""
    settings = f"schedule.classifier.epochs={options.epochs}"
    line = ("train", "single", "-d", str(data), "-o", str(run), "--overwrite", "--set", settings)
    with _busy(condition == "beside"):
        started = time.perf_counter()
        with subprocess.Popen(
            _command(choice, *line),
            env=_environment(choice),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                _, said = process.communicate(
                    timeout=options.later if condition == "later" else None
                )
            except subprocess.TimeoutExpired:
                with _busy(wanted=True, head_start=0.0):
                    _, said = process.communicate()
        if process.returncode:
            sys.exit(f"{choice}: the training ended with status {process.returncode}: {said}")
        return time.perf_counter() - started


@contextmanager
def _busy(wanted: bool, head_start: float = _HEAD_START) -> Iterator[None]:
    """A process that computes meanwhile."""
    if not wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            time.sleep(head_start)
            yield
        finally:
            process.kill()


def _load() -> float:
    """Cores that others use now."""
    before = usage()
    time.sleep(1.0)
    after = usage()
    return after.load_since(before) if before and after else os.getloadavg()[0]


def _print(seconds: dict[str, dict[str, list[float]]]) -> None:
    """Medians, all figures, and ratios: to free, and of free to that of the default."""
    medians = {
        choice: {condition: statistics.median(found) for condition, found in conditions.items()}
        for choice, conditions in seconds.items()
    }
    usual = medians.get("default", {}).get("free")
    print("\n| choice | condition | median [s] | all [s] | to free | to default, free |")
    print("|---|---|---|---|---|---|")
    for choice, conditions in medians.items():
        for condition, median in conditions.items():
            free = conditions.get("free")
            cells = [
                *(choice, condition, f"{median:.1f}"),
                ", ".join(f"{each:.1f}" for each in seconds[choice][condition]),
                f"{median / free:.2f}" if free else "",
                f"{median / usual:.2f}" if usual and condition == "free" else "",
            ]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
