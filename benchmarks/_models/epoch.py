"""The paper's own epoch, 1022 images of 1024×1024 in batches of 12, and what bounds it."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from _models.child import Child, started
from _models.settings import Result, Run
from _models.speed import job
from _models.timing import spread

IMAGES, SIZE, BATCH = 1022, 1024, 12
PAPER_SECONDS = 21.0
_STEPS = -(-IMAGES // BATCH)
_SAMPLED = 5
"""Steps that are timed where a whole epoch would take too long."""


def measure(run: Run) -> Result:
    """The epoch of `dnsnet`, in float32 and in the ways of a GPU; on a CPU, from some steps."""
    whole = run.device == "cuda"
    scale = 1 if whole else SIZE // run.size  # a CPU shows that it works, on smaller images
    here = replace(run, size=SIZE // scale, batch=BATCH, step_seconds=float("inf"))
    name = run.models[0] if run.models else "dnsnet"
    variants = ("float32", "bf16", "compiled") if whole else ("float32",)
    result: Result = {
        "model": name,
        "images": IMAGES,
        "size": here.size,
        "batch": BATCH,
        "paper_seconds": PAPER_SECONDS,
        "variants": {},
    }
    for variant in variants:
        try:
            with started(job(here, name, variant)) as child:
                epochs = [_epoch(child, whole=whole) for _ in range(3)]
                facts = child.facts
        except RuntimeError as error:
            result["variants"][variant] = {"skipped": str(error)}
            run.say(f"  {variant}: skipped: {error}")
            continue
        half = variant != "float32"
        result["variants"][variant] = {
            "seconds": spread(epochs),
            "peak_tensor_mib": facts["peak_tensor_mib"],
            **_floors(run.device, facts, half=half),
        }
        run.say(f"  {variant}: {np.median(epochs):.3g} s")
    return result


def _epoch(child: Child, *, whole: bool) -> float:
    """Seconds of an epoch."""
    steps = _STEPS if whole else _SAMPLED
    return float(child.ask("seconds", steps=steps)) * _STEPS / steps


def _floors(device: str, facts: Result, *, half: bool) -> Result:
    """Times in which the device could do the operations, and could move the bytes [s]."""
    dtype = torch.bfloat16 if half else torch.float32
    flops, moved = _product_rate(device, dtype), _copy_rate(device)
    bytes_an_image = facts["training_bytes"] * torch.finfo(dtype).bits / 32
    return {
        "product_flops_a_second": flops,
        "copy_bytes_a_second": moved,
        "flop_floor_seconds": IMAGES * facts["training_flops"] / flops,
        "byte_floor_seconds": IMAGES * bytes_an_image / moved,
    }


def _product_rate(device: str, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product."""
    side = 8192 if device == "cuda" else 1024
    matrix = torch.randn(side, side, device=device, dtype=dtype)
    return 2 * side**3 / _least_seconds(device, lambda: matrix @ matrix)


def _copy_rate(device: str) -> float:
    """Bytes a second that a copy reads and writes."""
    length = 2**30 if device == "cuda" else 2**26
    source = torch.zeros(length, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * length / _least_seconds(device, lambda: target.copy_(source))


def _least_seconds(device: str, work: Callable[[], object]) -> float:
    times = []
    for _ in range(10):
        _wait(device)
        begin = time.perf_counter()
        work()
        _wait(device)
        times.append(time.perf_counter() - begin)
    return min(times)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
