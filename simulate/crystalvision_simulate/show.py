"""`crystalvision show`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import err, out, print_json
from crystalvision.errors import InputError
from crystalvision.ranges import MAX_SEED

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import CrystalFacts
    from crystalvision_simulate.pictures import View


def show(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|STRUCTURE|DATA.zarr[INDEX]|FILE",
            help="A recipe or a structure by its name, a recipe's YAML file, a crystal file (CIF, "
            "POSCAR, …), a dataset, or a measured file.",
        ),
    ],
    beside: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE|DATA.zarr[INDEX]",
            help="Of a measured picture: draw these simulated ones beside it, on the same scales.",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The figure: .png, .pdf or .svg; by default NAME.png."),
    ] = None,
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", help="Only the first sample of this class. Repeatable."),
    ] = None,
    sample: Annotated[
        list[int] | None, typer.Option(help="Only this sample, counted from 0. Repeatable.")
    ] = None,
    zone_axis: Annotated[
        str | None, typer.Option(metavar="U,V,W", help="The direction along the beam.")
    ] = None,
    renderer: Annotated[
        str | None, typer.Option(help="The renderer, such as kinematic, with its defaults.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Seed, instead of the recipe's.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a value of the recipe, such as specimen.thickness_angstrom=50. Repeatable.",
        ),
    ] = None,
    window_angstrom: Annotated[
        float | None, typer.Option(help="Diameter of the part of the crystal to show.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option(metavar="NAME", help="Reader of a measured file.")
    ] = None,
    dpi: Annotated[int, typer.Option(help="Pixels an inch of a PNG.", min=30, max=600)] = 150,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the figure that is there.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Write what the figure says as JSON as well.")
    ] = False,
) -> None:
    """Draw crystals with their defects marked, their ideal patterns, and what a detector sees.

    Of a measured file it prints and draws what was read, with units, and what was assumed; with a
    recipe or a dataset after it, it draws these beside it: the same 1/Å, the same colours.

    With --json, `structure` says what was read of the ideal crystal and what was assumed: one
    object, or a list if the samples are of several crystals; beside each sample stands its own.
    """
    from crystalvision.measured_files import Readers, shown_file
    from crystalvision_simulate.pictures import (
        Choice,
        check_output,
        draw_figure,
        find_subject,
        save_figure,
        views_of,
    )
    from crystalvision_simulate.show_beside import show_beside
    from crystalvision_simulate.show_measured import refuse_idle, show_measured

    catalogue = ctx.obj.catalogue
    readers = Readers(catalogue)
    measured = shown_file(what, readers)
    if measured is not None:
        if beside is not None:
            overrides = [*(set_ or []), *([] if seed is None else [f"seed={seed}"])]
            show_beside(
                measured,
                find_subject(beside, catalogue),
                catalogue,
                overrides=overrides,
                choice=Choice(class_ or (), sample or ()),
                reader=reader,
                output=output,
                dpi=dpi,
                overwrite=overwrite,
            )
            return
        idle: dict[str, object] = {
            "--class": class_,
            "--sample": sample,
            "--zone-axis": zone_axis,
            "--set": set_,
        }
        idle |= {"--renderer": renderer, "--seed": seed, "--window-angstrom": window_angstrom}
        refuse_idle(measured[0], idle)
        show_measured(
            *measured,
            readers,
            reader=reader,
            output=output,
            dpi=dpi,
            overwrite=overwrite,
            json=json,
        )
        return
    if beside is not None:
        raise InputError(
            f"{beside}: simulated patterns are drawn beside a measured picture, and {what} is "
            "none; give one of them alone"
        )
    subject = find_subject(what, catalogue)
    path = output or Path(f"{subject.stem}.png")
    destination = check_output(path, overwrite=overwrite)
    overrides = [*(set_ or [])]
    overrides += (
        [f"specimen.zone_axis={list(parse_axis(zone_axis))}"] if zone_axis is not None else []
    )
    overrides += [f"renderer={renderer}"] if renderer is not None else []
    overrides += [f"seed={seed}"] if seed is not None else []
    choice = Choice(class_ or (), sample or (), window_angstrom)
    views = views_of(subject, catalogue, overrides, choice)
    save_figure(draw_figure(views, subject.title), destination, dpi=dpi)
    if json:
        structures = [_facts_as_json(facts) for facts in _facts_of(views)]
        one = structures[0] if len(structures) == 1 else structures
        samples = [_as_json(view) for view in views]
        print_json({"figure": path, "structure": one, "samples": samples})
        return
    for facts in _facts_of(views):
        err.print(str(facts), markup=False, soft_wrap=True)
        for assumed in facts.assumed:
            err.print(f"  assumed: {assumed}", markup=False, soft_wrap=True)
    for view in views:
        if view.note:
            err.print(f"{view.name}: {view.note}", soft_wrap=True)
    out.print(f"written to {path}", soft_wrap=True)


def _facts_of(views: Sequence["View"]) -> list["CrystalFacts"]:
    """What the ideal crystals of views are, each once."""
    return list(dict.fromkeys(view.structure for view in views if view.structure is not None))


def _facts_as_json(facts: "CrystalFacts | None") -> dict[str, object] | None:
    return None if facts is None else facts.model_dump(mode="json")


def parse_place(text: str) -> tuple[float, float]:
    """Column and row of the direct beam [pixel], from `ROW,COLUMN`.

    Raises:
        InputError: Another text.
    """
    try:
        row, column = map(float, text.split(","))
    except ValueError as error:
        raise InputError(
            f"--centre {text}: expected a row and a column, such as 127.5,130"
        ) from error
    return column, row


def parse_axis(text: str) -> tuple[int, int, int]:
    """A zone axis as the user writes it: 1,1,0 or [1 -1 0] or 110.

    Raises:
        InputError: It is none.
    """
    bare = text.strip().strip("[]")
    words = list(bare) if bare.isdecimal() and len(bare) == 3 else bare.replace(",", " ").split()
    try:
        axis = [int(word) for word in words]
    except ValueError:
        axis = []
    if len(axis) != 3:
        raise InputError(f"--zone-axis {text}: expected three whole numbers, such as 1,1,0")
    return axis[0], axis[1], axis[2]


def _as_json(view: "View") -> dict[str, object]:
    ideal = next((pattern for pattern in view.patterns if pattern.labels), None)
    return {
        "sample": view.index,
        "name": view.name,
        "details": view.details,
        "columns": view.columns,
        "labels": ideal.labels if ideal is not None else [],
        "note": view.note,
        "structure": _facts_as_json(view.structure),
    }
