"""The table of `crystalvision evaluate --by specimen`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from crystalvision.contracts import Ends
    from crystalvision.evaluation import SpecimenScore


def specimen_table(scores: "Sequence[SpecimenScore]") -> "Table":
    """Accuracy by specimen beside that by pattern, a row for each class."""
    from rich.table import Table

    table = Table(title="accuracy by specimen: log-probabilities of its patterns summed", box=None)
    for head in ("", "from", "specimens", "95 % interval", "patterns", "95 % interval"):
        table.add_column(head, overflow="fold")
    for each in scores:
        table.add_row(
            each.target,
            each.source,
            f"{each.accuracy:.4f} of {each.specimens:,}",
            _interval(each.interval),
            f"{each.pattern_accuracy:.4f} of {each.patterns:,}",
            _interval(each.pattern_interval),
        )
    return table


def _interval(ends: "Ends | None") -> str:
    return "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
