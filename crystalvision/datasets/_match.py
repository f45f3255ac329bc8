"""Compares what a run was trained on with what it is to look at: axes and beam.

Everything that brings a run and patterns together asks here, so that no pattern of another
instrument is judged in silence.
"""

from collections.abc import Collection
from typing import Any, Literal

import numpy as np

from crystalvision.config import Config
from crystalvision.contracts import Axis, MeasuredAxis, Range
from crystalvision.datasets._axes_text import axes_text, reach_text
from crystalvision.datasets._carry import carry, carry_seen, covers
from crystalvision.datasets._conditions import Conditions
from crystalvision.datasets._curves import carry_curves, positions_on
from crystalvision.datasets._match_curves import match_curves
from crystalvision.errors import InputError
from crystalvision.text import unit_text
from crystalvision.x_rays import same_wavelength

Array = np.ndarray[Any, Any]

Despite = Literal["axes", "energy"]
"""What a user may say to know of, and to want all the same."""
AxesMatch = Literal["same", "within what was trained", "carried", "assumed", "as stored"]
EnergyMatch = Literal["same", "assumed", "not stated", "other"]

_EXACT = 1e-6  # of the size of a pixel: what writing and reading a number may change
_HALF_PIXEL = 0.5
_COARSEST = 2.0  # pixels of the run that one pixel of the data may hold along an axis
_ENERGY = 0.01  # of the energy: what a high voltage is known to


class Match(Config):
    """How patterns fit what a run was trained on.

    Attributes:
        axes: `same`; `within what was trained`, where they differ by less than the patterns that
            the run was trained on did, or by less than half a pixel; `carried` onto the run's axes;
            `assumed` to be the run's, where the patterns state none; or taken `as stored`, as the
            user wished.
        energy: `same`; `assumed`, where one of the two does not state it; `not stated` by either;
            or `other`, as the user wished.
        run_axes: Axes of the patterns that the run was trained on.
        data_axes: Axes of these patterns.
        run_energy_kev: Least and greatest energy that the run was trained on [keV].
        data_energy_kev: That of these patterns.
        run_wavelength_angstrom: Wavelength that the run was trained on [Å].
        data_wavelength_angstrom: That of these patterns [Å].
        notes: What whoever reads the predictions must know, a line each.
    """

    axes: AxesMatch
    energy: EnergyMatch
    run_axes: tuple[Axis, ...] | None
    data_axes: tuple[MeasuredAxis, ...] | None
    run_energy_kev: Range | None
    data_energy_kev: Range | None
    run_wavelength_angstrom: float | None = None
    data_wavelength_angstrom: float | None = None
    notes: tuple[str, ...] = ()

    def carry(self, images: Array, seen: Array | None = None) -> tuple[Array, Array | None]:
        """Images (..., *grid) on the run's axes, and masks of what of them was measured.

        As they are, unless they must be carried. Counts of images are shared out by area; of
        curves, see `carry_curves`. What the run looks at and the patterns do not reach was not
        measured.

        Args:
            images: Patterns.
            seen: Which of their points were measured, of a shape that broadcasts to theirs; `None`
                for all of them.
        """
        data, run = self.data_axes, self.run_axes
        if self.axes != "carried" or data is None or run is None:
            return images, seen
        if len(run) == 1:
            waves = self.data_wavelength_angstrom, self.run_wavelength_angstrom
            return carry_curves(images, seen, positions_on(data[0], run[0], *waves), run[0])
        even = tuple(axis for axis in data if isinstance(axis, Axis))
        carried = carry(images, even, run)
        return carried, None if seen is None else carry_seen(seen, even, run)


