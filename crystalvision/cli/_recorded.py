"""What a user states of how patterns were recorded, and what follows for a run."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crystalvision.console import err
from crystalvision.errors import InputError

if TYPE_CHECKING:  # numpy and torch take time to import, and --help must not wait for them
    from crystalvision.datasets import Conditions, Despite, Match
    from crystalvision.image_files import GapValues
    from crystalvision.prediction import PatternSource, Predictor


def pixel_sizes(both: float | None, rows: float | None) -> float | tuple[float, float] | None:
    """Size of a pixel [1/Å], or that of rows and that of columns.

    Raises:
        InputError: That of rows alone.
    """
    if rows is None:
        return both
    if both is None:
        raise InputError(
            f"--pixel-size-y-inv-angstrom {rows:g} is that of rows alone; give "
            "--pixel-size-inv-angstrom for columns, too"
        )
    return rows, both


def direct_beam(text: str | None) -> tuple[float, float] | None:
    """Row and column of the direct beam from `ROW,COLUMN`.

    Raises:
        InputError: Another text.
    """
    if text is None:
        return None
    try:
        row, column = map(float, text.split(","))
    except ValueError as error:
        raise InputError(
            f"--centre {text}: expected a row and a column, such as 127.5,130"
        ) from error
    return row, column


@dataclass(frozen=True, slots=True)
class Stated:
    """What a user says of patterns that do not say it themselves.

    Attributes:
        pixel_size: Size of a pixel [1/Å].
        centre: Row and column of the direct beam.
        energy_kev: Energy of the beam [keV].
    """

    pixel_size: float | None
    centre: tuple[float, float] | None
    energy_kev: float | None

    def __post_init__(self) -> None:
        """Check that the numbers belong together.

        Raises:
            InputError: They do not.
        """
        if self.centre is not None and self.pixel_size is None:
            raise InputError(
                f"--centre {self.centre[0]:g},{self.centre[1]:g} does nothing without "
                "--pixel-size-inv-angstrom; give that, too"
            )
        energy = self.energy_kev
        if energy is not None and not (math.isfinite(energy) and energy > 0):
            raise InputError(f"--energy-kev {energy:g}: expected a positive number, such as 200")

    def added_to(self, source: "PatternSource") -> "Conditions":
        """What is known of the patterns of a source.

        Raises:
            InputError: They state it themselves.
        """
        from crystalvision.datasets import detector_axes

        known = source.conditions
        for option, given, there in (
            ("--pixel-size-inv-angstrom", self.pixel_size, known.axes),
            ("--energy-kev", self.energy_kev, known.energy_kev),
        ):
            if given is not None and there is not None:
                raise InputError(
                    f"{option} {given:g}: {source.path} states that itself; leave the option out"
                )
        changes: dict[str, Any] = {}
        if self.pixel_size is not None:
            rows, columns = source.read([0])[0].shape[-2:]
            sizes = (self.pixel_size, self.pixel_size)
            changes["axes"] = detector_axes((rows, columns), sizes, self.centre)
        if self.energy_kev is not None:
            changes["energy_kev"] = (self.energy_kev, self.energy_kev)
        return known.model_copy(update=changes)


def matched(
    predictor: "Predictor",
    sources: "Sequence[PatternSource]",
    stated: Stated,
    despite: "Iterable[Despite]",
    gap_values: "GapValues",
) -> "tuple[list[PatternSource], list[dict[str, Any]]]":
    """Sources of checked counts on the axes of a run, and what was done for it, in JSON types.

    What a reader of the predictions must know is told on the standard error.

    Raises:
        InputError: Patterns that do not fit the run.
    """
    groups: dict[Conditions, list[PatternSource]] = {}
    for source in sources:
        groups.setdefault(stated.added_to(source), []).append(source)
    listed, carried = [], {}
    for conditions, members in groups.items():
        paths = list(dict.fromkeys(str(member.path) for member in members))
        name = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
        found = predictor.match(conditions, name, despite=tuple(despite))
        for note in found.notes:
            err.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)
        listed.append({"images": paths, **found.model_dump(mode="json")})
        for member in members:
            carried[id(member)] = replace(member, read=_carrying(member, found, gap_values))
    return [carried[id(source)] for source in sources], listed


def _carrying(source: "PatternSource", match: "Match", gap_values: "GapValues") -> Any:
    from crystalvision.image_files import as_counts, find_gaps
    from crystalvision.prediction import carried

    def read(places: Sequence[int]) -> Any:
        masks, found = source.seen(places), []
        for number, image in enumerate(source.read(places)):
            counts = as_counts(image, source.names[places[number]], gap_values)
            seen = ~find_gaps(image, gap_values)
            if masks is not None:
                seen = seen & masks[number]
            found.append(carried(match, counts, seen))
        return found

    return read
