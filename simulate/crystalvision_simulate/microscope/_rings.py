"""Finds rings, and from all of them together the centre and the ellipse."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import ndimage, signal

from crystalvision_simulate.microscope._geometry import Geometry
from crystalvision_simulate.microscope._image import Image, Map, Mask

_SECTORS = 60
_ROUNDS = 12
_SIGNIFICANT = 5.0
_ROUND = 0.55  # of the sectors in which a ring must show
_WIDEST = 1 / 22  # of the reach, and
_BROAD = 0.12  # of its radius: what is wider than both is a halo
_NARROWEST = 0.3  # of the strongest ring's width
_LEAST = 6.0  # pixels: what lies nearer to the centre is no ring
_CLOSE = 0.02  # pixels: rounds end there

Profile = Float[np.ndarray, "_"]
Places = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Rings:
    """Rings about one centre.

    Attributes:
        geometry: Their centre and ellipse.
        radii_px: Undistorted radii, ascending [pixel], (k,).
        heights: How far each rises above the background, (k,).
        widths_px: Full width at half height of each [pixel], (k,).
        profile: Median over the azimuth at each whole radius, (n,).
        baseline: What of it is background, (n,).
        error_px: Standard error of the centre [pixel].
        ellipticity_error: Standard error of the ellipticity.
    """

    geometry: Geometry
    radii_px: Profile
    heights: Profile
    widths_px: Profile
    profile: Profile
    baseline: Profile
    error_px: float
    ellipticity_error: float


def find_rings(
    level: Image, seen: Mask, start: Geometry, *, sectors: int = _SECTORS
) -> Rings | None:
    """Find rings, and fit their centre and ellipse.

    In each sector of the azimuth φ a ring of radius r lies where the profile rises; how far that is
    from r is, to first order, x cos φ + y sin φ + r (u cos 2φ + v sin 2φ) + a, whose numbers are
    found by robust least squares over all rings and sectors, until they no longer change.

    Args:
        level: The picture on a scale of equal noise, (h, w).
        seen: What was seen, (h, w).
        start: About where the centre is.
        sectors: Sectors of the azimuth.

    Returns:
        The rings; `None` where there are none.
    """
    geometry, errors = start, (np.inf, np.inf)
    for round_ in range(_ROUNDS):
        profiles = _profiles(level, seen, geometry, sectors)
        found = _rings_of(profiles)
        if found is None:
            return None
        radii, heights, widths, profile, baseline = found
        # At first the rings may lie off by what the centre and the ellipse are wrong.
        slack = 3.0 if round_ < 4 else 1.5
        shifts = _shifts(profiles, baseline, radii, widths, slack)
        change, errors = _solve(shifts, radii)
        geometry = _changed(geometry, change)
        if np.hypot(change[0], change[1]) < _CLOSE and round_ > 3:
            break
    return Rings(geometry, radii, heights, widths, profile, baseline, *errors)


def _profiles(level: Image, seen: Mask, geometry: Geometry, sectors: int) -> Map:
    """Mean at each whole radius of each sector, nan where nothing was seen, (sectors, n)."""
    far, azimuth = geometry.polar(level.shape)
    reach = int(far.max()) + 2
    sector = np.floor((azimuth + np.pi) / (2 * np.pi) * sectors).astype(int) % sectors
    low = np.floor(far).astype(int)
    share = far - low
    sums, weights = np.zeros(sectors * reach), np.zeros(sectors * reach)
    for step, weight in ((0, 1 - share), (1, share)):
        index = (sector * reach + np.minimum(low + step, reach - 1))[seen]
        weights += np.bincount(index, weight[seen], sectors * reach)
        sums += np.bincount(index, (weight * level)[seen], sectors * reach)
    mean = np.where(weights > 0.3, sums / np.maximum(weights, 1e-9), np.nan)
    return mean.reshape(sectors, reach)


def _rings_of(
    profiles: Map,
) -> tuple[Profile, Profile, Profile, Profile, Profile] | None:
    """Radii, heights and widths of what rises in most sectors, with profile and baseline."""
    sectors = len(profiles)
    known = np.isfinite(profiles)
    enough = known.sum(axis=0) >= sectors / 5
    if enough.sum() < 20:
        return None
    last = int(np.flatnonzero(enough)[-1]) + 1
    profiles, known = profiles[:, :last], known[:, :last]
    padded = np.where(enough[:last], profiles, 0)
    profile = np.nanmedian(padded, axis=0)
    first = int(np.flatnonzero(enough)[0])
    profile[:first] = profile[first]
    smooth = ndimage.gaussian_filter1d(profile, 0.8)
    window = np.maximum(max(6, round(last * _WIDEST)), np.rint(_BROAD * np.arange(last)))
    baseline = _baseline(smooth, window.astype(int))
    above = smooth - baseline
    rest = np.where(known, profiles - profile, 0)
    number = np.maximum(known.sum(axis=0), 1)
    noise = 1.25 * np.sqrt((rest**2).sum(axis=0)) / number
    floor = 1.4826 * np.median(np.abs(above - np.median(above)))
    threshold = _SIGNIFICANT * np.maximum(ndimage.median_filter(noise, 15), 0.5 * floor) + 1e-9
    peaks, _ = signal.find_peaks(above, height=threshold, distance=3)
    peaks = np.array([peak for peak in peaks if first + 2 < peak < last - 3 and peak >= _LEAST])
    if not len(peaks):
        return None
    widths = np.maximum(signal.peak_widths(above, peaks, rel_height=0.5)[0], 2.0)
    narrow = widths < 0.85 * window[peaks]  # the rest are what a hump leaves above its baseline
    peaks, widths = peaks[narrow], widths[narrow]
    if not len(peaks):
        return None
    peaks, widths = _round_ones(profiles, baseline, above, peaks, widths)
    if not len(peaks):
        return None
    # All rings are about as wide: what is far narrower than the strongest is a kink of the halo.
    alike = widths >= _NARROWEST * widths[int(above[peaks].argmax())]
    peaks, widths = peaks[alike], widths[alike]
    return _centroids(above, peaks, widths), above[peaks], widths, smooth, baseline


def _baseline(profile: Profile, window: Places) -> Profile:
    """The profile without what is narrower than a window (SNIP: clipped by means about it).

    Args:
        profile: At each radius, (n,).
        window: There, (n,).
    """
    base = profile.copy()
    for reach in range(min(int(window.max()), len(profile) - 1), 0, -1):
        padded = np.pad(base, reach, mode="reflect", reflect_type="odd")
        clipped = np.minimum(base, (padded[: -2 * reach] + padded[2 * reach :]) / 2)
        base = np.where(reach <= window, clipped, base)
    return base


def _round_ones(
    profiles: Map, baseline: Profile, above: Profile, peaks: Places, widths: Profile
) -> tuple[Places, Profile]:
    """Those that show in most of the sectors where they could."""
    keep = []
    for peak, width in zip(peaks.astype(int), widths, strict=True):
        reach = max(2, round(float(width)))
        window = slice(max(0, peak - reach), peak + reach + 1)
        rise = np.nanmax(_quiet(profiles[:, window] - baseline[window]), axis=1)
        shown = rise[np.isfinite(rise)]
        keep.append(len(shown) > 5 and float((shown > 0.4 * above[peak]).mean()) >= _ROUND)
    chosen = np.array(keep, dtype=bool)
    return peaks[chosen], widths[chosen]


def _quiet(values: Map) -> Map:
    """The values, without rows of nothing, which `nanmax` would warn of."""
    return np.where(np.isfinite(values).any(axis=1, keepdims=True), values, -np.inf)


def _centroids(above: Profile, peaks: Places, widths: Profile) -> Profile:
    radii = []
    for peak, width in zip(peaks, widths, strict=True):
        place = float(peak)
        for _ in range(4):
            line = np.arange(len(above))
            weight = np.clip(above, 0, None) * np.clip(
                1.5 - np.abs(line - place) / max(1.5, float(width)), 0, 1
            )
            if weight.sum() > 0:
                place = float((weight * line).sum() / weight.sum())
        radii.append(place)
    return np.array(radii)


def _shifts(
    profiles: Map, baseline: Profile, radii: Profile, widths: Profile, slack: float
) -> Float[np.ndarray, "m 4"]:
    """For each ring and sector: azimuth, ring, by how far it is off [pixel], and weight."""
    sectors = len(profiles)
    rows = []
    for number, (radius, width) in enumerate(zip(radii, widths, strict=True)):
        reach = max(2.0, float(width)) + slack + 0.012 * slack * radius
        window = np.arange(max(0, int(radius - reach)), min(len(baseline), int(radius + reach) + 2))
        for sector in range(sectors):
            part = profiles[sector, window] - baseline[window]
            if not np.isfinite(part).all() or part.max() <= 0:
                continue
            top = float(window[int(part.argmax())])
            place = _centroids(
                np.clip(part - 0.2 * part.max(), 0, None),
                np.array([top - window[0]]),
                np.array([width]),
            )[0]
            azimuth = (sector + 0.5) / sectors * 2 * np.pi - np.pi
            rows.append((azimuth, number, place + window[0] - radius, float(part.max())))
    return np.array(rows).reshape(-1, 4)


def _solve(
    shifts: Float[np.ndarray, "m 4"], radii: Profile
) -> tuple[Float[np.ndarray, "4"], tuple[float, float]]:
    """x, y, u and v by robust least squares, and the standard errors of centre and ellipticity."""
    if len(shifts) < 8 + len(radii):
        return np.zeros(4), (np.inf, np.inf)
    azimuth, ring, shift, weight = shifts.T
    ring = ring.astype(int)
    radius = radii[ring]
    columns = [
        np.cos(azimuth),
        np.sin(azimuth),
        radius * np.cos(2 * azimuth),
        radius * np.sin(2 * azimuth),
    ]
    design = np.stack([*columns, *(np.eye(len(radii))[ring].T)], axis=1)
    weight = np.sqrt(weight / weight.max())
    for _ in range(8):
        solved, *_ = np.linalg.lstsq(design * weight[:, None], shift * weight, rcond=None)
        rest = np.abs(shift - design @ solved)
        scale = max(1.4826 * float(np.median(rest)), 0.05)
        weight = np.sqrt(shifts[:, 3] / shifts[:, 3].max()) * np.minimum(
            1, np.sqrt(1.5 * scale / np.maximum(rest, 1e-9))
        )
        weight[rest > 6 * scale] *= 0.05
    covariance = scale**2 * np.linalg.pinv(
        (design * weight[:, None]).T @ (design * weight[:, None])
    )
    errors = np.sqrt(np.diag(covariance)[:4])
    change: Float[np.ndarray, "4"] = solved[:4]
    return change, (float(np.hypot(*errors[:2])), float(2 * np.hypot(*errors[2:])))


def _changed(geometry: Geometry, change: Float[np.ndarray, "4"]) -> Geometry:
    """The geometry after a change x, y [pixel], u, v."""
    x, y, u, v = change
    stretch = np.linalg.inv(geometry.undistorting) @ np.array([[1 + u, v], [v, 1 - u]])
    symmetric = (stretch + stretch.T) / 2
    return Geometry.distorted(geometry.x + float(x), geometry.y + float(y), symmetric)
