"""`crystalvision export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from crystalvision.cli._state import State
from crystalvision.console import out, print_json


def export(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    to: Annotated[Literal["onnx", "torch-export"], typer.Option("--to", help="The format.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The file: .onnx, or .pt2 for torch-export.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "-d",
            "--data",
            help="Try the file on patterns of this dataset; by default on that of the training.",
        ),
    ] = None,
    uncalibrated: Annotated[
        bool, typer.Option("--uncalibrated", help="Probabilities as the system gives them.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Describe the file as JSON.")] = False,
) -> None:
    """Write a run as one file for other programs: raw counts in, probabilities and severity out.

    The file is run before it appears: it says what `predict` says, or it is not there.
    """
    from crystalvision.api.runs import Run
    from crystalvision.export import check_export

    state: State = ctx.obj
    destination = check_export(to, output, overwrite=overwrite)
    loaded = Run.load(run, state.session)
    exported = loaded.export(destination, to=to, data=data, calibrated=not uncalibrated)
    path, check, record = exported.path, exported.check, loaded.record
    if json:
        print_json(
            {
                "file": path,
                "bytes": path.stat().st_size,
                "image_shape": record.image_shape,
                "targets": {name: each.model_dump() for name, each in record.targets.items()},
                "checked": check.as_dict(),
            }
        )
    else:
        out.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", soft_wrap=True)
        shape = ", ".join(map(str, record.image_shape))
        out.print(f"counts (batch, {shape}) → {', '.join(check.differences)}", soft_wrap=True)
        out.print(
            f"checked with {check.runtime} on {check.source}, in batches of "
            f"{', '.join(map(str, check.batches))}, and with points hidden: "
            "it differs from predict by at most "
            + ", ".join(f"{number:.1e} in {name}" for name, number in check.differences.items()),
            soft_wrap=True,
        )