def match(
    run: Conditions,
    data: Conditions,
    *,
    run_name: str,
    data_name: str,
    despite: Collection[Despite] = (),
) -> Match:
    """Compare patterns with those that a run was trained on.

    Another size of the pixel, another centre or another number of pixels is carried onto the run's
    axes, where the patterns reach as far and their pixels are at most twice as large. Differences
    that the run was trained on, such as a camera length that varies, or of less than half a pixel
    anywhere, are left as they are.

    Args:
        run: What the run was trained on.
        data: What the patterns state.
        run_name: What to call the run.
        data_name: What to call the patterns.
        despite: Differences that are known and wanted: `axes` takes pixels as they are stored,
            `energy` any energy and radiation.

    Raises:
        InputError: They differ in what cannot be carried.
    """
    matched, note = _match_axes(run, data, run_name, data_name, "axes" in despite)
    energy, other = _match_energy(run, data, run_name, data_name, "energy" in despite)
    return Match(
        axes=matched,
        energy=energy,
        run_axes=_even(run.axes),
        data_axes=data.axes,
        run_energy_kev=run.energy_kev,
        data_energy_kev=data.energy_kev,
        run_wavelength_angstrom=run.wavelength_angstrom,
        data_wavelength_angstrom=data.wavelength_angstrom,
        notes=tuple(each for each in (note, other) if each),
    )


def differences(one: Conditions, other: Conditions, one_name: str, other_name: str) -> list[str]:
    """What two sets of patterns state differently of axes and beam, a line each.

    Args:
        one: What is known of the first.
        other: What is known of the second, which may vary in what it knows.
        one_name: What to call the first.
        other_name: What to call the second.
    """
    found = []
    if one.axes is not None and other.axes is not None:
        pairs = zip(_even(one.axes) or (), _even(other.axes) or (), strict=False)
        alike = len(one.axes) == len(other.axes)
        if not (alike and all(_within(*pair, other) for pair in pairs)):
            found.append(
                f"{one_name} has {axes_text(one.axes)}, {other_name} {axes_text(other.axes)}"
            )
    waves = one.wavelength_angstrom, other.wavelength_angstrom
    if waves[0] and waves[1] and not same_wavelength(waves[0], waves[1]):
        found.append(f"{one_name} has {waves[0]:g} Å, {other_name} {waves[1]:g} Å")
    if one.energy_kev is not None and other.energy_kev is not None and not _near(one, other):
        found.append(f"{one_name} has {_beam_text(one)}, {other_name} {_beam_text(other)}")
    return found


def _match_axes(
    run: Conditions, data: Conditions, run_name: str, data_name: str, as_stored: bool
) -> tuple[AxesMatch, str]:
    """How axes compare, and what to say of it."""
    if run.axes is None or data.axes is None:
        return "assumed", (
            f"{data_name} states no axes: it is taken to have those of {run_name}, "
            f"{axes_text(run.axes)}"
        )
    if len(data.axes) != len(run.axes):
        raise InputError(
            f"{data_name} has {axes_text(data.axes)}, but {run_name} was trained on "
            f"{axes_text(run.axes)}: patterns of {len(data.axes)} dimensions are none of "
            f"{len(run.axes)}; use data of those axes, or train a run on data of these"
        )
    if len(run.axes) == 1 and not as_stored:
        return match_curves(run, data, run_name, data_name)
    pairs = _even_pairs(data.axes, run.axes, data_name)
    if all(_same(one, other) for one, other in pairs):
        return "same", ""
    sentence = f"{data_name} has {axes_text(data.axes)}; {run_name} was trained on "
    sentence += axes_text(run.axes)
    if all(_within(*pair, run) for pair in pairs):
        return "within what was trained", f"{sentence}, which is within what it was trained on"
    if as_stored and all(one.size == other.size for one, other in pairs):
        return "as stored", f"{sentence}: its pixels are taken as they are stored, as was asked"
    trouble = next(filter(None, (_trouble(*pair) for pair in pairs)), "")
    if trouble:
        raise InputError(
            f"{sentence}: {trouble}; use data of those axes, or train a run on data of these"
            f"{_or_despite(pairs, as_stored)}"
        )
    return "carried", f"{sentence}: its counts are carried onto those"


def _even(axes: tuple[MeasuredAxis, ...] | None) -> tuple[Axis, ...] | None:
    """Axes, of which only those of files could be uneven."""
    return None if axes is None else tuple(axis for axis in axes if isinstance(axis, Axis))


