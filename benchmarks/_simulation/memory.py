"""Peak memory of `crystalvision simulate`, against the number of samples."""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from _simulation.settings import SMALL_RECIPE, Result, Run

_RECIPE = "si3n4-four-classes"
_PROGRAM = "import sys; from crystalvision.cli import main; sys.exit(main())"


def measure(run: Run) -> Result:
    """The four-class recipe on small specimens, in a process of its own for each number."""
    result: Result = {"recipe": _RECIPE, "settings": list(SMALL_RECIPE), "runs": []}
    if not hasattr(os, "wait4"):
        return result | {"peer_missing": "this system does not tell a process's peak memory"}
    for samples in run.sizes.memory_samples:
        peak, taken = _simulate(run, samples)
        run.say(f"  {samples} samples: {peak / 2**20:.0f} MiB at most, {taken:.0f} s")
        result["runs"].append({"samples": samples, "peak_bytes": peak, "seconds": taken})
    first, last = result["runs"][0], result["runs"][-1]
    result["growth_bytes_a_sample"] = (last["peak_bytes"] - first["peak_bytes"]) / (
        last["samples"] - first["samples"]
    )
    return result


def _simulate(run: Run, samples: int) -> tuple[int, float]:
    """Peak resident memory [bytes] and time [s] of a simulation, start-up included."""
    with TemporaryDirectory() as folder:
        words = ["simulate", _RECIPE, "-o", str(Path(folder) / "data.zarr")]
        words += ["--samples", str(samples), "--device", run.device.type]
        words += [word for setting in SMALL_RECIPE for word in ("--set", setting)]
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *words], stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        taken = time.perf_counter() - begin
    if process.returncode:
        raise RuntimeError(f"crystalvision {' '.join(words)} ended with {process.returncode}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), taken
