"""Runs an exported file, and compares what it says with what `predict` says."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from crystalvision.errors import ExportError
from crystalvision.export._patterns import TrialPatterns
from crystalvision.prediction import Predictions

TOLERANCE = 1e-3
"""Largest difference of a probability, and of a severity as a share of the largest severity, or of
1: runtimes fuse and order float32 sums in their own ways, which is a hundredth of this."""

_ALONE = 8  # patterns that pass one by one
_PIXELS = 2**22  # of one batch, which bounds its memory

Counts = np.ndarray[Any, np.dtype[np.float32]]
Answers = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
Runner = Callable[[Counts], Answers]
"""From raw counts (b, c, h, w) to probabilities (b, k) and severities (b,)."""


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """How far an exported file is from the run's own predictions.

    Attributes:
        patterns: How many patterns it was run on.
        real: How many of them are of a dataset; the others are drawn.
        source: What they are, in words.
        batches: How many patterns passed at a time.
        probability_difference: The largest of all probabilities.
        severity_difference: The largest of all severities.
        tolerance: What a difference may be.
        runtime: What ran the file.
    """

    patterns: int
    real: int
    source: str
    batches: tuple[int, ...]
    probability_difference: float
    severity_difference: float
    tolerance: float
    runtime: str

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**asdict(self), "batches": list(self.batches)}


def check_file(
    name: Path, runner: Runner, runtime: str, trial: TrialPatterns, expected: Predictions
) -> ExportCheck:
    """Compare a file with the run's predictions, in batches of one, of three and of many.

    Args:
        name: What to call the file in an error.
        runner: Runs it.
        runtime: What the runner is.
        trial: The patterns.
        expected: What the run's own predictor says of them.

    Raises:
        ExportError: It fails, or gives something else.
    """
    counts = trial.counts
    many = max(3, min(len(counts), _PIXELS // counts[0].size))
    places = np.unique(np.linspace(0, len(counts) - 1, _ALONE).round().astype(int))
    parts = [np.array([place]) for place in places]
    parts += [np.arange(3), *np.array_split(np.arange(len(counts)), -(-len(counts) // many))]
    largest = np.zeros(2)
    for part in parts:
        found = _run(name, runner, counts[part])
        largest = np.maximum(largest, _differences(name, found, expected, part))
    size = max(1.0, float(np.abs(expected.severity).max()))
    if largest[0] > TOLERANCE or largest[1] > TOLERANCE * size:
        raise ExportError(
            f"{name}: the exported model is another than the run's: run by {runtime} on "
            f"{trial.source}, its probabilities differ by up to {largest[0]:.3g} and its "
            f"severities by up to {largest[1]:.3g} from those of predict (allowed: "
            f"{TOLERANCE:g}), so no file was written; try the other format, and report this with "
            "the run's run.yaml"
        )
    batches = tuple(sorted({len(part) for part in parts}))
    differences = float(largest[0]), float(largest[1])
    return ExportCheck(
        len(counts), trial.real, trial.source, batches, *differences, TOLERANCE, runtime
    )


def _run(name: Path, runner: Runner, counts: Counts) -> Answers:
    try:
        return runner(counts)
    except Exception as error:  # runtimes raise errors of many kinds
        raise ExportError(
            f"{name}: the exported model fails for a batch of {len(counts)}, so no file was "
            f"written: {first_line(error)}"
        ) from error


def _differences(
    name: Path, found: Answers, expected: Predictions, part: np.ndarray[Any, Any]
) -> tuple[float, float]:
    """Largest differences of the probabilities, and of the severities."""
    wanted = (expected.probabilities[part], expected.severity[part])
    largest = []
    for mine, other in zip(found, wanted, strict=True):
        if mine.shape != other.shape:
            raise ExportError(
                f"{name}: the exported model gives an array of shape {mine.shape} where predict "
                f"gives {other.shape}, so no file was written"
            )
        both = np.isnan(mine) & np.isnan(other)
        differences = np.where(both, 0.0, np.abs(mine.astype(np.float64) - other))
        largest.append(float(np.nan_to_num(differences, nan=np.inf).max()))
    return largest[0], largest[1]


def onnx_runner(path: Path) -> tuple[Runner, str]:
    """What runs a file of ONNX, and its name.

    Raises:
        ExportError: onnxruntime refuses the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors alone
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it raises errors of many kinds
        raise ExportError(f"onnxruntime cannot load the export: {first_line(error)}") from error

    def run(counts: Counts) -> Answers:
        probabilities, severity = session.run(["probabilities", "severity"], {"counts": counts})
        return probabilities, severity

    return run, f"onnxruntime {onnxruntime.__version__}"


def torch_runner(path: Path) -> tuple[Runner, str]:
    """What runs a program of torch.export, and its name.

    Raises:
        ExportError: torch refuses the file.
    """
    try:
        module = torch.export.load(path).module()
    except Exception as error:  # it raises errors of many kinds
        raise ExportError(f"torch cannot load the export: {first_line(error)}") from error

    def run(counts: Counts) -> Answers:
        with torch.no_grad():
            probabilities, severity = module(torch.from_numpy(counts))
        return probabilities.numpy(), severity.numpy()

    return run, f"torch {torch.__version__}"


def first_line(error: Exception) -> str:
    """An error of a library, in a line."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
