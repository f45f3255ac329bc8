"""Parts what a microscope adds to a pattern from what specimens scatter diffusely themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from crystalvision.errors import InputError
from crystalvision.samples import Sample
from crystalvision_simulate.microscope._background import Background
from crystalvision_simulate.microscope._blemishes import LEAST_GAIN
from crystalvision_simulate.microscope._calibrate import Calibrated
from crystalvision_simulate.microscope._shown import Shown, Smooth, shown_by, shown_by_simulated
from crystalvision_simulate.microscope._twin import DOSE_ERROR, OF_A_FIT, Doubts, twin

ROUNDS = 8
PICTURES = 24
_NARROWEST_PX = 0.5
_BEHIND_A_STOP = 0.25  # by what part of it the half width of a halo may be off there
_OF_A_MEDIAN = np.sqrt(np.pi / 2)  # its standard error, of that of a mean
_HALO, _HALF_WIDTH = 0, 1  # their places among the numbers
_OF_COUNTS = np.array([1.0, 0, 1, 0, 0, 0])  # which numbers vary from picture to picture

Simulate = Callable[[Mapping[str, Any], Sequence[int]], Iterable[Sample]]
"""Makes the samples of some indices, of `ROUNDS` times `PICTURES`, that an instrument took."""


@dataclass(frozen=True, eq=False)
class Parted:
    """Pictures without what their specimens add.

    Attributes:
        pictures: As they were calibrated, with background and gain of the microscope alone.
        doubts: How well these are known.
        measured: What the pictures show.
        simulated: What simulated pictures of the twin show: the same, if it was found.
        microscope: What the microscope has of it.
        told: Which of these numbers the pictures tell, in their order.
    """

    pictures: tuple[Calibrated, ...]
    doubts: Doubts
    measured: Smooth
    simulated: Smooth
    microscope: Smooth
    told: Bool[np.ndarray, "6"]

    @property
    def words(self) -> dict[str, Any]:
        """What becomes JSON; lengths in pixels of the pictures."""
        rows = {"measured": self.measured, "simulated": self.simulated}
        rows["microscope"] = self.microscope
        return {name: asdict(one) for name, one in rows.items()} | {"off": self.off}

    @property
    def off(self) -> float:
        """By how much pictures of the twin differ from the measured ones, of what these show."""
        return _off(self.simulated, self.measured, self.told)


def part_specimen(
    found: Sequence[Calibrated],
    simulate: Simulate,
    dose_electrons: float | None = None,
    dose_error: float = DOSE_ERROR,
    advance: Callable[[int], object] = lambda _: None,
) -> Parted:
    """Find the microscope whose simulated pictures show the background that was measured.

    Heat and defects scatter diffusely: of that a fit of the background takes a part for halo and
    ring of the microscope, and the texture between spots for noise, so a twin that is simulated
    would have it twice. Which numbers of a twin lead to those that pictures show is found by
    simulating them, and fitting the median of these pictures alike, round after round: indirect
    inference (Gouriéroux, Monfort, Renault 1993, J. Appl. Econometrics 8, S85). What the later half
    of the rounds found is averaged. How the numbers scatter from picture to picture beyond what
    specimens and noise do, and how well their middle is known, are the ranges of the twin.

    Args:
        found: Calibrated pictures of one camera.
        simulate: Makes pictures of the specimens that an instrument took.
        dose_electrons: As for `twin`.
        dose_error: As for `twin`.
        advance: Is called with 1 after each of `ROUNDS` rounds.

    Raises:
        InputError: No background could be fitted, to the pictures or to those that are simulated;
            as for `twin`; or the recipe does not go with this camera.
    """
    reach = min(found[0].analysed.hidden.shape) / 2
    seen = shown_by(found, reach)
    if seen is None:
        raise InputError(
            f"{found[0].analysed.measured.name}: too little is seen of it to fit a background, so "
            "there is none to part from the specimens"
        )
    measured = rough = kept = seen.together
    shown, told = seen, _told(seen)
    tried: list[Float[np.ndarray, "6"]] = []
    for number in range(ROUNDS):
        if number == ROUNDS - 1:  # which shows whether their mean is right
            kept = rough = Smooth(*np.mean(tried[ROUNDS // 2 - 1 :], axis=0).tolist())
        pictures = [_with(one, rough, reach) for one in found]
        instrument = _fixed(twin(pictures, None, dose_electrons, dose_error))
        indices = range(number * PICTURES, (number + 1) * PICTURES)
        shown = shown_by_simulated(simulate(instrument, indices), instrument, found, reach)
        off = told * (measured.numbers - shown.together.numbers)
        rough = _inside(rough.numbers + off, measured, reach)
        tried.append(rough.numbers)
        advance(1)
    varies, errors = _spread(seen, shown, told)
    pictures = [
        _with(one, _inside(kept.numbers + _OF_COUNTS * more, measured, reach), reach)
        for one, more in zip(found, varies, strict=True)
    ]
    parts = np.minimum(errors / np.maximum(kept.numbers, 1e-9), 1.0)
    if not told.all():  # what is not told changes what is
        plain = np.array(astuple(replace(OF_A_FIT, half_width=_BEHIND_A_STOP)))
        parts = np.maximum(parts, np.where(told, plain / 2, plain))
    return Parted(tuple(pictures), Doubts(*parts.tolist()), measured, shown.together, kept, told)


def _told(measured: Shown) -> Bool[np.ndarray, "6"]:
    """Which numbers pictures tell.

    Of a halo that is narrower than the beam stop only the flank is seen, which tells its strength
    and hardly its half width; a gain is told by noise, or not at all.
    """
    middle = measured.together
    width = middle.half_width_px > measured.first_px
    return np.array([True, width, True, True, True, middle.gain > LEAST_GAIN])


def _off(one: Smooth, other: Smooth, told: Bool[np.ndarray, "6"]) -> float:
    """The largest relative difference: of all counts, of lengths and of the gain, where told."""
    mine, theirs = one.numbers, other.numbers
    share = theirs[0] / max(theirs[0] + theirs[2], 1e-9)  # what is not there has no size
    weights = told * np.array([1.0, share, 1.0, 1 - share, 1 - share, 1.0])
    whole = theirs[0] + theirs[2]
    scale = np.maximum(np.array([whole, theirs[1], whole, *theirs[3:]]), 1e-9)
    return float((weights * np.abs(mine - theirs) / scale).max())


def _inside(numbers: Float[np.ndarray, "6"], measured: Smooth, reach_px: float) -> Smooth:
    """Numbers that a background and a camera can have; a gain that noise did not tell stays."""
    gain = max(2 * LEAST_GAIN, 0.2 * measured.gain)  # less would be none
    low = np.array([0, _NARROWEST_PX, 0, 0.1 * reach_px, 0.02 * reach_px, gain])
    high = np.array([np.inf, reach_px / 2, np.inf, 0.9 * reach_px, 0.25 * reach_px, np.inf])
    inside = Smooth(*np.clip(numbers, low, high).tolist())
    return inside if measured.gain > LEAST_GAIN else replace(inside, gain=measured.gain)


def _spread(
    measured: Shown, simulated: Shown, told: Bool[np.ndarray, "6"]
) -> tuple[Float[np.ndarray, "n 6"], Float[np.ndarray, "6"]]:
    """How each picture differs from their middle, and how far that may be off, by number.

    Specimens and noise make fits of pictures scatter, of the same microscope as well. What pictures
    vary beyond that is the microscope's, if it is more than chance gives (F test, 5 % for all).
    """
    theirs, known = _scatter(simulated.fitted), measured.fitted
    mine = _scatter(known) if len(known) > 1 else theirs
    if not told[_HALF_WIDTH]:  # with which the counts of the halo go up and down
        mine[_HALO] = theirs[_HALO]
    chance = 0.05 / known.shape[1]
    most = stats.f.ppf(1 - chance, max(len(known) - 1, 1), len(simulated.fitted) - 1)
    excess = np.where(mine**2 > most * theirs**2, np.sqrt(np.maximum(mine**2 - theirs**2, 0)), 0)
    ends = np.sqrt(3) * excess  # of an even distribution
    away = (measured.each - np.median(known, axis=0)) * (excess / np.maximum(mine, 1e-12))
    error = np.maximum(mine, theirs) * np.sqrt(1 / len(known) + 1 / len(simulated.fitted))
    varies = np.nan_to_num(np.clip(away, -ends, ends))  # what is not known is the middle
    return varies, ends + _OF_A_MEDIAN * stats.norm.ppf(1 - chance / 2) * error


def _scatter(numbers: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, "6"]:
    """Standard deviations, without what a picture that was taken wrongly does to them."""
    return np.asarray(stats.median_abs_deviation(numbers, axis=0, scale="normal"))


def _with(one: Calibrated, smooth: Smooth, reach_px: float) -> Calibrated:
    """A picture with another background, and another gain if its noise told one."""
    analysed = one.analysed
    if analysed.noise.gain > LEAST_GAIN:
        analysed = replace(analysed, noise=replace(analysed.noise, gain=smooth.gain))
    background = Background.of_totals(
        smooth.halo_counts,
        smooth.half_width_px,
        smooth.ring_counts,
        smooth.ring_radius_px,
        smooth.ring_width_px,
        reach_px,
    )
    return replace(one, analysed=analysed, background=background)


def _fixed(instrument: Mapping[str, Any]) -> dict[str, Any]:
    """The instrument in the middle of its ranges, in linear counts; only directions vary."""
    fixed = {name: _middle(value) for name, value in instrument.items()}
    for unwanted in ("gamma", "scale_bar_inv_angstrom"):
        fixed.pop(unwanted, None)
    return {**fixed, "rotation_deg": instrument["rotation_deg"]}


def _middle(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    ((kind, (first, second)),) = value.items()
    if kind == "normal":
        return first
    return float(np.sqrt(first * second)) if kind == "log_uniform" else (first + second) / 2