def _even_pairs(
    data: tuple[MeasuredAxis, ...], run: tuple[MeasuredAxis, ...], name: str
) -> list[tuple[Axis, Axis]]:
    """Axes of patterns and those of a run that go with them.

    Raises:
        InputError: One of the patterns is uneven.
    """
    pairs = list(zip(_even(data) or (), _even(run) or (), strict=False))
    if len(pairs) < len(data):
        raise InputError(f"{name} has an uneven axis ({axes_text(data)}), which is not read so")
    return pairs


def _or_despite(pairs: list[tuple[Axis, Axis]], as_stored: bool) -> str:
    if as_stored or any(one.size != other.size for one, other in pairs):
        return "; images of another size cannot be taken as they are stored"
    return "; --despite axes takes the pixels as they are stored"


def _same(data: Axis, run: Axis) -> bool:
    return (
        (data.name, data.size, data.units) == (run.name, run.size, run.units)
        and abs(data.scale - run.scale) * run.size <= _EXACT * run.scale * run.size
        and abs(data.offset - run.offset) <= _EXACT * run.scale * run.size
    )


def _within(data: Axis, run: Axis, trained: Conditions) -> bool:
    """Whether axes differ by no more than half a pixel anywhere, or than training patterns did."""
    if (data.name, data.size, data.units) != (run.name, run.size, run.units):
        return False
    moved = abs(data.offset / data.scale - run.offset / run.scale)
    stretched = abs(data.scale / run.scale - 1)
    return bool(
        moved <= max(_HALF_PIXEL, trained.varies_px(run.name)) + _EXACT
        and stretched <= max(2 * _HALF_PIXEL / run.size, trained.stretches(run.name)) + _EXACT
    )


def _trouble(data: Axis, run: Axis) -> str:
    """Why images cannot be carried along an axis; "" where they can."""
    if (data.name, data.units) != (run.name, run.units):
        here, there = (f"'{axis.name}' in {unit_text(axis.units)}" for axis in (data, run))
        return f"{here} cannot be read as {there}"
    if data.scale > _COARSEST * run.scale * (1 + _EXACT):
        return (
            f"along {run.name} its pixels are {data.scale / run.scale:.3g} times as large, and do "
            "not hold the detail that the run looks for"
        )
    if not covers(data, run):
        return (
            f"along {run.name} it reaches from {reach_text(data)}, and so not over all that the "
            f"run looks at, from {reach_text(run)}"
        )
    return ""


def _match_energy(
    run: Conditions, data: Conditions, run_name: str, data_name: str, wanted: bool
) -> tuple[EnergyMatch, str]:
    """How energies compare, and what to say of it."""
    if run.energy_kev is None and data.energy_kev is None:
        return "not stated", ""
    if data.energy_kev is None:
        sentence = f"is taken to be of {_beam_text(run)}, which {run_name} was trained on"
        return "assumed", f"{data_name} does not state the energy of its beam: it {sentence}"
    if run.energy_kev is None:
        sentence = f"was trained on data that do not; it is taken to know {_beam_text(data)}"
        return "assumed", f"{data_name} states the energy of its beam, but {run_name} {sentence}"
    if _near(data, run):
        return "same", ""
    sentence = f"{data_name} was recorded with {_beam_text(data)}, but {run_name} was trained on "
    sentence += _beam_text(run)
    if wanted:
        return "other", f"{sentence}; it is judged all the same, as was asked"
    raise InputError(
        f"{sentence}; use data of that beam, train a run on data of this one, or take them all the "
        "same by --despite energy"
    )


def _near(data: Conditions, run: Conditions) -> bool:
    """Whether a beam is one that the other data have."""
    if data.energy_kev is None or run.energy_kev is None:
        return False
    (least, most), (low, high) = data.energy_kev, run.energy_kev
    within = least >= low * (1 - _ENERGY) and most <= high * (1 + _ENERGY)
    unstated = data.radiation is None or run.radiation is None
    return within and (unstated or data.radiation == run.radiation)


def _beam_text(known: Conditions) -> str:
    if known.energy_kev is None:
        return "a beam of unknown energy"
    low, high = known.energy_kev
    energy = f"{low:g} keV" if low == high else f"{low:g} to {high:g} keV"
    return f"{energy} {known.radiation}" if known.radiation else energy
