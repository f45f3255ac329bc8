"""What `library` and `predict` show of candidates."""

from typing import TYPE_CHECKING

from crystalvision.console import out

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.api.lookups import Matched


def print_matches(matched: "Matched") -> None:
    """Write which candidates patterns are like as a table, and below it what its marks mean."""
    from rich.table import Table

    table = Table(box=None)
    table.add_column("image", overflow="fold")
    table.add_column("candidate", overflow="fold")
    for heading in ("similarity", "probability"):
        table.add_column(heading, justify="right", no_wrap=True)
    tied = False
    for name, rows in zip(matched.names, matched.rows, strict=True):
        for rank, row in enumerate(rows):
            same = bool(rank and row["like_the_first"])
            tied |= same
            table.add_row(
                "" if rank else name,
                f"{'= ' if same else ''}{row['candidate']}",
                f"{row['similarity']:.3f}",
                f"{row['probability']:.3f}",
            )
    out.print(table)
    if tied:
        out.print("= the run hardly tells it from the first: take both, or neither", style="dim")
