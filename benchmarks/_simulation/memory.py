"""Peak memory of `crystalvision simulate`, against the number of samples."""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from _simulation.settings import SMALL_RECIPE, Result, Run

_RECIPE = "si3n4-four-classes"
# A child's `ru_maxrss` would count its parent's memory at the fork; VmHWM is that of the program.
_PROGRAM = """
import sys
from pathlib import Path
from crystalvision.cli import main
status = main()
for line in Path("/proc/self/status").read_text().splitlines():
    if line.startswith("VmHWM"):
        print(line.split()[1])
sys.exit(status)
"""


def measure(run: Run) -> Result:
    """The four-class recipe on small specimens, in a process of its own for each number."""
    result: Result = {"recipe": _RECIPE, "settings": list(SMALL_RECIPE), "runs": []}
    if not Path("/proc/self/status").exists():
        raise NotImplementedError("only Linux tells the peak memory of a process")
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
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *words], capture_output=True, text=True, check=False
        )
        taken = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"crystalvision {' '.join(words)} failed: {done.stderr}")
    return int(done.stdout.split()[-1]) * 1024, taken
