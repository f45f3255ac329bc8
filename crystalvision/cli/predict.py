"""`crystalvision predict`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from crystalvision.cli._differences import DespiteOption, differences
from crystalvision.cli._library import print_matches
from crystalvision.cli._predictions import note_maps, print_maps, print_table
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
from crystalvision.cli._refined import print_likeliest, print_refined
from crystalvision.cli._state import State
from crystalvision.console import out, print_json
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.api.predictions import Predicted


def predict(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...",
            help="Measured files, as instruments write them; folders of them, or a CSV file with a "
            "column file; DATA.zarr, 'DATA.zarr[3]' or 'DATA.zarr[0:10]'.",
        ),
    ],
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Draw what speaks for what is said.")
    ] = False,
    explain_to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where --explain writes PNG files.  [default: explained]"
        ),
    ] = None,
    uncertainty: Annotated[
        Literal["dropout", "ensemble"] | None,
        typer.Option(help="Ask several times: with dropout at work, or several runs."),
    ] = None,
    passes: Annotated[
        int | None,
        typer.Option(min=2, max=10_000, help="How often dropout is asked.  [default: 30]"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="Draws what dropout leaves out.  [default: 0]"),
    ] = None,
    ensemble: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="A further run to ask; give it for each of them."),
    ] = None,
    uncalibrated: Annotated[
        bool,
        typer.Option(
            "--uncalibrated", help="Probabilities as the system gives them, and no flags."
        ),
    ] = False,
    gap_value: GapValueOption = None,
    pixel_size: PixelSizeOption = None,
    centre: CentreOption = None,
    energy_kev: EnergyOption = None,
    wavelength_angstrom: WavelengthOption = None,
    anode: AnodeOption = None,
    reader: ReaderOption = None,
    candidates: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PLACE",
            help="Compare with candidates in a file or folder, such as a folder of CIF files, "
            "instead of the classes that the run was trained on. Repeat it for each.",
        ),
    ] = None,
    library: Annotated[
        bool, typer.Option("--library", help="Compare with the candidates in the run's library.")
    ] = False,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Likeliest classes, or candidates, to tell of each pattern.  [default: 5 with "
            "--candidates or --library]",
        ),
    ] = None,
    elements: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOLS", help="Only classes of some of these elements, such as Ti,O."
        ),
    ] = None,
    with_elements: Annotated[
        str | None,
        typer.Option(metavar="SYMBOLS", help="Only classes that hold all of these elements."),
    ] = None,
    refine: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Fit so many of the likeliest classes to each pattern."),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(min=1, max=8, help="Classes that may be in a pattern together.  [default: 1]"),
    ] = None,
    misfit_limit: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Misfit above which a pattern is none of the classes.  [default: that of 95 % of "
            "simulated patterns]",
        ),
    ] = None,
    refine_to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where --refine writes PNG files.  [default: refined]"),
    ] = None,
    despite: DespiteOption = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write a .csv or .json file, and maps into an .npz file beside it.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the table that is there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
) -> None:
    """Say what each image shows, how surely: its class, how severe the defect is, or another."""
    from crystalvision.api.runs import TOP, Run
    from crystalvision.api.tables import check_table

    if json and csv:
        raise InputError("--json and --csv: choose one of them")
    if overwrite and output is None:
        raise InputError("--overwrite does nothing without -o; give that, too")
    table = None if output is None else check_table(output, read=images, overwrite=overwrite)
    if explain_to is not None and not explain:
        raise InputError(
            f"--explain-to {explain_to} does nothing without --explain; give that, too"
        )
    state: State = ctx.obj
    asked = Run.load(run, state.session)
    described: dict[str, Any] = {
        "gap_values": gap_value,
        "pixel_size_inv_angstrom": pixel_size,
        "centre": direct_beam(centre),
        "energy_kev": energy_kev,
        "wavelength_angstrom": wavelength_angstrom,
        "anode": anode,
        "reader": reader,
        "despite": differences(despite),
        "device": device,
    }
    if candidates or library:
        _refuse(
            {
                "--explain": explain,
                "--uncertainty": uncertainty,
                "--ensemble": ensemble,
                "--elements": elements,
                "--with-elements": with_elements,
                "--refine": refine,
            },
            "cannot be had with --candidates or --library; leave it out",
        )
        matches = asked.look_up(
            *images, candidates=candidates or (), library=library, top=top or TOP, **described
        )
        if table is not None:
            matches.save(table)
        _show(matches, print_matches, json=json, csv=csv)
        return
    predicted = asked.predict(
        *images,
        uncertainty=uncertainty,
        passes=passes,
        seed=seed,
        ensemble=ensemble or (),
        calibrated=not uncalibrated,
        explain_to=(explain_to or Path("explained")) if explain else None,
        elements=elements,
        with_elements=with_elements or (),
        top=top,
        refine=refine,
        parts=parts,
        misfit_limit=misfit_limit,
        refine_to=refine_to,
        **described,
    )
    if table is not None:
        print_maps(predicted.predictions, predicted.save(table, overwrite=overwrite))
    else:
        note_maps(predicted.predictions)
    _show(predicted, _print, json=json, csv=csv)


def _print(found: "Predicted") -> None:
    print_table(found.names, found.predictions)
    if "likeliest" in found.more:
        print_likeliest(found.names, found.more["likeliest"])
    print_refined(found.refined)


def _refuse(options: Mapping[str, object], why: str) -> None:
    """Refuse options that were given.

    Raises:
        InputError: One was.
    """
    for option, value in options.items():
        if value:
            raise InputError(f"{option} {why}")


def _show(found: Any, print_it: Callable[[Any], None], *, json: bool, csv: bool) -> None:
    if json:
        print_json(found.as_json())
    elif csv:
        out.write(found.as_csv())
    else:
        print_it(found)
