"""What a user states of how patterns were recorded, as the command line writes it."""

from typing import Annotated

import typer

from crystalvision.errors import InputError

WavelengthOption = Annotated[
    float | None,
    typer.Option(
        "--wavelength-angstrom",
        help="Wavelength in Å, of Kα₁ where there are two, of files that do not state it.",
    ),
]
AnodeOption = Annotated[
    str | None,
    typer.Option(
        metavar="SYMBOL",
        help="Anode of the X-ray tube, such as Cu, of files that state no wavelength.",
    ),
]
ReaderOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Reader of the files.  [default: the one that knows each]"),
]


def pixel_sizes(both: float | None, rows: float | None) -> float | tuple[float, float] | None:
    """Size of a pixel [1/Å], or that of rows and that of columns.

    Raises:
        InputError: That of rows alone.
    """
    if rows is None:
        return both
    if both is None:
        raise InputError(
            f"--pixel-size-y-inv-angstrom {rows:g} is that of rows alone; give "
            "--pixel-size-inv-angstrom for columns, too"
        )
    return rows, both


def direct_beam(text: str | None) -> tuple[float, float] | None:
    """Row and column of the direct beam from `ROW,COLUMN`.

    Raises:
        InputError: Another text.
    """
    if text is None:
        return None
    try:
        row, column = map(float, text.split(","))
    except ValueError as error:
        raise InputError(
            f"--centre {text}: expected a row and a column, such as 127.5,130"
        ) from error
    return row, column
