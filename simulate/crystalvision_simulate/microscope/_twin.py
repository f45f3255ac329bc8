"""The simulated twin of a microscope: options of the area detector, with ranges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crystalvision.errors import InputError
from crystalvision_simulate.microscope._blemishes import LEAST_GAIN
from crystalvision_simulate.microscope._calibrate import Calibrated

_LARGEST = 512  # pixels along a side: larger pictures are simulated with larger pixels
_LEAST_OFFSET = 0.5  # pixels
_LEAST_ERROR = 0.002
_GREATEST_DOSE = 1e12
_UNTOLD_GAIN = 0.1  # counts an electron: of pictures whose noise tells nothing, as packed ones have
_MOST_SCATTERED = 0.95  # of the electrons: some must be left for the pattern
_EIGHT_BITS = 2**8 - 1
_SOME = 0.02  # of the dose: less of an amorphous ring is none
_DIGITS = 6
_UNTOLD = 0.5  # by how much of them shares may be off where the dose is not known


@dataclass(frozen=True, slots=True)
class Doubts:
    """By what part of them numbers of the background and the gain may be off.

    Attributes:
        halo: Counts of the halo.
        half_width: Its half width.
        ring: Counts of the broad ring.
        ring_radius: Its radius.
        ring_width: Its width.
        gain: Counts of an electron.
    """

    halo: float = 0.2
    half_width: float = 0.5
    ring: float = 0.2
    ring_radius: float = 0.05
    ring_width: float = 0.25
    gain: float = 0.1


OF_A_FIT = Doubts()
"""Of a plain fit: what spots, heat and defects do to it is in them."""
DOSE_ERROR = 0.2


def twin(
    found: Sequence[Calibrated],
    pixels: int | None = None,
    dose_electrons: float | None = None,
    dose_error: float = DOSE_ERROR,
    doubts: Doubts = OF_A_FIT,
) -> dict[str, Any]:
    """The instrument that takes such pictures, as a recipe gives it.

    It is square, as high as the shorter side of the pictures; what varies between them, and what
    is not certain, is a range.

    Args:
        found: Pictures of one camera.
        pixels: Pixels along a side; by default those of the pictures, up to 512.
        dose_electrons: Electrons of a picture, about; by default a wide range, for those of the
            direct beam are not seen.
        dose_error: By what part of it that dose may be off.
        doubts: How well background and gain are known.

    Raises:
        InputError: The size of a pixel is not known, or pictures show more electrons than that.
    """
    sizes = [one.pixel_size_inv_angstrom for one in found if one.pixel_size_inv_angstrom]
    if not sizes:
        raise InputError(
            f"{found[0].analysed.measured.name}: nothing tells the size of a pixel in 1/Å; give "
            "the crystal (--crystal), the scale bar's number (--scale-bar-inv-nm) or --pixel-size"
        )
    shape = found[0].analysed.hidden.shape
    count = pixels_of_twin(found, pixels)
    factor = min(shape) / count
    size = float(np.median(sizes))
    options: dict[str, Any] = {
        "name": "area-detector",
        "pixels": count,
        "pixel_size_inv_angstrom": _short(size * factor),
        "rotation_deg": {"uniform": [-180, 180]},
        **_pose(found, shape, count, factor),
        "camera_length_error": {
            "normal": [0, _short(max(_LEAST_ERROR, *(one.pixel_size_error for one in found)))]
        },
        **_electrons(found, factor, size, (dose_electrons, dose_error), doubts),
        **_edge(found, factor),
        **_stop(found, size),
        **_picture(found, size),
        "mask_unseen": True,
    }
    return options


def pixels_of_twin(found: Sequence[Calibrated], pixels: int | None = None) -> int:
    """Pixels of the twin along a side: as many as asked for, or as the pictures have, up to 512."""
    side = min(found[0].analysed.hidden.shape)
    return pixels or -(-side // -(-side // _LARGEST))


def pixels_in_one(found: Sequence[Calibrated], factor: float) -> float:
    """By what sums over the twin's pixels are divided: pictures of 8 bits are full at 255 still.

    Args:
        found: The pictures.
        factor: Their pixels along a side of one of the twin.
    """
    return factor**2 if found[0].analysed.measured.full == _EIGHT_BITS else 1.0


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _range(values: Sequence[float], least: float, low: float = -np.inf) -> dict[str, list[float]]:
    """From the lowest to the highest, at least so far about their middle."""
    middle = (min(values) + max(values)) / 2
    reach = max((max(values) - min(values)) / 2, least)
    return {"uniform": [_short(max(low, middle - reach)), _short(middle + reach)]}


def _pose(
    found: Sequence[Calibrated], shape: tuple[int, ...], count: int, factor: float
) -> dict[str, Any]:
    side = min(shape)
    offsets: dict[str, Any] = {}
    for axis, name in ((1, "x"), (0, "y")):
        cut = (shape[axis] - side) / 2
        places = [
            ((one.geometry.x if axis else one.geometry.y) - cut + 0.5) / factor - 0.5 - count // 2
            for one in found
        ]
        error = 2 * max(one.analysed.centre_error_px for one in found) / factor
        offsets[f"centre_offset_{name}_px"] = _range(places, max(_LEAST_OFFSET, error))
    ellipses = [one.geometry for one in found if one.knows_ellipse]
    if ellipses:
        # Angles of one axis: about the first, by less than a right angle.
        first = ellipses[0].ellipticity_angle_deg
        angles = [first + (one.ellipticity_angle_deg - first + 90) % 180 - 90 for one in ellipses]
        ratios = [one.ellipticity for one in ellipses]
        offsets["ellipticity"] = _range(ratios, _LEAST_ERROR, 0.0)
        offsets["ellipticity_angle_deg"] = _range(angles, 3.0)
    return offsets


def _electrons(
    found: Sequence[Calibrated],
    factor: float,
    size: float,
    dose_and_error: tuple[float | None, float],
    doubts: Doubts,
) -> dict[str, Any]:
    """Dose, gain and background, as far as noise and numbers tell."""
    known, dose_error = dose_and_error
    # Of one camera: a range of gains would vary the brightness, which the dose does.
    told = [one.analysed.noise.gain for one in found if one.analysed.noise.gain > LEAST_GAIN]
    gain = float(np.median(told)) if told else _UNTOLD_GAIN
    doses = []
    for one in found:
        above = np.clip(one.analysed.measured.counts - one.analysed.noise.offset, 0, None)
        doses.append(float(above[one.analysed.seen].sum()) / gain)
    behind = 5.0 if any(one.analysed.stop is not None for one in found) else 1.25
    low = min(max(1.0, 0.8 * min(doses)), _GREATEST_DOSE / 10)
    high = min(max(low * 1.5, behind * max(doses)), _GREATEST_DOSE)
    if known is not None:
        if not low <= known <= _GREATEST_DOSE:
            raise InputError(
                f"--dose-electrons {known:g}: pictures show up to {max(doses):.3g} electrons, of "
                f"{gain:.3g} counts each; expected at least so many, and at most {_GREATEST_DOSE:g}"
            )
        low, high = known / (1 + dose_error), min((1 + dose_error) * known, _GREATEST_DOSE)
    shown = gain / pixels_in_one(found, factor)
    options: dict[str, Any] = {
        "dose_electrons": {"log_uniform": [_short(low), _short(high)]},
        "gain_counts_per_electron": _range([shown], doubts.gain * shown, 1e-6),
    }
    dose = float(np.sqrt(low * high))
    backgrounds = [one.background for one in found if one.background is not None]
    if not backgrounds:
        return options
    reach = min(found[0].analysed.hidden.shape) / 2
    halo = [one.halo_counts(reach) / gain / dose for one in backgrounds]
    widths = [one.half_width_px * size for one in backgrounds]
    rings = [one.ring_counts / gain / dose for one in backgrounds]
    if float(np.median(rings)) <= _SOME:
        rings = [0.0] * len(halo)
    # What does not reach the detector is counted in, so both together may be more than there is.
    most = max(h + r for h, r in zip(halo, rings, strict=True))
    less = min(1.0, _MOST_SCATTERED / 1.5 / most) if most > 0 else 1.0
    # The ring takes its part of the halo as well.
    halo = [less * h / (1 - less * r) for h, r in zip(halo, rings, strict=True)]
    least = _UNTOLD if known is None else dose_error
    options["inelastic_fraction"] = _about(halo, max(least, doubts.halo), doubts.gain)
    width = _near(widths, doubts.half_width, 1e-4)
    options["inelastic_half_width_inv_angstrom"] = width
    cutoff = max(reach * size, 1.01 * width["uniform"][1])
    options["inelastic_cutoff_inv_angstrom"] = _short(min(cutoff, 10.0))
    if any(rings):
        shares = [less * one for one in rings]
        options["amorphous_fraction"] = _about(shares, max(least, doubts.ring), doubts.gain)
        places = [one.ring_radius_px * size for one in backgrounds]
        broad = [one.ring_width_px * size for one in backgrounds]
        options["amorphous_radius_inv_angstrom"] = _near(places, doubts.ring_radius)
        options["amorphous_width_inv_angstrom"] = _near(broad, doubts.ring_width)
    return options


def _near(values: Sequence[float], part: float, low: float = 0.0) -> dict[str, list[float]]:
    """A range about lengths that are known to a part of them."""
    return _range(values, part * float(np.median(values)), low)


def _about(shares: Sequence[float], counts: float, gain: float) -> dict[str, list[float]]:
    """A range about shares, of which counts, and the gain in them, are known to parts of them."""
    part = float(np.hypot(counts, gain))
    low, high = max(0.0, 1 - part) * min(shares), min(_MOST_SCATTERED, (1 + part) * max(shares))
    return {"uniform": [_short(low), _short(max(high, low))]}


def _edge(found: Sequence[Calibrated], factor: float) -> dict[str, Any]:
    """The point spread: of the stop's edge, or at most that of the spots."""
    edges = [one.analysed.stop.blur / factor for one in found if one.analysed.stop is not None]
    if edges:
        return {"point_spread_px": _range(edges, 0.3 * min(edges), 0.0)}
    spots = [one.analysed.spots.sigma_px / factor for one in found if len(one.analysed.spots)]
    if not spots:
        return {}
    return {"point_spread_px": {"uniform": [0.3, _short(max(0.4, *spots))]}}


