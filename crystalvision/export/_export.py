"""Writes a run as ONNX or as a program of torch.export, once what is written says the same."""

import importlib.util
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from crystalvision.datasets import Dataset
from crystalvision.errors import CrystalVisionError, ExportError, InputError
from crystalvision.export._check import (
    ExportCheck,
    check_file,
    first_line,
    onnx_runner,
    torch_runner,
)
from crystalvision.export._graph import ExportedSystem
from crystalvision.export._patterns import trial_patterns
from crystalvision.prediction import UNSEEN, Predictor
from crystalvision.runs import Run
from crystalvision.storage import Destination, whole_file

Format = Literal["onnx", "torch-export"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "torch-export": ".pt2"}
METADATA = "crystalvision.json"
"""Name of the description within a file of torch.export; in ONNX it is spread over the metadata."""
_OPSET = 18
_NEEDED = ("onnx", "onnxscript", "onnxruntime")


def check_export(to: Format, path: Path, *, overwrite: bool = False) -> Destination:
    """Check that an export can be written, before anything is loaded.

    Returns:
        What is there now, which the file may replace; what appears there later it may not.

    Raises:
        InputError: A package that is not installed, another suffix than the format's, or a file
            that is there already.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if to == "onnx" and missing:
        raise InputError(
            f"export to ONNX needs {', '.join(missing)}; install with: "
            "pip install 'crystalvision[export]'"
        )
    if path.suffix != SUFFIXES[to]:
        raise InputError(f"-o {path}: a file of {to} ends in {SUFFIXES[to]}")
    destination = Destination.look(path)
    if path.is_dir() or (destination.taken and not overwrite):
        raise InputError(f"{path} is there already; use --overwrite, or another -o file")
    return destination


def export_run(
    run: Run,
    to: Format,
    path: Path | Destination,
    *,
    calibrated: bool = True,
    overwrite: bool = False,
    data: Dataset | None = None,
    on_checked: Callable[[ExportCheck], object] = lambda check: None,
) -> Path:
    """Export a run: raw counts in, what it says of each target out, for any number of patterns.

    Input `counts` (batch, c, *grid) float32, NaN where nothing was measured; in ONNX, too, `seen`,
    bool of the same shape, which may be left out: then all was. Outputs: each target by its name,
    (batch, *shape), and `NAME_probabilities` (batch, k, *shape) of one with classes. Normalisation
    and temperatures are inside. The reject flag is not.

    The file is run before it appears, on real patterns and on a detector's extremes, alone and in
    batches: it says what `predict` says, or it is not there.

    Args:
        run: The run.
        to: The format.
        path: The file to write, or what `check_export` found there.
        calibrated: Whether to use the run's calibration.
        overwrite: Whether a file at `path` may be replaced.
        data: Whose patterns it is tried on; by default those of the dataset that the run was
            trained on, if it is still there.
        on_checked: Told how the file was checked.

    Returns:
        The file.

    Raises:
        InputError: As for `check_export`, a classical system, or `data` of another shape.
        ExportError: The system cannot be exported, or the file says something else.
        StorageError: The disk refuses, or something else appeared at `path` meanwhile.
    """
    destination = (
        path if isinstance(path, Destination) else check_export(to, path, overwrite=overwrite)
    )
    name = destination.path
    graph = ExportedSystem(run, calibrated=calibrated)
    described = describe(run, graph)
    trial = trial_patterns(run, data)
    predictor = Predictor(run, calibrated=calibrated)
    expected = predictor.predict(trial.counts)
    masked = predictor.predict(trial.hidden, gap_values=UNSEEN)
    with _quiet(), torch.no_grad():
        exported = _captured(run, graph, to)
        with whole_file(destination) as partial:

            def tried() -> ExportCheck:
                runner, runtime = (
                    onnx_runner(partial) if to == "onnx" else torch_runner(partial, graph.outputs)
                )
                return check_file(name, runner, runtime, trial, expected, masked)

            exported(partial, described)
            check = tried()
            # What it was checked with stands in the file, so that is written, and run, once more.
            exported(partial, {**described, "checked": check.as_dict()})
            tried()
    on_checked(check)
    return name


Writer = Callable[[Path, dict[str, object]], None]
"""Writes an exported system to a path with what it says of itself."""


def _captured(run: Run, graph: ExportedSystem, to: Format) -> Writer:
    """What writes a system in a format.

    Raises:
        ExportError: The exporter refuses it.
    """
    # Two patterns: torch takes a size of one for fixed.
    example = torch.ones(2, *run.record.image_shape)
    batch = torch.export.Dim("batch", min=1)
    given = {"counts": example}
    if to == "onnx":
        given["seen"] = torch.ones_like(example, dtype=torch.bool)
    sizes = {name: {0: batch} for name in given}
    try:
        program = torch.export.export(graph, tuple(given.values()), dynamic_shapes=sizes)
        if to == "onnx":
            return _onnx_writer(program, graph.outputs, run.record.image_shape)
    except CrystalVisionError:
        raise
    except Exception as error:  # exporters raise errors of many kinds
        raise ExportError(
            f"{run.path} cannot be exported to {to}: {first_line(error)}; a part of its system "
            "does what the exporter cannot follow: crystalvision plugins test tells which"
        ) from error

    def write(path: Path, described: dict[str, object]) -> None:
        torch.export.save(program, path, extra_files={METADATA: json.dumps(described)})

    return write


def describe(run: Run, graph: ExportedSystem) -> dict[str, object]:
    """What an exported file says of itself."""
    record = run.record
    return {
        "targets": {name: each.model_dump(mode="json") for name, each in record.targets.items()},
        "outputs": list(graph.outputs),
        "image_shape": list(record.image_shape),
        "input": "counts: raw, float32 (batch, channels, *grid), NaN where nothing was measured; "
        "in ONNX, too, seen: bool of that shape, which points were measured, by default all",
        "calibrated": graph.calibrated,
        "temperatures": graph.temperatures,
        "axes": list(record.calibration),
        "run": run.path.name,
        "dataset_identity": record.dataset.identity,
        "experiment": record.experiment.model_dump(mode="json"),
        "environment": record.environment,
    }


def _onnx_writer(
    program: torch.export.ExportedProgram, outputs: Sequence[str], image_shape: Sequence[int]
) -> Writer:
    onnx_program = torch.onnx.export(
        program,
        dynamo=True,
        opset_version=_OPSET,
        input_names=["counts", "seen"],
        output_names=list(outputs),
        verbose=False,
    )
    if onnx_program is None:
        raise ExportError("torch gave no ONNX program for this system; export it --to torch-export")

    _make_optional(onnx_program.model.graph, "seen", np.ones((1, *image_shape), dtype=bool))

    def write(path: Path, described: dict[str, object]) -> None:
        for key, value in described.items():
            text = value if isinstance(value, str) else json.dumps(value)
            onnx_program.model.metadata_props[f"crystalvision.{key}"] = text
        onnx_program.save(str(path), external_data=False)

    return write


def _make_optional(graph: Any, name: str, default: np.ndarray[Any, Any]) -> None:
    """Give an input of a graph of ONNX a value for where it is left out, (1, …) for any batch."""
    from onnxscript import ir

    value = next(each for each in graph.inputs if each.name == name)
    value.shape = ir.Shape([f"{name}_batch", *default.shape[1:]])
    value.const_value = ir.tensor(default, name=name)
    graph.register_initializer(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what exporters warn of, and log, that no user can change."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
