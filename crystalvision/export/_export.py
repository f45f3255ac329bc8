"""Writes a run as ONNX or as a program of torch.export."""

import importlib.util
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from crystalvision.errors import InputError, StorageError
from crystalvision.export._graph import ExportedSystem
from crystalvision.runs import Run

Format = Literal["onnx", "torch-export"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "torch-export": ".pt2"}
METADATA = "crystalvision.json"
"""Name of the description within a file of torch.export; in ONNX it is spread over the metadata."""
_OPSET = 18
_NEEDED = ("onnx", "onnxscript")


def check_export(to: Format, path: Path, *, overwrite: bool = False) -> None:
    """Check that an export can be written, before anything is loaded.

    Raises:
        InputError: A package that is not installed, another suffix than the format's, or a file
            that is there already.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if to == "onnx" and missing:
        raise InputError(
            f"export to ONNX needs {' and '.join(missing)}; install with: "
            "pip install 'crystalvision[export]'"
        )
    if path.suffix != SUFFIXES[to]:
        raise InputError(f"-o {path}: a file of {to} ends in {SUFFIXES[to]}")
    if path.is_dir() or (path.exists() and not overwrite):
        raise InputError(f"{path} is there already; use --overwrite, or another -o file")


def export_run(
    run: Run, to: Format, path: Path, *, calibrated: bool = True, overwrite: bool = False
) -> Path:
    """Export a run: raw counts in, probabilities and severity out, for any number of patterns.

    Input `counts` (batch, c, h, w) float32; outputs `probabilities` (batch, k) and `severity`
    (batch,). Normalisation and temperature are inside. The reject flag is not.

    Args:
        run: The run.
        to: The format.
        path: The file to write.
        calibrated: Whether to use the run's calibration.
        overwrite: Whether a file at `path` may be replaced.

    Returns:
        The file.

    Raises:
        InputError: As for `check_export`, or a system that cannot be exported.
        StorageError: The disk refuses.
    """
    check_export(to, path, overwrite=overwrite)
    graph = ExportedSystem(run, calibrated=calibrated)
    described = describe(run, graph)
    # Two patterns: torch takes a size of one for fixed.
    example = torch.ones(2, *run.record.image_shape)
    with _quiet(), torch.no_grad():
        batch = torch.export.Dim("batch", min=1)
        program = torch.export.export(graph, (example,), dynamic_shapes={"counts": {0: batch}})
        with _whole_file(path) as temporary:
            if to == "onnx":
                _write_onnx(program, temporary, described)
            else:
                extra = {METADATA: json.dumps(described)}
                torch.export.save(program, temporary, extra_files=extra)
    return path


def describe(run: Run, graph: ExportedSystem) -> dict[str, object]:
    """What an exported file says of itself."""
    record = run.record
    return {
        "class_names": list(record.class_names),
        "class_severities": list(record.class_severities),
        "image_shape": list(record.image_shape),
        "input": "raw detector counts, float32 (batch, channels, height, width)",
        "calibrated": graph.calibrated,
        "temperature": graph.temperature,
        "axes": list(record.calibration),
        "run": run.path.name,
        "dataset_identity": record.dataset.identity,
        "experiment": record.experiment.model_dump(mode="json"),
        "environment": record.environment,
    }


def _write_onnx(
    program: torch.export.ExportedProgram, path: Path, described: dict[str, object]
) -> None:
    onnx_program = torch.onnx.export(
        program,
        dynamo=True,
        opset_version=_OPSET,
        input_names=["counts"],
        output_names=["probabilities", "severity"],
        verbose=False,
    )
    if onnx_program is None:
        raise InputError("torch gave no ONNX program for this system; export it --to torch-export")
    for key, value in described.items():
        text = value if isinstance(value, str) else json.dumps(value)
        onnx_program.model.metadata_props[f"crystalvision.{key}"] = text
    onnx_program.save(str(path), external_data=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what exporters warn of that no user can change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """A file that appears at `path` only when it is complete.

    Raises:
        StorageError: The disk refuses.
    """
    # Exporters look at the suffix, so the temporary name keeps it.
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
