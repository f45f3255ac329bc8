"""What learns: the paper's epoch, prediction, and a training from the command line."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from _models.child import Job, started
from crystalvision.cli import main as command
from crystalvision.evaluation import load_metrics
from prediction import measure as measure_prediction

if TYPE_CHECKING:
    from gpu_check import Result, Run

PAPER_EPOCH_SECONDS = 21.0
_RECIPE = "si3n4-four-classes"
_VARIANTS = ("float32", "bf16", "compiled")


def epoch(run: "Run") -> "Result":
    """The paper's epoch, in float32, in bf16, and compiled with both; each once, warm."""
    sizes = run.sizes
    steps = -(-sizes.epoch_images // sizes.batch)
    found: Result = {}
    for variant in _VARIANTS[: 2 if run.tiny else None]:
        job = Job(
            sizes.network,
            run.device,
            torch.get_num_threads(),
            sizes.side,
            sizes.batch,
            float("inf"),
            variant,
        )
        with started(job) as child:
            seconds = float(child.ask("seconds", steps=steps))
            found[variant] = {"seconds": seconds, "peak_tensor_mib": child.facts["peak_tensor_mib"]}
        print(f"  {variant}: {seconds:.3g} s", flush=True)
    return {
        "network": sizes.network,
        "images": sizes.epoch_images,
        "side": sizes.side,
        "batch": sizes.batch,
        "paper_seconds": PAPER_EPOCH_SECONDS,
        "variants": found,
    }


def prediction(run: "Run") -> "Result":
    """Images a second of one branch and of the fused system, raw counts to answers."""
    sizes = run.sizes
    found: Result = {"side": sizes.side, "images_per_second": {}}
    for fused in (False, True):
        row = measure_prediction(
            torch.device(run.device), sizes.network, fused, sizes.side, 2 * sizes.batch
        )
        found["images_per_second"][row["system"]] = row["images_per_second"]
        print(f"  {row['system']}: {row['images_per_second']:.3g} images/s", flush=True)
    return found


def training(run: "Run") -> "Result":
    """The experiment `quick` on patterns that are made here, as a user types it."""
    with tempfile.TemporaryDirectory() as folder:
        return _training(run, Path(folder))


def _training(run: "Run", folder: Path) -> "Result":
    sizes, data = run.sizes, folder / "data.zarr"
    on = ["--device", run.device]
    found: Result = {"patterns": sizes.training_samples, "seconds": {}, "accuracy": {}}

    def timed(name: str, *words: object) -> None:
        begin = time.perf_counter()
        status = command([str(word) for word in words])
        if status:
            raise RuntimeError(f"{name}: the command ended with status {status}")
        found["seconds"][name] = time.perf_counter() - begin
        print(f"  {name}: {found['seconds'][name]:.3g} s", flush=True)

    timed(
        "simulate",
        *("simulate", _RECIPE, "-o", data, "--samples", sizes.training_samples, *on),
        *_set(sizes.settings),
    )
    variants = {"float32": [], "bf16": ["--precision", "bf16"]}
    if not run.tiny:
        variants["compiled"] = ["--precision", "bf16", "--compile"]
    for name, words in variants.items():
        path = folder / name
        timed(
            f"train, {name}",
            *("train", "quick", "-d", data, "-o", path, *on, *words, *_set(sizes.training)),
        )
        timed(f"evaluate, {name}", "evaluate", path, "-d", data, *on)
        (evaluation,) = (path / "evaluations").iterdir()
        found["accuracy"][name] = load_metrics(evaluation).targets["label"].metrics["accuracy"]
    timed("predict", "predict", folder / "bf16", f"{data}[0:8]", *on)
    return found


def _set(settings: tuple[str, ...]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]
