"""`crystalvision adapt`."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli._differences import DespiteOption, differences
from crystalvision.cli._recorded import (
    AnodeOption,
    CentreOption,
    EnergyOption,
    GapValueOption,
    PixelSizeOption,
    ReaderOption,
    WavelengthOption,
    direct_beam,
)
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
    gap_value: GapValueOption = None,
    pixel_size: PixelSizeOption = None,
    centre: CentreOption = None,
    energy_kev: EnergyOption = None,
    wavelength_angstrom: WavelengthOption = None,
    anode: AnodeOption = None,
    reader: ReaderOption = None,
    despite: DespiteOption = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run that is there.")
    ] = False,
) -> None:
    """Adapt a run to measured patterns without labels: batch statistics are estimated anew.

    No weight changes. It may gain or lose: **evaluate** both runs on patterns with labels. The new
    run has no calibration, and so flags no pattern.
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
        wavelength_angstrom=wavelength_angstrom,
        anode=anode,
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
