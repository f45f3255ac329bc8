"""`crystalvision predict --refine`: fits the best candidates, tells and draws what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision.cli._predictions import png_name
from crystalvision.console import err, out, progress
from crystalvision.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.plugins import Catalogue
    from crystalvision.prediction import PatternSource, Predictions, Predictor, RefinedPattern

_SIMULATED = 40  # patterns whose misfits give the limit
_POOL = 40  # candidates among which the parts of a mixture are looked for, at least


@dataclass(frozen=True, slots=True)
class Refining:
    """What of `--refine` was asked for.

    Attributes:
        count: Candidates to fit.
        most_parts: How many of them may be there at once.
        limit: Misfit above which a pattern is none of them; `None` for that of simulated ones.
        folder: Where figures go.
    """

    count: int
    most_parts: int
    limit: float | None
    folder: Path

    @classmethod
    def asked(
        cls, count: int | None, parts: int | None, limit: float | None, folder: Path | None
    ) -> "Refining | None":
        """What follows from the options; `None` without `--refine`.

        Raises:
            InputError: Another of them without it.
        """
        if count is not None:
            return cls(count, parts or 1, limit, folder or Path("refined"))
        for option, value in (
            ("--parts", parts),
            ("--misfit-limit", limit),
            ("--refine-to", folder),
        ):
            if value is not None:
                raise InputError(f"{option} {value} does nothing without --refine; give that, too")
        return None

    def run(
        self,
        predictor: "Predictor",
        catalogue: "Catalogue",
        sources: "Sequence[PatternSource]",
        predictions: "Predictions",
    ) -> "list[RefinedPattern]":
        """Refine every pattern, and draw each into a file.

        Raises:
            InputError: A run or a pattern that cannot be refined.
        """
        from crystalvision.models import LABEL
        from crystalvision.prediction import CandidateFits, draw_refined

        if LABEL not in predictions:
            raise InputError("--refine fits classes, and this run tells none: leave it out")
        fits = CandidateFits(predictor.run, catalogue)
        patterns = [(source, place) for source in sources for place in range(len(source))]
        count = self.count if self.most_parts == 1 else max(self.count, _POOL)
        limit = self.limit
        if limit is None and self.most_parts == 1:
            with progress("finding the misfit of known candidates", _SIMULATED) as advance:
                limit = fits.misfit_limit(patterns=_SIMULATED, advance=advance)
        found, taken = [], set[str]()
        with progress("refining", len(patterns)) as advance:
            for number, (source, place) in enumerate(patterns):
                name = source.names[place]
                pattern = predictor.prepare(source.read([place])[0], name, (float("nan"),))
                each = fits.fit(
                    pattern,
                    name,
                    predictions[LABEL],
                    number,
                    count=count,
                    most_parts=self.most_parts,
                    limit=limit,
                )
                found.append(each)
                if each.refinements:
                    draw_refined(each, self.folder / png_name(name, taken))
                advance()
        err.print(f"{len(taken)} figures in {self.folder}", soft_wrap=True)
        return found


def as_columns(found: "Sequence[RefinedPattern]") -> "dict[str, Sequence[object]]":
    """What files and JSON have of each pattern."""
    best = [each.refinements[0] if each.refinements else None for each in found]
    return {
        "none_of_these": [each.refused for each in found],
        "refined": ["" if one is None else " + ".join(one.names) for one in best],
        "refined_residual": [None if one is None else one.residual for one in best],
        "refined_misfit": [None if one is None else one.misfit for one in best],
        "refinements": [each.as_json()["refinements"] for each in found],
    }


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
                fitted = ", ".join(_parameters({**one.parameters, **part.parameters}))
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


def _parameters(values: "Mapping[str, float]") -> list[str]:
    """What was fitted, each with its unit."""
    from crystalvision.text import quantity_text

    told = []
    for name, value in values.items():
        words, _, last = name.rpartition("_")
        unit = {"deg": "degree"}.get(last, last)
        known = unit in {"degree", "angstrom", "mm"}
        text = quantity_text(value, unit, 5) if known else f"{value:.4g}"
        told.append(f"{(words if known else name).replace('_', ' ')} {text}")
    return told
