"""`crystalvision index`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crystalvision.console import err, out, print_json, progress, styled
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import Crystal
    from crystalvision.plugins import Catalogue
    from crystalvision_simulate.indexing import Indexed
    from crystalvision_simulate.microscope import Measured

_LEFT_OUT = 5


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
    from crystalvision.figures import drawing
    from crystalvision.measured_files import Readers
    from crystalvision_simulate.indexing import draw_indexed, index_spots, spots_of_picture
    from crystalvision_simulate.microscope import read_pictures
    from crystalvision_simulate.pictures import check_output, refuse_source, save_figure
    from crystalvision_simulate.show import parse_place

    if pixel_size is not None and not 0 < pixel_size < 10:
        raise InputError(f"--pixel-size {pixel_size:g}: expected a size in 1/Å, such as 0.0125")
    catalogue = ctx.obj.catalogue
    crystals = _crystals(candidates, catalogue)
    pictures = read_pictures(file, Readers(catalogue))
    path = output or Path(f"{file.stem}-indexed.png")
    names = [path]
    if len(pictures) > 1:
        count = range(1, len(pictures) + 1)
        names = [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count]
    for name in names:
        refuse_source(name, [file])
    places = [check_output(name, overwrite=overwrite) for name in names]
    about = None if centre is None else parse_place(centre)
    told: list[dict[str, Any]] = []
    for picture, to in zip(pictures, places, strict=True):
        pattern, analysed = spots_of_picture(_sized(picture, pixel_size), about)
        with progress("indexing", len(crystals)) as advance:
            found = index_spots(
                pattern,
                crystals,
                tolerance=tolerance,
                greatest_index=greatest_index,
                advance=advance,
            )
        with drawing():
            save_figure(draw_indexed(pattern, analysed, found, picture.name), to, dpi=120)
        told.append({"picture": picture.name, "figure": to.path, "found": _as_json(found[:top])})
        if not json:
            _print(picture.name, found[:top])
            out.print(f"written to {to.path}", soft_wrap=True)
    if json:
        print_json({"pictures": told})


def _sized(picture: "Measured", pixel_size: float | None) -> "Measured":
    if pixel_size is None:
        return picture
    if picture.pixel_size_inv_angstrom is not None:
        raise InputError(
            f"--pixel-size {pixel_size:g}: {picture.name} states "
            f"{picture.pixel_size_inv_angstrom:g} 1/Å itself; leave the option out"
        )
    return replace(picture, pixel_size_inv_angstrom=pixel_size)


def _crystals(places: Sequence[str], catalogue: "Catalogue") -> "dict[str, Crystal]":
    """Candidates by name; files of a folder that hold no crystal are said and left out."""
    from crystalvision_simulate.structures.file import read_crystal

    found: dict[str, Crystal] = {}
    for place in places:
        path = Path(place)
        if catalogue.has("structure", place):
            found[place] = catalogue.create("structure", place)
        elif path.is_dir():
            files = sorted(path.rglob("*.cif"))
            wrong = []
            for file in files:
                try:
                    found[str(file.relative_to(path))] = read_crystal(file)
                except InputError as error:
                    wrong.append(str(error))
            for line in wrong[:_LEFT_OUT]:
                err.print(f"note: left out: {line}", markup=False, soft_wrap=True)
            if len(wrong) > _LEFT_OUT:
                err.print(f"note: {len(wrong) - _LEFT_OUT} more were left out")
            if len(wrong) == len(files):
                raise InputError(f"--candidates {place}: the folder holds no CIF that can be read")
        elif path.is_file():
            found[path.name] = read_crystal(path)
        else:
            raise InputError(
                f"--candidates {place}: no such file, folder or structure; structures: "
                f"{', '.join(catalogue.names('structure'))}"
            )
    return found


def _print(name: str, found: "Sequence[Indexed]") -> None:
    from rich.table import Table

    from crystalvision_simulate.indexing import axis_text

    if not found:
        out.print(f"{name}: no candidate has a zone in which two of its spots lie", soft_wrap=True)
        return
    table = Table(title=styled(name))
    for heading in ("candidate", "zone axis"):
        table.add_column(heading)
    for heading in ("score", "spots", "off [1/Å]", "pixel ×"):
        table.add_column(heading, justify="right")
    for one in found:
        table.add_row(
            styled(one.name),
            styled(axis_text(one.zone_axis)),
            f"{one.score:.2f}",
            f"{one.explained} of {one.spots}",
            f"{one.misfit_inv_angstrom:.4f}",
            f"{one.scale:.4f}",
        )
    out.print(table)


def _as_json(found: "Sequence[Indexed]") -> list[dict[str, object]]:
    return [
        {
            "candidate": one.name,
            "zone_axis": one.zone_axis,
            "score": round(one.score, 4),
            "explained": one.explained,
            "spots": one.spots,
            "scale": round(one.scale, 6),
            "rotation_deg": round(one.rotation_deg, 3),
            "misfit_inv_angstrom": round(one.misfit_inv_angstrom, 6),
            "hkl": one.hkl.tolist(),
        }
        for one in found
    ]
