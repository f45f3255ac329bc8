"""`crystalvision dataset import`."""

from pathlib import Path
from typing import Annotated

import typer

from crystalvision.api.cards import write_card_or_say
from crystalvision.cli._recorded import (
    AnodeOption,
    AxisOption,
    CentreOption,
    EnergyOption,
    GapValueOption,
    LikeOption,
    PixelSizeOption,
    ReaderOption,
    WavelengthOption,
    conditions_like,
    direct_beam,
    pixel_sizes,
    two_theta_axis,
)
from crystalvision.cli.dataset._options import Json
from crystalvision.cli.dataset._steps import steps
from crystalvision.console import err, print_json
from crystalvision.errors import InputError
from crystalvision.text import command_line


def import_(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="The folder of labelled patterns, or a CSV file that lists them."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the dataset goes, such as data.zarr.")
    ],
    *,
    pixel_size: PixelSizeOption = None,
    pixel_size_y: Annotated[
        float | None,
        typer.Option("--pixel-size-y-inv-angstrom", help="That of rows, if it differs."),
    ] = None,
    centre: CentreOption = None,
    energy_kev: EnergyOption = None,
    severity: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS=VALUE", help="Severity of a class. Repeat it for each."),
    ] = None,
    channels: Annotated[
        int | None, typer.Option(min=1, max=65_536, help="Channels of an image, if not 1.")
    ] = None,
    page: Annotated[
        int | None,
        typer.Option(
            min=0, max=2**31 - 1, help="Take only this image of each file, from 0; else all."
        ),
    ] = None,
    gap_value: GapValueOption = None,
    axis: AxisOption = None,
    like: LikeOption = None,
    wavelength_angstrom: WavelengthOption = None,
    anode: AnodeOption = None,
    reader: ReaderOption = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset; by default the folder's.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an import that was interrupted.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the dataset that is there.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a dataset of labelled patterns, so that measured ones train and test models, too.

    FOLDER has a folder of files for each class, or a **labels.csv** with the columns *file* and
    *class*. Further columns are optional: *severity*, *specimen* (images of one specimen are never
    in two splits), and any numbers, such as *thickness_nm* or *dose [e/Å²]*.

    Images are of one size and type, one or several in a file; curves, such as powder patterns, are
    brought onto one axis. All are checked before anything is written.
    """
    from crystalvision.datasets import Dataset, describe, mode_of
    from crystalvision.exchange import import_folder
    from crystalvision.measured_files import Readers, parse_gap_values

    mode = mode_of(resume=resume, overwrite=overwrite)
    given = pixel_sizes(pixel_size, pixel_size_y)
    with steps() as begin:
        try:
            done = import_folder(
                folder,
                output,
                pixel_size_inv_angstrom=given,
                centre=direct_beam(centre),
                energy_kev=energy_kev,
                severities=_severities(severity or []),
                channels=channels,
                page=page,
                gap_values=parse_gap_values(gap_value or []),
                name=name,
                mode=mode,
                readers=Readers(ctx.obj.catalogue),
                reader=reader,
                axis=two_theta_axis(axis),
                like=conditions_like(like),
                wavelength_angstrom=wavelength_angstrom,
                anode=anode,
                begin=begin,
            )
        except KeyboardInterrupt:
            err.print(f"{output} is not whole yet; the same command with --resume goes on with it")
            raise
    for note in (*done.notes, *done.doubts):
        err.print(f"note: {note}", soft_wrap=True)
    write_card_or_say(output)
    if json:
        print_json({**describe(Dataset.open(output)), "notes": done.notes, "doubts": done.doubts})
    else:
        err.print(
            f"{done.samples:,} patterns in {output}. "
            f"Next: {command_line('crystalvision', 'dataset', 'info', output)}",
            soft_wrap=True,
        )


def _severities(texts: list[str]) -> dict[str, float]:
    given: dict[str, float] = {}
    for text in texts:
        name, separator, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            separator = ""
        if not separator or not name:
            raise InputError(f"--severity {text}: expected CLASS=VALUE, such as vacancies=0.5")
        if name in given:
            raise InputError(f"--severity is given twice for class '{name}'; give it once")
        given[name] = number
    return given
