"""Images of any size and calibration: brought onto the axes of a run as they are imported."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crystalvision.contracts import Axis, MeasuredAxis, Range
from crystalvision.datasets import Conditions, axes_text, detector_axes, match
from crystalvision.errors import InputError
from crystalvision.exchange._calibration import Pair
from crystalvision.exchange._check_images import Kind, Picture, kind_of, read_picture
from crystalvision.exchange._frames import Frames, expand
from crystalvision.exchange._listing import Listing
from crystalvision.measured_files import GapValues, PatternFile

_DATASET = "the dataset"
_ASSUMED = "states no axes: its pixels are taken to be those of the run"
_TO_STATE = (
    "state its calibration by --pixel-size-inv-angstrom and --centre, or find it: crystalvision "
    "calibrate"
)


@dataclass(frozen=True, slots=True)
class StatedPixels:
    """What the user says of images that do not say it themselves.

    Attributes:
        sizes: Size of a pixel along rows and columns [1/Å].
        centre: Row and column of the direct beam.
    """

    sizes: Pair
    centre: Pair | None

    def axes(self, grid: tuple[int, ...]) -> tuple[Axis, Axis]:
        """Those of an image of such a shape."""
        return detector_axes((grid[0], grid[1]), self.sizes, self.centre)


@dataclass(frozen=True, slots=True)
class CarriedImageReader:
    """Reads images on the axes of a run.

    Attributes:
        target: Axes of the dataset.
        channels: Channels of an image.
        stated: What the user says of files that do not state their axes.
        gap_values: What marks pixels that were not measured.
        energy_kev: Least and greatest that files state [keV].
    """

    target: Conditions
    channels: int
    stated: StatedPixels | None
    gap_values: GapValues
    energy_kev: Range | None

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the dataset."""
        return tuple(axis for axis in self.target.axes or () if isinstance(axis, Axis))

    @property
    def kind(self) -> Kind:
        """What all images have in common once they are read."""
        return Kind((self.channels, *(axis.size for axis in self.axes)), "float32")

    def __call__(self, frames: Frames, name: str) -> Picture:
        """One image, as it is stored.

        Raises:
            InputError: It is damaged, or cannot be brought onto the axes.
        """
        file, path = frames.patterns(name), str(frames.folder / name)
        picture = read_picture(frames, name, kind_of(file), self.gap_values)
        axes = _axes_of(file, self.stated, path)
        known = Conditions.of_frame(file.frame(0)).model_copy(update={"axes": axes})
        fit = match(self.target, known, run_name=_DATASET, data_name=path)
        counts, seen = fit.carry(picture.counts, picture.seen)
        if counts.shape != self.kind.shape:
            raise InputError(
                f"{path}: states no axes, and is of {_sizes(counts.shape[1:])} pixels, where the "
                f"run looks at {_sizes(self.kind.shape[1:])}; {_TO_STATE}"
            )
        if fit.axes == "assumed":
            frames.note(name, [_ASSUMED])
        frames.carried += fit.axes == "carried"
        mask = np.ones_like(picture.seen) if seen is None else seen
        return Picture(np.where(mask, counts, 0).astype(np.float32), mask)


def check_images_like(
    frames: Frames,
    listing: Listing,
    like: Conditions,
    stated: StatedPixels | None,
    gap_values: GapValues,
    advance: Callable[[int], object],
) -> tuple[CarriedImageReader, Listing]:
    """What reads images on the axes of a run, and the listing with each image of each file.

    Args:
        frames: Reads them.
        listing: The files.
        like: Conditions of the run.
        stated: What the user says of their pixels.
        gap_values: What marks pixels that were not measured.
        advance: Told of each file.

    Raises:
        InputError: A file holds no images, or of other channels than the first; or the run looks at
            something else.
    """
    if len(like.axes or ()) != 2:
        raise InputError(
            f"--like has {axes_text(like.axes)}, but {frames.folder} holds images; give a run or a "
            "dataset of images"
        )
    channels, numbers, energies = 0, [], []
    for name in listing.files:
        found = frames.patterns(name)
        channels = channels or found.shape[0]
        if found.frame(0).dimensions != 2 or found.shape[0] != channels:
            raise InputError(
                f"{frames.folder / name}: is {found.frame(0)}; expected images of {channels} "
                f"channels, as {listing.files[0]} has"
            )
        kind_of(found)  # refuses what holds no counts
        frames.note(name, found.notes)
        numbers.append(found.numbers)
        energies.append(found.frame(0).facts.energy_kev)
        advance(1)
    known = [energy for energy in energies if energy is not None]
    energy = (min(known), max(known)) if known and len(known) == len(energies) else None
    target = Conditions(axes=like.axes)
    reader = CarriedImageReader(target, channels, stated, gap_values, energy)
    return reader, expand(frames.folder, listing, numbers)


def stated_axes(frames: Frames, listing: Listing) -> tuple[Axis, Axis] | None:
    """The axes that all files state; `None` where the first states none.

    Raises:
        InputError: Files state different ones.
    """
    first = frames.patterns(listing.files[0]).frame(0).axes
    for name in listing.files[1:] if first is not None else ():
        if (other := frames.patterns(name).frame(0).axes) != first:
            raise InputError(
                f"{frames.folder}: its images lie on different axes: {listing.files[0]} has "
                f"{axes_text(first)}, {name} {axes_text(other)}; bring all onto those of a run or "
                "of a dataset by --like"
            )
    even = [axis for axis in first or () if isinstance(axis, Axis)]
    return (even[0], even[1]) if len(even) == 2 else None


def _axes_of(
    file: PatternFile, stated: StatedPixels | None, path: str
) -> tuple[MeasuredAxis, ...] | None:
    axes = file.frame(0).axes
    if stated is None:
        return axes
    if axes is not None:
        raise InputError(
            f"{path}: states its axes itself ({axes_text(axes)}); leave --pixel-size-inv-angstrom "
            "out, or take it out of this folder"
        )
    return stated.axes(file.shape[1:])


def _sizes(grid: tuple[int, ...]) -> str:
    return "×".join(map(str, grid))
