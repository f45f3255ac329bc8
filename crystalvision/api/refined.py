"""Fits the best candidates of a run to measured patterns, and draws what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crystalvision.api.png_names import png_name
from crystalvision.console import err, progress
from crystalvision.errors import InputError
from crystalvision.models import LABEL
from crystalvision.plugins import Catalogue
from crystalvision.prediction import (
    UNSEEN,
    CandidateFits,
    PatternSource,
    Predictions,
    Predictor,
    RefinedPattern,
    draw_refined,
    most_probable,
)

_SIMULATED = 40  # patterns whose misfits give the limit
_POOL = 5000  # likeliest candidates among which the parts of a mixture are looked for


@dataclass(frozen=True, slots=True)
class Refining:
    """What of refining was asked for.

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
        cls,
        count: int | None,
        parts: int | None,
        limit: float | None,
        folder: str | Path | None,
    ) -> "Refining | None":
        """What follows from the options; `None` where nothing is to be refined.

        Raises:
            InputError: An option that does nothing without refining.
        """
        if count is not None:
            return cls(count, parts or 1, limit, Path(folder or "refined"))
        for option, value in (
            ("--parts", parts),
            ("--misfit-limit", limit),
            ("--refine-to", folder),
        ):
            if value is not None:
                raise InputError(f"{option} {value} does nothing without --refine; give that, too")
        return None

    def open(self, predictor: Predictor, catalogue: Catalogue) -> CandidateFits:
        """What fits candidates of a run.

        Raises:
            InputError: A run whose candidates cannot be fitted.
        """
        if LABEL not in predictor.record.targets:
            raise InputError("--refine fits classes, and this run tells none: leave it out")
        fits = CandidateFits(predictor.run, catalogue)
        fits.check()
        return fits

    def run(
        self,
        predictor: Predictor,
        fits: CandidateFits,
        sources: Sequence[PatternSource],
        predictions: Predictions,
    ) -> tuple[RefinedPattern, ...]:
        """Refine every pattern, and draw each into a file.

        Raises:
            InputError: A pattern that cannot be refined.
        """
        patterns = [(source, place) for source in sources for place in range(len(source))]
        count = self.count if self.most_parts == 1 else max(self.count, _POOL)
        limit = self.limit
        if limit is None and self.most_parts == 1:
            with progress("finding the misfit of known candidates", _SIMULATED) as advance:
                limit = fits.misfit_limit(patterns=_SIMULATED, advance=advance)
        found: list[RefinedPattern] = []
        taken: set[str] = set()
        with progress("refining", len(patterns)) as advance:
            for number, (source, place) in enumerate(patterns):
                name = source.names[place]
                pattern = predictor.prepare(source.read([place])[0], name, UNSEEN)
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
        return tuple(found)


def refined_columns(found: Sequence[RefinedPattern]) -> dict[str, Sequence[Any]]:
    """What files and JSON have of each pattern."""
    best = [each.refinements[0] if each.refinements else None for each in found]
    return {
        "none_of_these": [each.refused for each in found],
        "refined": ["" if one is None else " + ".join(one.names) for one in best],
        "refined_residual": [None if one is None else one.residual for one in best],
        "refined_misfit": [None if one is None else one.misfit for one in best],
        "refinements": [each.as_json()["refinements"] for each in found],
    }


def likeliest_columns(said: Predictions, count: int) -> dict[str, Sequence[Any]]:
    """The likeliest classes of each pattern, with their probabilities.

    Raises:
        InputError: The run gives no probabilities of classes.
    """
    return {
        "likeliest": [
            [
                {"class": name, "probability": probability}
                for name, probability in most_probable(said[LABEL], place, count)
            ]
            for place in range(said.patterns)
        ]
    }
