"""`crystalvision calibrate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import err, out, print_json, progress
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.storage import Destination
    from crystalvision_simulate.calibrated_pictures import CalibratedPictures
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
    dose_electrons: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="Electrons of each picture, about, with those of the direct beam: they are not "
            "seen, so the twin has a wide range of doses and backgrounds where this is not given.",
        ),
    ] = None,
    dose_error: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="By what part of it --dose-electrons may be off: the less, the narrower the "
            "ranges of the twin.  [default: 0.2]",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The recipe that the twin is for: its specimens are simulated, and what they "
            "scatter diffusely is not taken for the microscope's background. Its own instrument "
            "does not matter.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the specimens of --recipe.")] = 0,
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
    from crystalvision.measured_files import Readers
    from crystalvision_simulate.calibrated_pictures import calibrate as calibrate_pictures
    from crystalvision_simulate.calibrated_pictures import files_of, specimens_of
    from crystalvision_simulate.microscope import count_pictures, part_facts
    from crystalvision_simulate.pictures import refuse_source
    from crystalvision_simulate.show import parse_axis, parse_place

    if output.suffix not in (".yaml", ".yml"):
        raise InputError(f"{output}: the twin is written as YAML; give -o a name that ends .yaml")
    if corrected is not None and corrected == as_twin:
        raise InputError(f"{corrected}: --corrected and --as-twin are two files; give two names")
    to = _free(output, overwrite=overwrite)
    to_corrected, to_twin = (_emd(place, overwrite=overwrite) for place in (corrected, as_twin))
    readers = Readers(ctx.obj.catalogue)
    files = files_of(files, readers)
    count = sum(count_pictures(path, readers) for path in files)
    drawn = figure or output.with_suffix(".png")
    for place in filter(None, (*_names(drawn, count), corrected, as_twin)):
        refuse_source(place, files)
    places = _figures(drawn, count, overwrite=overwrite)
    column_row = None if centre is None else parse_place(centre)
    simulate = None if recipe is None else specimens_of(recipe, seed, ctx.obj.session)
    found = calibrate_pictures(
        *files,
        crystal=crystal,
        zone_axis=None if zone_axis is None else parse_axis(zone_axis),
        scale_bar_inv_nm=scale_bar,
        pixel_size_inv_angstrom=pixel_size,
        centre=None if column_row is None else column_row[::-1],
        dose_electrons=dose_electrons,
        dose_error=dose_error,
        session=ctx.obj.session,
    )
    _save_figures(found, places, dark=dark)
    _tell(found.pictures)
    try:
        if simulate is not None:
            found = found.parted_by(simulate)
        options = found.instrument(pixels)
    except InputError as error:  # the same line again, mended, would stop at the figures
        raise InputError(
            f"{error}, and --overwrite, as what was found is drawn in {places[0].path}"
        ) from error
    if found.parted is not None:
        _print("without what specimens scatter diffusely", part_facts(found.parted))
    found.save(to, pixels=pixels)
    if to_corrected is not None:
        found.save_corrected(to_corrected)
    if to_twin is not None:
        found.save_as_twin(to_twin, pixels=pixels)
    if json:
        parted = {} if found.parted is None else {"without_specimens": found.parted.words}
        print_json({"instrument": options, "pictures": found.as_json(), **parted})
        return
    out.print(f"written to {output}; look at {places[0].path}", soft_wrap=True)


def _tell(pictures: "Sequence[Calibrated]") -> None:
    from crystalvision_simulate.microscope import facts

    for one in pictures:
        _print(one.analysed.measured.name, facts(one))


def _print(title: str, lines: Sequence[tuple[str, str]]) -> None:
    err.print(title, soft_wrap=True)
    for name, value in lines:
        err.print(f"  {name}: {value}", soft_wrap=True)


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
    found: "CalibratedPictures",
    places: "Sequence[Destination]",
    *,
    dark: bool,
) -> None:
    from crystalvision_simulate.pictures import save_figure

    with progress("Drawing", len(found)) as advance:
        for number, place in enumerate(places):
            save_figure(found.plot(number, dark=dark), place, dpi=120)
            advance()


def _free(path: Path, *, overwrite: bool) -> "Destination":
    from crystalvision.storage import Destination

    destination = Destination.look(path)
    if destination.taken and not overwrite:
        raise InputError(f"{path} exists; use --overwrite, or another -o")
    return destination


def _emd(path: Path | None, *, overwrite: bool) -> "Destination | None":
    if path is None:
        return None
    if path.suffix != ".emd":
        raise InputError(f"{path}: pictures are written as EMD; give a name that ends .emd")
    return _free(path, overwrite=overwrite)
