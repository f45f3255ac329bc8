"""`crystalvision adapt`."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli._differences import DespiteOption, differences
from crystalvision.cli._recorded import ReaderOption, direct_beam
from crystalvision.cli._state import State
from crystalvision.console import out


def adapt(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|DATA.zarr[INDEX]…",
            help="Patterns, as for predict; their labels are not looked at.",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the new run.")],
    prior: Annotated[
        int,
        typer.Option(
            min=0, max=1_000_000, help="Patterns that the statistics of the training count as."
        ),
    ] = 16,
    gap_value: Annotated[
        list[str] | None,
        typer.Option(metavar="VALUE", help="As for predict. Repeat it for each."),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            "--pixel-size-inv-angstrom",
            help="Size of a pixel in 1/Å, of images that do not state it.",
        ),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(metavar="ROW,COLUMN", help="Pixel of their direct beam, from 0."),
    ] = None,
    energy_kev: Annotated[
        float | None,
        typer.Option("--energy-kev", help="Energy of the beam in keV, where it is not stated."),
    ] = None,
    reader: ReaderOption = None,
    despite: DespiteOption = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run that is there.")
    ] = False,
) -> None:
    """Adapt a run to measured patterns without labels: batch statistics are estimated anew.

    No weight changes. It may gain or lose: **evaluate** both runs on patterns with labels. The new
    run has no calibration, and so no reject flag.
    """
    from crystalvision.api.runs import Run

    state: State = ctx.obj
    made = Run.load(run, state.session).adapt(
        *images,
        path=output,
        prior=prior,
        gap_values=gap_value,
        pixel_size_inv_angstrom=pixel_size,
        centre=direct_beam(centre),
        energy_kev=energy_kev,
        reader=reader,
        despite=differences(despite),
        overwrite=overwrite,
    )
    adapted = made.record.adapted
    count = 0 if adapted is None else adapted.patterns
    out.print(
        f"{output}: adapted to {count} patterns; evaluate it and {run} on patterns with labels, "
        "since it may gain or lose",
        soft_wrap=True,
    )
