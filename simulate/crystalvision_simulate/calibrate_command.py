"""`crystalvision calibrate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import err, out, print_json, progress
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import Crystal
    from crystalvision.plugins import Catalogue
    from crystalvision.storage import Destination
    from crystalvision_simulate.microscope import Calibrated


def calibrate(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|FOLDER…",
            help="Measured patterns of one camera at one camera length.",
        ),
    ],
    *,
    crystal: Annotated[
        str | None,
        typer.Option(
            metavar="STRUCTURE|FILE",
            help="What the patterns are of: a structure by its name, or a crystal file (CIF, …). "
            "Its rings or spots tell the camera constant.",
        ),
    ] = None,
    zone_axis: Annotated[
        str | None,
        typer.Option(metavar="U,V,W", help="The direction along the beam, where it is known."),
    ] = None,
    scale_bar: Annotated[
        float | None,
        typer.Option("--scale-bar-inv-nm", help="The number at the scale bar [1/nm]."),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option("--pixel-size", help="The side of a pixel, about [1/Å]."),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN",
            help="Pixel of the direct beam, from 0, about: where the figure shows it elsewhere, as "
            "behind a beam stop at the edge of the picture.  [default: found]",
        ),
    ] = None,
    pixels: Annotated[
        int | None,
        typer.Option(
            min=32, max=4096, help="Pixels of the twin along a side; by default up to 512."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The twin, as an instrument of recipes.")
    ] = Path("instrument.yaml"),
    figure: Annotated[
        Path | None,
        typer.Option(
            help="The figure of what was found: .png, .pdf or .svg; by default beside the twin. Of "
            "several pictures each has its own, with its number."
        ),
    ] = None,
    corrected: Annotated[
        Path | None,
        typer.Option(
            help="The pictures centred, without ellipse, with what is hidden masked, as an EMD "
            "file for predict, evaluate and dataset import: a name that ends .emd."
        ),
    ] = None,
    as_twin: Annotated[
        Path | None,
        typer.Option(
            help="The pictures as the twin takes them, on its pixels, what is hidden masked, as "
            "an EMD file: for models that were trained on the twin."
        ),
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="Figures for a dark page.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Write what was found as JSON as well.")
    ] = False,
) -> None:
    """Find what measured patterns tell of their microscope, and write its simulated twin.

    Centre, also behind a beam stop; elliptical distortion; size of a pixel; beam stop, bad pixels
    and what was written into the picture; point spread, background, gain and dose as far as they
    can be told. Judge the figure before you use the twin: `instrument: ./instrument.yaml` in a
    recipe.
    """
    from crystalvision.measured_files import Readers, files_of_folder
    from crystalvision.storage import whole_file
    from crystalvision_simulate.microscope import (
        Known,
        as_json,
        facts,
        read_pictures,
        twin,
        write_as_twin,
        write_corrected,
        yaml_of,
    )
    from crystalvision_simulate.microscope import calibrate as calibrate_pictures
    from crystalvision_simulate.pictures import refuse_source
    from crystalvision_simulate.show import parse_axis, parse_place

    catalogue = ctx.obj.catalogue
    _check_positive("--scale-bar-inv-nm", scale_bar)
    _check_positive("--pixel-size", pixel_size)
    if output.suffix not in (".yaml", ".yml"):
        raise InputError(f"{output}: the twin is written as YAML; give -o a name that ends .yaml")
    to = _free(output, overwrite=overwrite)
    written = {
        place: (write, _emd(place, overwrite=overwrite))
        for place, write in (
            (corrected, write_corrected),
            (as_twin, lambda found, path: write_as_twin(found, path, pixels)),
        )
        if place is not None
    }
    known = Known(
        crystal=None if crystal is None else _crystal(crystal, catalogue),
        pixel_size_inv_angstrom=pixel_size,
        scale_bar_inv_angstrom=None if scale_bar is None else scale_bar / 10,
        zone_axis=None if zone_axis is None else parse_axis(zone_axis),
        centre=None if centre is None else parse_place(centre),
    )
    readers = Readers(catalogue)
    files = [
        file
        for path in files
        for file in (files_of_folder(path, readers) if path.is_dir() else [path])
    ]
    pictures = [picture for path in files for picture in read_pictures(path, readers)]
    for place in _names(figure or output.with_suffix(".png"), len(pictures)):
        refuse_source(place, files)
    for name in written:
        refuse_source(name, files)
    places = _figures(figure or output.with_suffix(".png"), len(pictures), overwrite=overwrite)
    found = calibrate_pictures(pictures, known)
    _save_figures(found, places, dark=dark)
    for one in found:
        err.print(one.analysed.measured.name, soft_wrap=True)
        for name, value in facts(one):
            err.print(f"  {name}: {value}", soft_wrap=True)
    try:
        options = twin(found, pixels)
    except InputError as error:  # the same line again, mended, would stop at the figures
        raise InputError(
            f"{error}, and --overwrite, as what was found is drawn in {places[0].path}"
        ) from error
    _write(to, yaml_of(options, found))
    for write, to_pictures in written.values():
        with whole_file(to_pictures, overwrite=True) as partial:
            write(found, partial)
    if json:
        print_json({"instrument": options, "pictures": [as_json(one) for one in found]})
        return
    out.print(f"written to {output}; look at {places[0].path}", soft_wrap=True)


def _check_positive(option: str, value: float | None) -> None:
    if value is not None and not 0 < value < 1e6:
        raise InputError(f"{option} {value:g}: expected more than 0")


def _crystal(text: str, catalogue: "Catalogue") -> "Crystal":
    """A structure by its name, or the crystal in a file."""
    from crystalvision_simulate.structures.file import read_crystal

    if catalogue.has("structure", text):
        return catalogue.create("structure", text)
    if Path(text).exists():
        return read_crystal(Path(text))
    names = ", ".join(catalogue.names("structure"))
    raise InputError(f"--crystal {text}: no such file or structure; structures: {names}")


def _figures(path: Path, count: int, *, overwrite: bool) -> "list[Destination]":
    """Where the figure of each picture goes."""
    from crystalvision_simulate.pictures import check_output

    return [check_output(name, overwrite=overwrite) for name in _names(path, count)]


def _names(path: Path, count: int) -> list[Path]:
    """Names of the figures of so many pictures."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{number + 1}{path.suffix}") for number in range(count)]


def _save_figures(
    found: "Sequence[Calibrated]",
    places: "Sequence[Destination]",
    *,
    dark: bool,
) -> None:
    from crystalvision.figures import drawing
    from crystalvision_simulate.microscope import draw
    from crystalvision_simulate.pictures import save_figure

    with progress("Drawing", len(found)) as advance:
        for one, place in zip(found, places, strict=True):
            with drawing():
                figure = draw(one, dark=dark)
            save_figure(figure, place, dpi=120)
            advance()


def _free(path: Path, *, overwrite: bool) -> "Destination":
    from crystalvision.storage import Destination

    destination = Destination.look(path)
    if destination.taken and not overwrite:
        raise InputError(f"{path} exists; use --overwrite, or another -o")
    return destination


def _emd(path: Path, *, overwrite: bool) -> "Destination":
    if path.suffix != ".emd":
        raise InputError(f"{path}: pictures are written as EMD; give a name that ends .emd")
    return _free(path, overwrite=overwrite)


def _write(to: "Destination", text: str) -> None:
    from crystalvision.storage import whole_file

    with whole_file(to, overwrite=True) as partial:
        partial.write_text(text, encoding="utf-8")
