"""After the network: its best candidates, each fitted to the measured pattern, in a new order."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.calibration import conformal_limit
from crystalvision.config import Config
from crystalvision.contracts import Axis
from crystalvision.datasets import Simulated
from crystalvision.errors import InputError, StorageError
from crystalvision.json_text import validate_json
from crystalvision.models import LABEL
from crystalvision.plugins import Catalogue
from crystalvision.prediction._explain import Explanation
from crystalvision.prediction._predictions import Estimates
from crystalvision.runs import Run
from crystalvision.samples import Refinement, Source
from crystalvision.small_files import read_small
from crystalvision.sources import SourceSpec
from crystalvision.storage import write_text

REFUSAL = "refusal.json"
_LEAST_LIMIT = 0.2  # calculated patterns leave that of measured ones of known phases
_OTHER_SEED = 7_919  # no seed that anyone would take for the next dataset


class RefusalRecord(Config):
    """What `refusal.json` in the folder of a run holds.

    Attributes:
        format: Version of this layout.
        false_refusals: Share of patterns of known candidates that the limit refuses.
        patterns: Patterns that it was found with.
        misfit_limit: Misfit above which a pattern is none of the candidates.
    """

    format: Literal[1] = 1
    false_refusals: float
    patterns: int
    misfit_limit: float


@dataclass(frozen=True, slots=True, eq=False)
class RefinedPattern:
    """A measured pattern with what was fitted to it.

    Attributes:
        name: What to call the pattern.
        axes: Of the pattern.
        measured: NaN where nothing was seen, (c, *grid).
        refinements: What explains most first.
        probabilities: What the network said of each class that they name.
        limit: Misfit above which nothing of it is to be believed; `None` for no such limit.
    """

    name: str
    axes: tuple[Axis, ...]
    measured: Float[np.ndarray, "c *grid"]
    refinements: tuple[Refinement, ...]
    probabilities: dict[str, float]
    limit: float | None = None

    @property
    def refused(self) -> bool:
        """Whether the pattern is none of what was tried."""
        if not self.refinements:
            return True
        return self.limit is not None and self.refinements[0].misfit > self.limit

    def as_json(self) -> dict[str, Any]:
        """What was found, in JSON types; without curves."""
        return {
            "image": self.name,
            "none_of_these": self.refused,
            "misfit_limit": self.limit,
            "refinements": [self._one(each) for each in self.refinements],
        }

    def _one(self, found: Refinement) -> dict[str, Any]:
        return {
            "residual": found.residual,
            "misfit": found.misfit,
            "parameters": dict(found.parameters),
            "at_bounds": list(found.at_bounds),
            "phases": [
                {
                    "candidate": part.candidate,
                    "probability": self.probabilities.get(part.candidate),
                    "weight_fraction": part.weight_fraction,
                    "parameters": dict(part.parameters),
                    "at_bounds": list(part.at_bounds),
                }
                for part in found.parts
            ],
        }


class CandidateFits:
    """Fits candidates of a run to patterns, by the source that made what the run learnt from."""

    def __init__(self, run: Run, catalogue: Catalogue) -> None:
        """Open the source.

        Args:
            run: The run.
            catalogue: Where the source is looked up.

        Raises:
            InputError: It was trained on data of no source, or a recipe that cannot be opened.
        """
        record, where = run.record, str(run.path)
        made = record.dataset.provenance
        if not isinstance(made, Simulated) or not made.source:
            raise InputError(
                f"{where} was trained on data that no source made, so what a candidate would look "
                "like is not known: leave out --refine"
            )
        self._spec = SourceSpec(made.source, made.recipe, described_in=where)
        self._catalogue = catalogue
        self._source: Source = self._spec.open(catalogue)
        self._run = run

    def check(self) -> None:
        """Check that the source fits candidates to patterns.

        Raises:
            InputError: It does not.
        """
        shape = self._source.header.image_shape
        self._refined(np.ones(shape), None, [], 1, lambda _: None)

    def marks(self, candidate: str) -> Float[np.ndarray, "_"] | None:
        """See `Source.marks`."""
        return self._source.marks(candidate)

    def misfit_limit(
        self,
        false_refusals: float = 0.05,
        *,
        patterns: int = 40,
        advance: Callable[[int], object] = lambda _: None,
    ) -> float:
        """Misfit that a share of patterns of known candidates exceeds.

        The source makes patterns anew, with another seed than the data have, and each is fitted
        with what it is of. What was found is kept in the folder of the run.

        Args:
            false_refusals: The share.
            patterns: How many are made.
            advance: Called with the number of patterns that were fitted.

        Raises:
            InputError: A source that cannot fit, or a damaged file in the run's folder.
        """
        path = self._run.path / REFUSAL
        known = _read_limit(path, false_refusals, patterns)
        if known is not None:
            return known
        misfits = []
        for counts, name in self._made_anew(patterns):
            fitted = self._refined(counts, None, [name], 1, lambda _: None)
            misfits += [each.misfit for each in fitted]
            advance(1)
        limit = max(conformal_limit(misfits, false_refusals), _LEAST_LIMIT)
        record = RefusalRecord(false_refusals=false_refusals, patterns=patterns, misfit_limit=limit)
        # A folder that cannot be written to costs the time again, and nothing else.
        with suppress(StorageError):
            write_text(path, record.model_dump_json(indent=2) + "\n")
        return limit

    def _made_anew(self, patterns: int) -> Iterator[tuple[np.ndarray[Any, Any], str]]:
        """Patterns that nobody has seen, each with the name of its class."""
        made = self._run.record.dataset.provenance
        seed = (getattr(made, "seed", 0) or 0) + _OTHER_SEED
        classes = self._source.header.class_names
        samples = max(patterns, len(classes))
        source = self._spec.drawn(seed=seed, samples=samples).open(self._catalogue)
        # Evenly over all classes, which samples take in turn or at random.
        indices = np.linspace(0, samples - 1, patterns).round().astype(int).tolist()
        for sample in source.samples(indices):
            yield np.asarray(sample.image), classes[int(sample.columns[LABEL])]

    def fit(
        self,
        pattern: Float[np.ndarray, "c *grid"],
        name: str,
        said: Estimates,
        place: int,
        *,
        count: int,
        most_parts: int = 1,
        limit: float | None = None,
        advance: Callable[[int], object] = lambda _: None,
    ) -> RefinedPattern:
        """Fit the likeliest candidates to a pattern.

        Args:
            pattern: On the axes of the run, NaN where nothing was seen, (c, *grid).
            name: What to call it.
            said: What the run says of its class.
            place: Which of the patterns of `said` it is.
            count: Candidates to fit.
            most_parts: As for `Source.refine`.
            limit: As for `RefinedPattern`.
            advance: As for `Source.refine`.

        Raises:
            InputError: A source that cannot fit, or a pattern that cannot be fitted.
        """
        likeliest = most_probable(said, place, count)
        seen: Bool[np.ndarray, "c *grid"] = np.isfinite(pattern)
        names = [candidate for candidate, _ in likeliest]
        mask = None if seen.all() else seen
        found = self._refined(np.nan_to_num(pattern), mask, names, most_parts, advance)
        axes = tuple(Axis.model_validate(axis) for axis in self._run.record.calibration)
        return RefinedPattern(name, axes, pattern, tuple(found), dict(likeliest), limit)

    def _refined(
        self,
        pattern: np.ndarray[Any, Any],
        seen: np.ndarray[Any, Any] | None,
        names: Sequence[str],
        most_parts: int,
        advance: Callable[[int], object],
    ) -> list[Refinement]:
        found = self._source.refine(
            pattern.astype(np.float64), seen, names, most_parts=most_parts, advance=advance
        )
        if found is None:
            raise InputError(
                f"{self._run.path}: the source '{self._spec.name}' of its data fits no candidates "
                "to patterns with this recipe: leave out --refine"
            )
        return found


def marks_of_classes(
    run: Run, catalogue: Catalogue, explanation: Explanation
) -> dict[str, Float[np.ndarray, "_"]]:
    """Where the classes that are said of a curve should show themselves, as far as that is known.

    Args:
        run: The run.
        catalogue: Where the source of its data is looked up.
        explanation: Of a pattern; of images there are no marks.
    """
    if len(explanation.axes) != 1:
        return {}
    try:
        fits = CandidateFits(run, catalogue)
        found = {
            str(one.said): fits.marks(str(one.said))
            for one in explanation.maps
            if isinstance(one.said, str)
        }
    except InputError:  # the structures may be elsewhere: the curve is explained all the same
        return {}
    return {name: marks for name, marks in found.items() if marks is not None}


def _read_limit(path: Path, false_refusals: float, patterns: int) -> float | None:
    """A limit that was found before, if it is of as many patterns and refusals."""
    if not path.is_file():
        return None
    try:
        record = validate_json(RefusalRecord, read_small(path))
    except ValueError as error:
        raise InputError(f"{path} is not what --refine writes: remove it") from error
    same = (record.false_refusals, record.patterns) == (false_refusals, patterns)
    return record.misfit_limit if same else None


def most_probable(said: Estimates, place: int, count: int) -> list[tuple[str, float]]:
    """The likeliest classes of a pattern, each with its probability.

    Args:
        said: What is said of a target that is one class a pattern.
        place: Which pattern.
        count: How many; those that are left out altogether, with probability 0, are not among them.

    Raises:
        InputError: The system gives no probabilities.
    """
    if said.probabilities is None or said.target.shape:
        raise InputError(f"this run gives no probabilities of '{LABEL}', so none are likeliest")
    row = said.probabilities[place]
    order = np.argsort(-row, kind="stable")[:count]
    return [(said.target.classes[each], float(row[each])) for each in order if row[each] > 0]
