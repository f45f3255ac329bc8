"""Shows the likeliest candidates, and what was fitted to patterns."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crystalvision.console import out

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.prediction import RefinedPattern


def print_likeliest(names: Sequence[str], found: Sequence[Any]) -> None:
    """Write the likeliest classes of each pattern below one another."""
    from rich.table import Table

    table = Table(box=None)
    table.add_column("image", overflow="fold")
    table.add_column("likeliest", overflow="fold")
    table.add_column("probability", justify="right", no_wrap=True)
    for name, classes in zip(names, found, strict=True):
        for place, one in enumerate(classes):
            table.add_row("" if place else name, one["class"], f"{one['probability']:.3f}")
    out.print(table)


def print_refined(found: "Sequence[RefinedPattern]") -> None:
    """Write a table of what was fitted to each pattern, what explains most first."""
    from rich.table import Table

    for each in found:
        table = Table(box=None, title=each.name, title_justify="left")
        for heading in ("candidate", "probability", "share by weight", "R_wp", "misfit", "fitted"):
            table.add_column(heading, overflow="fold")
        for one in each.refinements:
            for number, part in enumerate(one.parts):
                probability = each.probabilities.get(part.candidate)
                fitted = ", ".join(
                    _parameters(
                        {**one.parameters, **part.parameters}, (*one.at_bounds, *part.at_bounds)
                    )
                )
                table.add_row(
                    part.candidate,
                    "" if probability is None else f"{probability:.3f}",
                    f"{part.weight_fraction:.3f}",
                    f"{one.residual:.1%}" if not number else "",
                    f"{one.misfit:.3f}" if not number else "",
                    fitted,
                )
        out.print(table)
        if each.refused:
            limit = "" if each.limit is None else f" (misfit above {each.limit:.3f})"
            out.print(f"! {each.name} is none of these{limit}", style="bold red", markup=False)


def _parameters(values: "Mapping[str, float]", at_bounds: Collection[str]) -> list[str]:
    """What was fitted, each with its unit, and whether it is at an end of what a fit allows."""
    from crystalvision.text import quantity_text

    told = []
    for name, value in values.items():
        words, _, last = name.rpartition("_")
        unit = {"deg": "degree"}.get(last, last)
        known = unit in {"degree", "angstrom", "mm"}
        text = quantity_text(value, unit, 5) if known else f"{value:.4g}"
        bound = " (at its bound)" if name in at_bounds else ""
        told.append(f"{(words if known else name).replace('_', ' ')} {text}{bound}")
    return told
