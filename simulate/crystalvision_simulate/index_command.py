"""`crystalvision index`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import out, print_json, styled

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision_simulate.indexed_pictures import IndexedPicture


def index(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A measured picture of spots, or several.")
    ],
    *,
    candidates: Annotated[
        list[str],
        typer.Option(
            metavar="PLACE",
            help="What it may be: a crystal file (CIF, …), a folder of them, or a structure by its "
            "name. Repeat it for each.",
        ),
    ],
    pixel_size: Annotated[
        float | None,
        typer.Option(
            "--pixel-size", help="The side of a pixel [1/Å], where the file does not state it."
        ),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN", help="Pixel of the direct beam, from 0, about.  [default: found]"
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0.001, max=0.2, help="By what share the size of a pixel may be wrong."),
    ] = 0.03,
    greatest_index: Annotated[
        int, typer.Option(min=1, max=8, help="Of the zone axes that are tried.")
    ] = 4,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Explanations to tell.")] = 8,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The figure: .png, .pdf or .svg; by default NAME-indexed.png. Of several pictures "
            "each has its own, with its number.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the figure that is there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Tell phase and zone axis from the spots of a picture: calculated positions against found.

    The score is how much likelier the spots are with the crystal's reflections than by chance: a
    classical answer to set beside a network's. Judge the figure, and mind candidates whose scores
    are near each other.
    """
    from crystalvision.measured_files import Readers
    from crystalvision_simulate.indexed_pictures import index as index_pictures
    from crystalvision_simulate.microscope import count_pictures
    from crystalvision_simulate.pictures import check_output, refuse_source, save_figure
    from crystalvision_simulate.show import parse_place

    path = output or Path(f"{file.stem}-indexed.png")
    count = count_pictures(file, Readers(ctx.obj.catalogue))
    names = [path]
    if count > 1:
        numbers = range(1, count + 1)
        names = [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in numbers]
    for name in names:
        refuse_source(name, [file])
    places = [check_output(name, overwrite=overwrite) for name in names]
    column_row = None if centre is None else parse_place(centre)
    pictures = index_pictures(
        file,
        candidates=candidates,
        pixel_size_inv_angstrom=pixel_size,
        centre=None if column_row is None else column_row[::-1],
        tolerance=tolerance,
        greatest_index=greatest_index,
        session=ctx.obj.session,
    )
    for picture, place in zip(pictures, places, strict=True):
        save_figure(picture.plot(), place, dpi=120)
        if not json:
            _print(picture, top)
            out.print(f"written to {place.path}", soft_wrap=True)
    if json:
        told = [
            {**picture.as_json(top), "figure": place.path}
            for picture, place in zip(pictures, places, strict=True)
        ]
        print_json({"pictures": told})


def _print(picture: "IndexedPicture", top: int) -> None:
    from rich.table import Table

    if not picture.found:
        out.print(
            f"{picture.name}: no candidate has a zone in which two of its spots lie",
            markup=False,
            soft_wrap=True,
        )
        return
    rows = picture.table(top)
    table = Table(title=styled(picture.name))
    for heading in rows.columns:
        table.add_column(heading, justify="left" if heading in rows.columns[:2] else "right")
    for name, axis, score, spots, off, scale in rows.itertuples(index=False):
        table.add_row(
            styled(name), styled(axis), f"{score:.2f}", spots, f"{off:.4f}", f"{scale:.4f}"
        )
    out.print(table)
