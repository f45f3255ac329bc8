"""What `library` and `predict` share: an option, and showing which candidates a pattern is like."""

from typing import TYPE_CHECKING, Annotated

import typer

from crystalvision.console import out

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.api.matches import Matched

Draws = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=1000,
        help="Expected patterns of each candidate, with all that varies drawn anew, whose mean "
        "place is kept; 0 for one with everything at the middle.  "
        "[default: 4, or that of the library]",
        show_default=False,
    ),
]


def print_matches(found: "Matched") -> None:
    """A table: the nearest candidates of each pattern, best first."""
    from rich.table import Table

    table = Table(box=None)
    table.add_column("image", overflow="fold")
    table.add_column("candidate", overflow="fold")
    for heading in ("similarity", "probability"):
        table.add_column(heading, justify="right", no_wrap=True)
    tied = False
    for name, rows in zip(found.names, found.rows, strict=True):
        for rank, row in enumerate(rows):
            same = bool(rank and row["like_the_first"])
            tied |= same
            table.add_row(
                "" if rank else name,
                f"{'= ' if same else ''}{row['name']}",
                f"{row['similarity']:.3f}",
                f"{row['probability']:.3f}",
            )
    out.print(table)
    if tied:
        out.print("= the run hardly tells it from the first: take both, or neither", style="dim")
