"""`crystalvision evaluate`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from crystalvision.cli._by_specimen import specimen_table
from crystalvision.cli._differences import DespiteOption, differences
from crystalvision.cli._evaluated import print_metrics
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
from crystalvision.cli._subset import SubsetOption
from crystalvision.console import out, print_json


def evaluate(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    data: Annotated[Path, typer.Option("-d", "--data", help="A dataset, or measured files.")],
    split: Annotated[
        Literal["train", "validation", "test", "all"] | None,
        typer.Option(
            help="Part of the dataset. Default: test of the dataset that the run was trained on, "
            "all of any other.",
            show_default=False,
        ),
    ] = None,
    subset: SubsetOption = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the evaluation. Default: dataset and split.")
    ] = None,
    uncalibrated: Annotated[
        bool,
        typer.Option(
            "--uncalibrated",
            help="Take probabilities as the system gives them; nothing is flagged.",
        ),
    ] = False,
    resamples: Annotated[
        int, typer.Option(min=2, max=100_000, help="Bootstrap resamples for the 95 % intervals.")
    ] = 1000,
    gap_value: GapValueOption = None,
    pixel_size: PixelSizeOption = None,
    centre: CentreOption = None,
    energy_kev: EnergyOption = None,
    wavelength_angstrom: WavelengthOption = None,
    anode: AnodeOption = None,
    reader: ReaderOption = None,
    by: Annotated[
        Literal["specimen"] | None,
        typer.Option(
            help="specimen: tell each from all of its patterns together, too.", show_default=False
        ),
    ] = None,
    despite: DespiteOption = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Write the metrics as JSON.")] = False,
) -> None:
    """Judge a run on a dataset, and keep the metrics and predictions in the run folder.

    Labelled measured files, in a folder for each class or listed by a CSV file, are brought onto
    the run's axes, as **dataset import** with **--like** does.
    """
    from crystalvision.api.runs import Run

    state: State = ctx.obj
    found = Run.load(run, state.session).evaluate(
        data,
        split=split,
        subset=subset,
        name=name,
        device=device,
        calibrated=not uncalibrated,
        resamples=resamples,
        by=by,
        gap_values=gap_value,
        pixel_size_inv_angstrom=pixel_size,
        centre=direct_beam(centre),
        energy_kev=energy_kev,
        wavelength_angstrom=wavelength_angstrom,
        anode=anode,
        reader=reader,
        despite=differences(despite),
    )
    if json:
        print_json(found.metrics.model_dump(mode="json"))
    else:
        print_metrics(found.metrics, state.catalogue)
        if by is not None:
            out.print(specimen_table(found.metrics.specimens))
            out.print()
        out.print(f"written to {found.path}", soft_wrap=True)
