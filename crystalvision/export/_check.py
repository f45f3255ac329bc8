"""Runs an exported file, and compares what it says with what `predict` says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from crystalvision.errors import ExportError
from crystalvision.export._patterns import TrialPatterns
from crystalvision.prediction import Predictions

TOLERANCE = 1e-3
"""Largest difference of a probability, and of a value as a share of the largest value, or of 1:
runtimes fuse and order float32 sums in their own ways, which is a hundredth of this."""

_ALONE = 8  # patterns that pass one by one
_PIXELS = 2**22  # of one batch, which bounds its memory

Counts = np.ndarray[Any, np.dtype[np.float32]]
Answers = Mapping[str, np.ndarray[Any, Any]]
Seen = np.ndarray[Any, np.dtype[np.bool_]]
Runner = Callable[[Counts, Seen | None], Answers]
"""From raw counts (b, c, *grid), and which were measured, to each output by its name, (b, …)."""


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """How far an exported file is from the run's own predictions.

    Attributes:
        patterns: How many patterns it was run on.
        real: How many of them are of a dataset; the others are drawn.
        masked: On how many of them it was run once more with a part of their points hidden.
        source: What they are, in words.
        batches: How many patterns passed at a time.
        differences: The largest of each output, by its name; of a class, by how much the one that
            is named is less probable than the most probable.
        tolerance: What a difference may be.
        runtime: What ran the file.
    """

    patterns: int
    real: int
    masked: int
    source: str
    batches: tuple[int, ...]
    differences: dict[str, float]
    tolerance: float
    runtime: str

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**asdict(self), "batches": list(self.batches)}


def check_file(
    name: Path,
    runner: Runner,
    runtime: str,
    trial: TrialPatterns,
    expected: Predictions,
    masked: Predictions,
) -> ExportCheck:
    """Compare a file with the run's predictions, in batches of one, of three and of many.

    Points that were not seen are given to it in both ways, as NaN and as a mask.

    Args:
        name: What to call the file in an error.
        runner: Runs it.
        runtime: What the runner is.
        trial: The patterns.
        expected: What the run's own predictor says of them.
        masked: What it says of them where a part of their points was not seen.

    Raises:
        ExportError: It fails, or gives something else.
    """
    counts = trial.counts
    many = max(3, min(len(counts), _PIXELS // counts[0].size))
    places = np.unique(np.linspace(0, len(counts) - 1, _ALONE).round().astype(int))
    parts = [np.array([place]) for place in places]
    parts += [np.arange(3), *np.array_split(np.arange(len(counts)), -(-len(counts) // many))]
    tries: list[tuple[np.ndarray[Any, Any], Counts, Seen | None, Predictions]]
    tries = [(part, counts, None, expected) for part in parts]
    # The first of each kind, and all together: masks change no sizes.
    for part in (parts[0], *parts[_ALONE + 1 :]):
        tries += [(part, trial.hidden, None, masked), (part, counts, trial.seen, masked)]
    largest: dict[str, float] = {}
    for part, given, seen, wanted in tries:
        found = _run(name, runner, given[part], None if seen is None else seen[part])
        for output, difference in _differences(name, found, wanted, part).items():
            largest[output] = max(largest.get(output, 0.0), difference)
    wrong = {
        output: difference
        for output, difference in largest.items()
        if difference > TOLERANCE * _size(output, expected)
    }
    if wrong:
        compared = ", ".join(
            f"'{output}' by up to {number:.3g}" for output, number in wrong.items()
        )
        raise ExportError(
            f"{name}: the exported model is another than the run's: run by {runtime} on "
            f"{trial.source}, it differs from predict in {compared} (allowed: {TOLERANCE:g}), so "
            "no file was written; try the other format, and report this with the run's run.yaml"
        )
    batches = tuple(sorted({len(part) for part in parts}))
    return ExportCheck(
        patterns=len(counts),
        real=trial.real,
        masked=len(counts),
        source=trial.source,
        batches=batches,
        differences=largest,
        tolerance=TOLERANCE,
        runtime=runtime,
    )


def _run(name: Path, runner: Runner, counts: Counts, seen: Seen | None) -> Answers:
    try:
        return runner(counts, seen)
    except Exception as error:  # runtimes raise errors of many kinds
        raise ExportError(
            f"{name}: the exported model fails for a batch of {len(counts)}, so no file was "
            f"written: {first_line(error)}"
        ) from error


def _differences(
    name: Path, found: Answers, expected: Predictions, part: np.ndarray[Any, Any]
) -> dict[str, float]:
    """The largest difference of each output."""
    largest = {}
    for output, wanted in _outputs(expected).items():
        mine, other = found[output], wanted[part]
        if mine.shape != other.shape:
            raise ExportError(
                f"{name}: the exported model gives an array '{output}' of shape {mine.shape} where "
                f"predict gives {other.shape}, so no file was written"
            )
        probabilities = expected[output].probabilities if output in expected else None
        if probabilities is not None:
            compared = np.take_along_axis(probabilities[part], mine[:, None], axis=1)[:, 0]
            differences = probabilities[part].max(axis=1) - compared
        elif other.dtype.kind == "i":
            differences = (mine != other).astype(np.float64)
        else:
            both = np.isnan(mine) & np.isnan(other)
            differences = np.where(both, 0.0, np.abs(mine.astype(np.float64) - other))
        largest[output] = float(np.nan_to_num(differences, nan=np.inf).max())
    return largest


def _outputs(expected: Predictions) -> dict[str, np.ndarray[Any, Any]]:
    """What an exported file must give, by the names of its outputs."""
    found: dict[str, np.ndarray[Any, Any]] = {}
    for name, said in expected.estimates.items():
        parts = {name: said.value, f"{name}_probabilities": said.probabilities}
        parts[f"{name}_spread"] = said.spread
        found |= {output: value for output, value in parts.items() if value is not None}
    return found


def _size(output: str, expected: Predictions) -> float:
    """What the tolerance of an output is a share of."""
    if output in expected and expected[output].probabilities is not None:
        return 2.0  # both probabilities that are compared may be off
    return max(1.0, float(np.abs(_outputs(expected)[output]).max()))


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

    names = [each.name for each in session.get_outputs()]

    def run(counts: Counts, seen: Seen | None) -> Answers:
        given = {"counts": counts} if seen is None else {"counts": counts, "seen": seen}
        return dict(zip(names, session.run(names, given), strict=True))

    return run, f"onnxruntime {onnxruntime.__version__}"


def torch_runner(path: Path, outputs: Sequence[str]) -> tuple[Runner, str]:
    """What runs a program of torch.export, and its name.

    Args:
        path: The file.
        outputs: Names of what it gives, in its order.

    Raises:
        ExportError: torch refuses the file.
    """
    try:
        module = torch.export.load(path).module()
    except Exception as error:  # it raises errors of many kinds
        raise ExportError(f"torch cannot load the export: {first_line(error)}") from error

    def run(counts: Counts, seen: Seen | None) -> Answers:
        if seen is not None:  # it has one input, in which NaN stands for what was not seen
            counts = np.where(seen, counts, np.float32(np.nan))
        with torch.no_grad():
            found = module(torch.from_numpy(counts))
        return {name: each.numpy() for name, each in zip(outputs, found, strict=True)}

    return run, f"torch {torch.__version__}"


def first_line(error: Exception) -> str:
    """An error of a library, in a line."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
