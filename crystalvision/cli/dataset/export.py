"""`crystalvision dataset export`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crystalvision.cli.console import err, print_json
from crystalvision.cli.dataset._options import DataPath, Json
from crystalvision.cli.dataset._steps import steps
from crystalvision.errors import InputError


class Format(StrEnum):
    """What a dataset is exported to."""

    HDF5 = "hdf5"
    PNG = "png"
    WEBDATASET = "webdataset"


class Part(StrEnum):
    """What is exported of it."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    ALL = "all"


class Scale(StrEnum):
    """What a grey value of a PNG file means."""

    LOG = "log"
    COUNTS = "counts"


def export(
    path: DataPath,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file (HDF5) or folder to make.")
    ],
    to: Annotated[Format, typer.Option("--to", help="The format.")],
    *,
    split: Annotated[Part, typer.Option(help="Export only this part.")] = Part.ALL,
    scale: Annotated[
        Scale | None,
        typer.Option(
            help="For png: log is 8 bits on a logarithmic scale (the default), counts is 16 bits "
            "without loss."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an export that is there.")
    ] = False,
    json: Json = False,
) -> None:
    """Export a dataset for other tools, with all columns, calibration and recipe.

    **hdf5** is one file in the EMD layout, which HyperSpy, py4DSTEM and h5py open. **png** is a
    folder for torchvision's ImageFolder, with a labels.csv. **webdataset** is a folder of tar
    files.
    """
    from crystalvision.exchange import export_hdf5, export_png, export_webdataset

    if scale is not None and to is not Format.PNG:
        raise InputError(
            f"--scale {scale.value}: {to.value} keeps images as they are; leave it out, or use "
            "--to png"
        )
    with steps() as begin:
        match to:
            case Format.HDF5:
                done = export_hdf5(
                    path, output, split=split.value, overwrite=overwrite, begin=begin
                )
            case Format.PNG:
                grey = (scale or Scale.LOG).value
                done = export_png(
                    path, output, split=split.value, scale=grey, overwrite=overwrite, begin=begin
                )
            case Format.WEBDATASET:
                done = export_webdataset(
                    path, output, split=split.value, overwrite=overwrite, begin=begin
                )
    if json:
        print_json(done)
    else:
        for note in done.notes:
            err.print(note, soft_wrap=True)
        files = "1 file" if done.files == 1 else f"{done.files:,} files"
        err.print(
            f"{done.samples:,} samples in {done.path}: {files}, {done.bytes / 1e6:,.1f} MB",
            soft_wrap=True,
        )