def _stop(found: Sequence[Calibrated], size: float) -> dict[str, Any]:
    """The beam stop, from the direct beam."""
    stops = [(one.analysed.stop, one.geometry) for one in found]
    known = [(stop, geometry) for stop, geometry in stops if stop is not None]
    if not known:
        return {}
    stop, _ = known[0]
    options: dict[str, Any] = {
        "beam_stop_radius_inv_angstrom": _short(stop.radius * size),
        "beam_stop_offset_x_inv_angstrom": _range(
            [(one.x - geometry.x) * size for one, geometry in known], 0.5 * size
        ),
        "beam_stop_offset_y_inv_angstrom": _range(
            [(one.y - geometry.y) * size for one, geometry in known], 0.5 * size
        ),
    }
    if stop.arm_width:
        options["beam_stop_arm_width_inv_angstrom"] = _short(stop.arm_width * size)
        options["beam_stop_arm_angle_deg"] = _range([one.arm_angle_deg for one, _ in known], 2.0)
    return options


def _picture(found: Sequence[Calibrated], size: float) -> dict[str, Any]:
    """Read-out, bad pixels and the scale bar."""
    first = found[0].analysed
    noise = first.noise
    rounding = 1 / 12 if first.measured.bits is not None else 0.0  # which the twin does itself
    floor = float(np.sqrt(max(noise.floor - rounding, 0.0)))
    options: dict[str, Any] = {
        "offset_counts": _short(max(0.0, noise.offset)),
        "read_noise_counts": _short(floor if floor > 0.05 * noise.gain else 0.0),
        "bit_depth": 8 if first.measured.full == _EIGHT_BITS else 16,
    }
    gammas = [one.analysed.gamma for one in found]
    if any(gamma != 1 for gamma in gammas):
        options["gamma"] = _range(gammas, 0.05, 0.1)
    for name in ("dead", "hot"):
        share = float(np.mean([getattr(one.analysed.blemishes, name).mean() for one in found]))
        if share > 0:
            options[f"{name}_pixel_fraction"] = _short(share)
    bars = [
        one.analysed.blemishes.bar_px / one.analysed.factor
        for one in found
        if one.analysed.blemishes.bar_px
    ]
    if bars:
        options["scale_bar_inv_angstrom"] = _short(float(np.median(bars)) * size)
    return options
