"""What a user states of measured files, as the command line writes it, for all commands."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.errors import InputError

if TYPE_CHECKING:  # numpy and torch take time to import, and --help must not wait for them
    from crystalvision.contracts import Axis
    from crystalvision.datasets import Conditions

_MOST_DEG = 180.0
_MOST_POINTS = 2**20

GapValueOption = Annotated[
    list[str] | None,
    typer.Option(
        "--gap-value",
        metavar="VALUE",
        help="Value of pixels that the detector did not measure, such as 4294967295 or nan, which "
        "are masked as not seen; none if every value is a count. Repeat it for each.",
    ),
]
PixelSizeOption = Annotated[
    float | None,
    typer.Option(
        "--pixel-size-inv-angstrom",
        help="Size of a pixel in 1/Å, of images that do not state it; onto a run's axes they are "
        "then carried.",
    ),
]
CentreOption = Annotated[
    str | None,
    typer.Option(
        "--centre",
        metavar="ROW,COLUMN",
        help="Pixel of their direct beam, from 0.  [default: half of the image's size]",
    ),
]
EnergyOption = Annotated[
    float | None,
    typer.Option("--energy-kev", help="Energy of the beam in keV, where it is not stated."),
]
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
    typer.Option(
        metavar="NAME",
        help="Reader of the files, or '{name: NAME, OPTION: VALUE}'.  [default: the one that knows "
        "each]",
    ),
]
AxisOption = Annotated[
    str | None,
    typer.Option(
        "--axis",
        metavar="MIN:MAX:STEP",
        help="2θ in degrees onto which all curves are brought, such as 10:90:0.02.",
    ),
]
LikeOption = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN|DATA",
        help="Bring patterns onto the axes of a run or a dataset, curves onto its wavelength, too.",
    ),
]


def two_theta_axis(text: str | None) -> "Axis | None":
    """The axis of `MIN:MAX:STEP` in degrees of 2θ.

    Raises:
        InputError: Another text, or numbers that make no axis.
    """
    if text is None:
        return None
    from crystalvision.contracts import Axis

    try:
        low, high, step = map(float, text.split(":"))
        points = math.floor((high - low) / step + 1e-6) + 1
        if not (0 <= low < high <= _MOST_DEG and 1 < points <= _MOST_POINTS):
            raise ValueError(text)  # noqa: TRY301 - told like a number that is none
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise InputError(
            f"--axis {text}: expected MIN:MAX:STEP in degrees of 2θ, such as 10:90:0.02"
        ) from error
    return Axis(name="two_theta", size=points, scale=step, offset=low, units="degree")


def conditions_like(path: Path | None) -> "Conditions | None":
    """How the patterns of a run or of a dataset were recorded.

    Raises:
        InputError: It is neither.
    """
    if path is None:
        return None
    from crystalvision.datasets import Conditions, Dataset
    from crystalvision.runs import load_record

    if not path.exists():
        raise InputError(f"--like {path}: no such run or dataset")

    if (path / "run.yaml").is_file():
        return load_record(path).conditions
    return Conditions.of_dataset(Dataset.open(path))


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
