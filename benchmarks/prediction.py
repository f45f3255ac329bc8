"""Measures prediction: images per second, from raw counts in memory to classes and severity.

    python benchmarks/prediction.py                  # dnsnet-small, 128 × 128, two threads
    python benchmarks/prediction.py --device cuda    # and dnsnet as published, 1024 × 1024

Each system is the fused one of two branches, or one branch alone, with random weights, which cost
what trained ones cost. Aims: 100 images/s of one branch of dnsnet-small on two cores; 0.4 s an
image of the literal system on a GPU, which is what Alarfaj & Hosni Mahmoud (2022) state.
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from crystalvision.contracts import Axis, Target
from crystalvision.datasets import Conditions, Simulated
from crystalvision.inputs import build_preprocess
from crystalvision.models import SystemConfig, build_system
from crystalvision.plugins import Catalogue
from crystalvision.prediction import Predictor
from crystalvision.runs import DatasetRecord, Run, RunRecord
from crystalvision.training import Experiment, choose_device, seeded

ROUNDS, CLASSES = 5, ("no_defect", "pristine", "random_displacement", "vacancies_25")
TARGETS = {
    "label": Target(
        name="label",
        task="classification",
        classes=CLASSES,
        class_severities=(0.0, 0.3, 0.6, 0.9),
    ),
    "severity": Target(name="severity", task="regression"),
}
RESULTS = Path(__file__).parent / "results" / "prediction"


def main() -> None:
    """Measure, print a table, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    cases = [("dnsnet-small", False, 128, 128), ("dnsnet-small", True, 128, 128)]
    if device.type == "cuda":
        cases += [("dnsnet", False, 1024, 8), ("dnsnet", True, 1024, 8)]
    rows = [measure(device, *case) for case in cases]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor()
    print(f"{name or platform.machine()}, {options.threads} threads, torch {torch.__version__}\n")
    print(table(rows))
    options.output.mkdir(parents=True, exist_ok=True)
    described = {"machine": name, "threads": options.threads, "torch": torch.__version__}
    text = json.dumps(described | {"rows": rows}, indent=2)
    (options.output / f"{device.type}.json").write_text(text + "\n")


def measure(
    device: torch.device, backbone: str, fused: bool, size: int, images: int
) -> dict[str, object]:
    """Predict the same images several times: median and extremes of the rate."""
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder), backbone, fused, size)
        predictor = Predictor(run, device)
    counts = np.random.default_rng(0).poisson(1.0, (images, 1, size, size)).astype(np.uint16)
    batch_size = 32 if size <= 256 else 4
    predictor.predict(counts[:batch_size], batch_size=batch_size)  # warm
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        predictor.predict(counts, batch_size=batch_size)  # its results are on the CPU: no wait left
        rates.append(images / (time.perf_counter() - began))
    return {
        "system": f"{backbone}, {'two branches fused' if fused else 'one branch'}",
        "size": size,
        "images_per_second": statistics.median(rates),
        "lowest": min(rates),
        "highest": max(rates),
    }


def make_run(folder: Path, backbone: str, fused: bool, size: int) -> Run:
    """A run with random weights."""
    branches = {"classifier": {"backbone": backbone, "head": "softmax"}}
    system: dict[str, object] = {"branches": branches}
    if fused:
        branches["regressor"] = {"backbone": backbone, "head": "severity"}
        system |= {"fusion": "concat", "head": "perceptron"}
    experiment = Experiment.model_validate(
        {"system": system, "input": ["log1p", "standardise"], "schedule": "quick"}
    )
    config: SystemConfig = experiment.system
    catalogue = Catalogue.load()
    axes = tuple(Axis(name=name, size=size, scale=0.01, offset=0.0) for name in ("q_y", "q_x"))
    with seeded(0):
        built = build_system(config, catalogue, in_channels=1, targets=TARGETS, grid=(size, size))
    record = RunRecord(
        experiment=experiment,
        dataset=DatasetRecord(
            path="none", identity="0" * 64, samples=0, provenance=Simulated(seed=None)
        ),
        targets=TARGETS,
        image_shape=(1, size, size),
        calibration=tuple(axis.model_dump() for axis in axes),
        conditions=Conditions(),
        plugins=(),
        phases=(),
        training_seconds=0.0,
        device="cpu",
        environment={},
    )
    return Run(folder, record, built.eval(), build_preprocess(experiment.input, catalogue, axes))


def table(rows: list[dict[str, object]]) -> str:
    """The results as a Markdown table."""
    lines = ["| system | image | images/s | lowest–highest | s/image |", "|---|---|---|---|---|"]
    for row in rows:
        rate = float(str(row["images_per_second"]))
        spread = f"{row['lowest']:.1f}–{row['highest']:.1f}"
        cells = [row["system"], f"{row['size']}²", f"{rate:.1f}", spread, f"{1 / rate:.4f}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
