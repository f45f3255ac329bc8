"""What a user states of how patterns were recorded, and what follows for a run."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crystalvision.datasets import Conditions, Despite, Match, detector_axes
from crystalvision.errors import InputError
from crystalvision.measured_files import GapValues, as_counts, find_gaps
from crystalvision.prediction._hidden import carried
from crystalvision.prediction._predictor import Predictor
from crystalvision.prediction._sources import PatternSource
from crystalvision.x_rays import stated_wavelength


@dataclass(frozen=True, slots=True)
class Stated:
    """What a user says of patterns that do not say it themselves.

    Attributes:
        pixel_size_inv_angstrom: Size of a pixel [1/Å].
        centre: Row and column of the direct beam.
        energy_kev: Energy of the beam [keV].
        wavelength_angstrom: Wavelength of X-rays, of Kα₁ where there are two [Å].
        anode: Anode of an X-ray tube, instead.
    """

    pixel_size_inv_angstrom: float | None = None
    centre: tuple[float, float] | None = None
    energy_kev: float | None = None
    wavelength_angstrom: float | None = None
    anode: str | None = None

    def __post_init__(self) -> None:
        """Check that the numbers belong together.

        Raises:
            InputError: They do not.
        """
        if self.centre is not None and self.pixel_size_inv_angstrom is None:
            raise InputError(
                f"--centre {self.centre[0]:g},{self.centre[1]:g} does nothing without "
                "--pixel-size-inv-angstrom; give that, too"
            )
        energy = self.energy_kev
        if energy is not None and not (math.isfinite(energy) and energy > 0):
            raise InputError(f"--energy-kev {energy:g}: expected a positive number, such as 200")
        stated_wavelength(self.wavelength_angstrom, self.anode)

    def check_dimensions(self, dimensions: int) -> None:
        """Check that something is stated only of what patterns have.

        Args:
            dimensions: Those of the patterns that a run reads: 1 for curves.

        Raises:
            InputError: A wavelength of images, or a pixel of curves.
        """
        curves = dimensions == 1
        of_images = (("--pixel-size-inv-angstrom", self.pixel_size_inv_angstrom),)
        of_curves = (
            ("--anode", self.anode),
            ("--wavelength-angstrom", self.wavelength_angstrom),
        )
        for option, given in of_images if curves else of_curves:
            if given is not None:
                raise InputError(
                    f"{option} {given}: the run reads patterns of {dimensions} "
                    f"dimension{'s' * (not curves)}, to which that is nothing; leave it out"
                )

    def added_to(self, source: PatternSource) -> Conditions:
        """What is known of the patterns of a source.

        Raises:
            InputError: They state it themselves.
        """
        known, size = source.conditions, self.pixel_size_inv_angstrom
        for option, given, there in (
            ("--pixel-size-inv-angstrom", size, known.axes),
            ("--energy-kev", self.energy_kev, known.energy_kev),
        ):
            if given is not None and there is not None:
                raise InputError(
                    f"{option} {given:g}: {source.path} states that itself; leave the option out"
                )
        changes: dict[str, Any] = {}
        if size is not None:
            rows, columns = source.read([0])[0].shape[-2:]
            sizes = (size, size)
            changes["axes"] = detector_axes((rows, columns), sizes, self.centre)
        if self.energy_kev is not None:
            changes["energy_kev"] = (self.energy_kev, self.energy_kev)
        return known.model_copy(update=changes).with_wavelength(
            stated_wavelength(self.wavelength_angstrom, self.anode), str(source.path)
        )


def matched(
    predictor: Predictor,
    sources: Sequence[PatternSource],
    stated: Stated,
    despite: Iterable[Despite] = (),
    gap_values: GapValues = None,
) -> tuple[list[PatternSource], list[tuple[list[str], Match]]]:
    """Sources of checked counts on the axes of a run, and how they fit it, with their paths.

    Counts are those of `carried`: NaN for what was not seen. What a reader of the predictions must
    know is in the `notes` of each match.

    Raises:
        InputError: Patterns that do not fit the run.
    """
    stated.check_dimensions(len(predictor.record.image_shape) - 1)
    groups: dict[Conditions, list[PatternSource]] = {}
    for source in sources:
        groups.setdefault(stated.added_to(source), []).append(source)
    listed, onto = [], {}
    for conditions, members in groups.items():
        paths = list(dict.fromkeys(str(member.path) for member in members))
        name = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
        found = predictor.match(conditions, name, despite=tuple(despite))
        listed.append((paths, found))
        for member in members:
            onto[id(member)] = replace(member, read=_carrying(member, found, gap_values))
    return [onto[id(source)] for source in sources], listed


def _carrying(
    source: PatternSource, match: Match, gap_values: GapValues
) -> Callable[[Sequence[int]], Any]:
    def read(places: Sequence[int]) -> list[np.ndarray]:
        masks, found = source.seen(places), []
        for number, image in enumerate(source.read(places)):
            counts = as_counts(image, source.names[places[number]], gap_values)
            seen = ~find_gaps(image, gap_values)
            if masks is not None:
                seen = seen & masks[number]
            found.append(carried(match, counts, seen))
        return found

    return read
