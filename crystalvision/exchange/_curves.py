"""Curves, such as powder patterns: brought onto one axis as they are imported."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crystalvision.contracts import Axis, MeasuredAxis
from crystalvision.datasets import Conditions, axes_text, match
from crystalvision.errors import InputError
from crystalvision.exchange._check_images import Kind, Picture
from crystalvision.exchange._frames import Frames, expand
from crystalvision.exchange._listing import Listing
from crystalvision.measured_files import without_counts

_DATASET = "the dataset"


@dataclass(frozen=True, slots=True)
class CurveSettings:
    """What the user says of curves; see `import_folder`."""

    axis: Axis | None = None
    wavelength_angstrom: float | None = None
    like: Conditions | None = None


@dataclass(frozen=True, slots=True)
class CurveReader:
    """Reads curves on one axis.

    Attributes:
        target: The axis and the wavelength of the dataset.
        wavelength_angstrom: Wavelength of the files that do not state it [Å].
    """

    target: Conditions
    wavelength_angstrom: float | None

    @property
    def axis(self) -> Axis:
        """The axis of the dataset."""
        axis = (self.target.axes or ())[0]
        assert isinstance(axis, Axis)  # noqa: S101 - datasets hold even axes alone
        return axis

    @property
    def kind(self) -> Kind:
        """What all curves have in common once they are read."""
        return Kind((1, self.axis.size), "float32")

    def __call__(self, frames: Frames, name: str) -> Picture:
        """One curve, as it is stored.

        Raises:
            InputError: It is damaged, has no counts, or cannot be brought onto the axis.
        """
        path = str(frames.folder / name)
        file = frames.patterns(name)
        found = file.record(0)
        known = Conditions.of_frame(file.frame(0)).with_wavelength(self.wavelength_angstrom, path)
        counts, seen = found.counts, found.seen
        if what := without_counts(counts, seen):
            raise InputError(f"{path}: holds no counts: {what}; leave it out, or measure it again")
        fit = match(self.target, known, run_name=_DATASET, data_name=path)
        carried, reached = fit.carry(counts, seen)
        frames.note(name, file.notes)
        frames.carried += fit.axes == "carried"
        mask = np.ones((1, self.axis.size), bool) if reached is None else reached.reshape(1, -1)
        return Picture(carried.astype(np.float32), mask)


def check_curves(
    frames: Frames, listing: Listing, settings: CurveSettings, advance: Callable[[int], object]
) -> tuple[CurveReader, Listing]:
    """Find the axis of a dataset of curves, by what all files state.

    Args:
        frames: Reads them.
        listing: The files.
        settings: What the user says.
        advance: Told of each file.

    Returns:
        What reads them on that axis, and the listing with each range of each file.

    Raises:
        InputError: A file is no curve, or nothing tells the axis or the wavelength.
    """
    known: dict[Conditions, str] = {}
    numbers = []
    for name in listing.files:
        found = frames.patterns(name)
        for place in range(len(found)):
            frame = found.frame(place)
            if frame.dimensions != 1:
                raise InputError(
                    f"{frames.folder / name}: is {frame}, but {listing.files[0]} is a curve; "
                    "import images by themselves"
                )
            known.setdefault(Conditions.of_frame(frame), name)
        numbers.append(found.numbers)
        advance(1)
    target = _target(frames, known, settings)
    reader = CurveReader(target, settings.wavelength_angstrom)
    return reader, expand(frames.folder, listing, numbers)


def _target(frames: Frames, known: dict[Conditions, str], settings: CurveSettings) -> Conditions:
    """The axis and wavelength of the dataset."""
    if settings.like is not None and len(settings.like.axes or ()) != 1:
        raise InputError(
            f"--like has {axes_text(settings.like.axes)}, but {frames.folder} holds curves; give a "
            "run or a dataset of curves"
        )
    axes: tuple[MeasuredAxis, ...]
    if settings.axis is not None:
        axes = (settings.axis,)
    elif settings.like is not None and settings.like.axes is not None:
        axes = settings.like.axes
    else:
        axes = _common(frames, known)
    waves = [each.wavelength_angstrom for each in known if each.wavelength_angstrom is not None]
    like = settings.like.wavelength_angstrom if settings.like is not None else None
    wave = like or next(iter(waves), None) or settings.wavelength_angstrom
    if wave is None and axes[0].name == "two_theta":
        raise InputError(
            f"{frames.folder}: no file states its wavelength; give it by --wavelength-angstrom, or "
            "by --anode, such as --anode Cu"
        )
    return Conditions(axes=axes, wavelength_angstrom=wave)


def _common(frames: Frames, known: dict[Conditions, str]) -> tuple[Axis]:
    """The even axis that all files have.

    Raises:
        InputError: They have others, or uneven ones.
    """
    first, name = next(iter(known.items()))
    axis = (first.axes or ())[0]
    for other, its_name in known.items():
        (it,) = other.axes or ()
        if not isinstance(axis, Axis) or not isinstance(it, Axis) or not _alike(axis, it):
            raise InputError(
                f"{frames.folder}: its curves lie on different axes, or uneven ones: {name} has "
                f"{axes_text(first.axes)}, {its_name} {axes_text(other.axes)}; give one for all by "
                "--axis MIN:MAX:STEP, or that of a run or dataset by --like"
            )
    assert isinstance(axis, Axis)  # noqa: S101 - the loop refuses uneven ones
    return (axis,)


def _alike(one: Axis, other: Axis) -> bool:
    """Whether axes are one, but for what writing numbers in few digits changes."""
    same = (one.name, one.units, one.size) == (other.name, other.units, other.size)
    ends = np.abs(one.values()[[0, -1]] - other.values()[[0, -1]])
    return same and bool((ends < 0.05 * one.scale).all())
