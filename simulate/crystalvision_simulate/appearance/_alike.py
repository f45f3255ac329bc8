"""Whether two patterns can be told apart by their spots, at a dose, whatever scale and rotation."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float
from scipy.spatial import cKDTree

from crystalvision_simulate.appearance._spots import ZoneSpots

_SIGMAS = 3.0  # standard deviations of the counts by which a spot must differ
_LENGTHS = 3  # shortest lengths of spots of each pattern that are laid onto each other
_SAME_LENGTH = 1e-3  # relative
_FEWEST = 4  # spots that both patterns must have for their likeness to mean anything


@dataclass(frozen=True, slots=True)
class Camera:
    """What is seen of patterns.

    Attributes:
        dose_electrons: Electrons a pattern.
        reach_inv_angstrom: Where the detector ends [1/Å].
        blind_inv_angstrom: Within it nothing is seen of the direct beam's surroundings [1/Å].
        tolerance_inv_angstrom: Distance by which one spot may be off another's place [1/Å].
        scales: Least and greatest ratio of the camera lengths of two patterns.
    """

    dose_electrons: float
    reach_inv_angstrom: float
    blind_inv_angstrom: float
    tolerance_inv_angstrom: float
    scales: tuple[float, float]


def look_alike(one: ZoneSpots, other: ZoneSpots, camera: Camera) -> bool:
    """Whether no spot tells two patterns apart in some pose.

    One pattern is turned and scaled, as far as cameras differ, so that one of its shortest spots
    lies on one of the other's. A spot tells them apart if it is seen in one under all conditions
    and in the other under none: the most electrons there are within noise of nothing, and the
    fewest of the first exceed them by three standard deviations of the difference. How bright
    spots are tells nothing, for that follows thickness, tilt and exposure.
    """
    mine, its = _complex(one), _complex(other)
    for first in _shortest(one, mine, camera)[0]:
        for second in np.concatenate(_shortest(other, its, camera)[1:] or [np.empty(0)]):
            pose = second / first
            if camera.scales[0] <= abs(pose) <= camera.scales[1] and not _told_apart(
                one, mine * pose, other, its, abs(pose), camera
            ):
                return True
    return False


def _told_apart(
    one: ZoneSpots,
    mine: Complex[np.ndarray, "n"],
    other: ZoneSpots,
    its: Complex[np.ndarray, "m"],
    scale: float,
    camera: Camera,
) -> bool:
    """Whether a spot that both cameras see tells them apart, or too few are there to say."""
    tolerance = camera.tolerance_inv_angstrom
    ends = (
        camera.blind_inv_angstrom * max(1.0, scale) + tolerance,
        camera.reach_inv_angstrom * min(1.0, scale) - tolerance,
    )
    common = 0
    for spots, places, against, at in ((one, mine, other, its), (other, its, one, mine)):
        inside = (np.abs(places) > ends[0]) & (np.abs(places) < ends[1])
        distance, nearest = cKDTree(_plane(at)).query(_plane(places[inside]))
        there = distance <= tolerance
        least = camera.dose_electrons * spots.least[inside]
        most = camera.dose_electrons * np.where(there, against.greatest[nearest], 0.0)
        unseen = most <= _SIGMAS**2  # n electrons are n above nothing, by a noise of √n
        if (unseen & (least - most > _SIGMAS * np.sqrt(least + most))).any():
            return True
        seen = camera.dose_electrons * spots.greatest[inside] > _SIGMAS**2
        common = int((there & seen).sum())
    return common < _FEWEST


def _shortest(
    spots: ZoneSpots, places: Complex[np.ndarray, "n"], camera: Camera
) -> list[Complex[np.ndarray, "_"]]:
    """One spot of each of the shortest lengths that may be seen, then all of each of them."""
    lengths = np.abs(places)
    seen = np.flatnonzero(
        (camera.dose_electrons * spots.greatest > _SIGMAS**2)
        & (lengths > camera.blind_inv_angstrom)
    )
    ordered = seen[np.argsort(lengths[seen], kind="stable")]
    if not len(ordered):
        return [np.empty(0, dtype=np.complex128)]
    relative = np.diff(lengths[ordered]) / lengths[ordered][1:]
    groups = np.split(ordered, np.flatnonzero(relative > _SAME_LENGTH) + 1)[:_LENGTHS]
    return [places[[group[0] for group in groups]], *(places[group] for group in groups)]


def _complex(spots: ZoneSpots) -> Complex[np.ndarray, "n"]:
    places: Complex[np.ndarray, "n"] = (
        spots.places_inv_angstrom[:, 0] + 1j * spots.places_inv_angstrom[:, 1]
    )
    return places


def _plane(places: Complex[np.ndarray, "n"]) -> Float[np.ndarray, "n 2"]:
    return np.stack([places.real, places.imag], axis=1)
