"""`crystalvision bound`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import err, out, print_json, progress, styled
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.sources import AccuracyBound, BoundPoint
    from crystalvision.storage import Destination
    from crystalvision_simulate.recipes import Recipe

_FEW = 2


def bound(
    ctx: typer.Context,
    recipe: Annotated[
        str, typer.Argument(help="A recipe's YAML file, or the name of a shipped recipe.")
    ],
    *,
    samples: Annotated[
        int,
        typer.Option(
            help="Patterns to draw: thickness, mistilt, rotation and so on.", min=2, max=1_000_000
        ),
    ] = 50,
    specimens: Annotated[
        int,
        typer.Option(
            help="Specimens of each class to compare each pattern with.", min=1, max=10_000
        ),
    ] = 4,
    untold: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN,…",
            help="Tell nobody these, such as thickness_angstrom, or all that varies; use more "
            "specimens, such as 16.",
        ),
    ] = None,
    parts: Annotated[
        int,
        typer.Option(
            help="Of what is untold, tell in which of so many equal parts of its range it lies.",
            min=1,
            max=1_000_000,
        ),
    ] = 1,
    doses: Annotated[
        str | None,
        typer.Option(metavar="N,N,…", help="A bound for each of these, in electrons a pattern."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="A bound for each value that the recipe chooses this from; by default of the "
            "dose, where there are several.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what is drawn.", min=0, max=2**63 - 1)] = 0,
    device: Annotated[str, typer.Option(help="Where to render: cpu, cuda or auto.")] = "cpu",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a value of the recipe, such as specimen.thickness_angstrom=50. Repeatable.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Keep the bound, as JSON.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Describe the bound as JSON.")] = False,
) -> None:
    """Estimate how well the classes of a recipe can be told apart at most, given its electrons."""
    from crystalvision.sources import SourceSpec
    from crystalvision.training import choose_device
    from crystalvision_simulate.recipes import SOURCE, load_recipe

    destination = None if output is None else _check_output(output, overwrite=overwrite)
    catalogue = ctx.obj.catalogue
    loaded = load_recipe(recipe, catalogue, set_ or [])
    column = by if by is not None else _column(loaded)
    if doses is not None:
        loaded = _with_doses(loaded, _numbers(doses))
        column = by or "dose_electrons"
    spec = SourceSpec(
        SOURCE,
        loaded.model_dump(mode="json"),
        str(choose_device(device)),
        plugins=ctx.obj.selection,
    )
    source = spec.open(catalogue)
    with progress("Comparing", samples) as advance:
        found = source.accuracy_bound(
            patterns=samples,
            specimens=specimens,
            untold=[] if untold is None else untold.replace(",", " ").split(),
            parts=parts,
            column=column,
            seed=seed,
            advance=advance,
        )
    if found is None:  # no source of ours, but a contract is a contract
        raise InputError(f"recipe '{loaded.name}': its source does not know its own noise")
    if destination is not None:
        found.save(destination)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _print(found)


def _check_output(path: Path, *, overwrite: bool) -> "Destination":
    """Check that the bound may be written, before any work is done.

    Raises:
        InputError: Something is there.
    """
    from crystalvision.storage import Destination

    if path.is_dir():
        raise InputError(f"{path} is a folder; give -o the name of a file, such as bound.json")
    destination = Destination.look(path)
    if destination.taken and not overwrite:
        raise InputError(f"{path} exists; use --overwrite, or another -o")
    return destination


def _numbers(text: str) -> list[float]:
    """Doses as the user writes them: 1e2,1e3.

    Raises:
        InputError: Something is no number.
    """
    words = text.replace(",", " ").split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if not numbers:
        raise InputError(f"--doses {text}: expected numbers with commas, such as 1e2,1e3,1e4")
    return numbers


def _with_doses(recipe: "Recipe", doses: list[float]) -> "Recipe":
    """The recipe with a choice of doses; one without instrument as it is, to be refused later."""
    instrument = recipe.instrument
    if instrument.name == "none":
        return recipe
    options = {**instrument.options, "dose_electrons": {"choice": doses}}
    options.pop("dose_electrons_per_angstrom2", None)
    return recipe.model_copy(
        update={"instrument": instrument.model_copy(update={"options": options})}
    )


def _column(recipe: "Recipe") -> str:
    """The dose, where the recipe chooses it from several; otherwise all patterns together."""
    from crystalvision_simulate.recipes import Quantity

    for name in ("dose_electrons", "dose_electrons_per_angstrom2"):
        dose = recipe.instrument.options.get(name)
        if Quantity.describes(dose):
            choices = Quantity.parse(dose, f"instrument: {name}").choices
            if choices is not None and len(choices) >= _FEW:
                return name
    return ""


def _print(found: "AccuracyBound") -> None:
    """Write the bound as a table, and how to read it."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    informed = any(point.informed is not None for point in found.points)
    if found.column:
        table.add_column(found.column, justify="right")
    table.add_column("upper bound (95 %)")
    if informed:
        table.add_column("informed reference (95 %)")
    for point in found.points:
        value = [f"{point.value:g}"] if found.column else []
        table.add_row(*value, *_cells(point))
    out.print(
        styled((f"Accuracy on recipe '{found.recipe}'", "bold"), f", {_classes(found)}"),
        soft_wrap=True,
    )
    out.print(table)
    note = (
        f"From {found.patterns} draws of the nuisance and {found.specimens} specimens of each "
        "class. No classifier of these patterns can do better, on average, than the upper bound."
    )
    if informed:
        known = "as much of the nuisance" if found.untold else "the nuisance"
        note += (
            f" The reference knows {known}, not the specimen: between the two lies the best "
            f"accuracy of who knows {known}."
        )
    err.print(note)


def _cells(point: "BoundPoint") -> list[str]:
    cells = [f"{point.upper:.3f} ({point.upper_low:.3f} to {point.upper_high:.3f})"]
    if point.informed is not None:
        cells.append(
            f"{point.informed:.3f} ({point.informed_low:.3f} to {point.informed_high:.3f})"
        )
    return cells


def _classes(found: "AccuracyBound") -> str:
    greatest = max(found.class_shares)
    return f"{len(found.class_names)} classes, the most frequent {greatest:.1%} of the patterns"
