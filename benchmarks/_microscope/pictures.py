"""What the crystal and the microscope give: rings, grains, spots, a halo, a stop."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure
from scipy import ndimage

from _microscope.recording import recorded
from crystalvision.contracts import Crystal
from crystalvision_simulate.microscope import Measured
from crystalvision_simulate.powder import reflections
from crystalvision_simulate.scattering import electron_scattering_factor

_CUBIC = {  # symbol, lattice [Å], space group
    "silver": ("Ag", 4.0862, "Fm-3m"),
    "gold": ("Au", 4.0786, "Fm-3m"),
    "austenite": ("Fe", 3.591, "Fm-3m"),
    "copper": ("Cu", 3.6149, "Fm-3m"),
    "ferrite": ("Fe", 2.8665, "Im-3m"),
    "silicon": ("Si", 5.4310, "Fd-3m"),
}
_SIZES = ((256, 256), (384, 512), (512, 384), (480, 640), (512, 512), (768, 1024), (1000, 760))
_STOPS = ("bar", "bar", "needle", "disc", "disc and arm", "none", "none")


@dataclass(frozen=True, eq=False)
class Taken:
    """A picture, and how it was taken."""

    name: str
    picture: Measured
    crystal: Crystal
    hidden: np.ndarray[Any, Any]
    written: np.ndarray[Any, Any]
    x: float
    y: float
    pixel: float
    ellipticity: float
    angle_deg: float
    facts: dict[str, Any] = field(default_factory=dict)


def crystals() -> dict[str, Crystal]:
    """What pictures are of."""
    found = {
        name: Structure.from_spacegroup(group, Lattice.cubic(a), [symbol], [[0, 0, 0]])
        for name, (symbol, a, group) in _CUBIC.items()
    }
    zincite = Lattice.hexagonal(3.2498, 5.2066)
    sites = [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.3819]]
    found["zinc oxide"] = Structure.from_spacegroup("P6_3mc", zincite, ["Zn", "O"], sites)
    return {name: Crystal.from_pymatgen(structure) for name, structure in found.items()}


def take(seed: int, known: dict[str, Crystal]) -> Taken:
    """The picture of a seed."""
    rng = np.random.default_rng(seed)
    name = list(known)[int(rng.choice(len(known), p=_chances(known)))]
    kind = ("rings", "grainy rings", "spots", "both")[rng.integers(4)]
    h, w = _SIZES[rng.integers(len(_SIZES))]
    crystal, few = known[name], bool(rng.random() < 0.25)
    shortest = float(reflections(crystal, 0.7).length_inv_angstrom.min())
    reach = shortest * (rng.uniform(1.75, 2.1) if few else rng.uniform(2.3, 3.6))
    pixel = 2 * reach / min(h, w)
    x, y = w / 2 + rng.uniform(-0.12, 0.12) * w, h / 2 + rng.uniform(-0.12, 0.12) * h
    ellipticity, angle = float(rng.uniform(0, 0.035)), float(rng.uniform(0, 180))
    rows, columns = np.mgrid[:h, :w].astype(float)
    q, azimuth = _true(columns - x, rows - y, pixel, ellipticity, angle)
    image = _halo(q, rng, reach)
    zone = None
    if kind != "spots":
        image += _rings(crystal, q, azimuth, rng, grainy=kind == "grainy rings")
    if kind in ("spots", "both"):
        spots, zone = _spots(crystal, name, q, azimuth, rng, pixel)
        image += spots * rng.uniform(0.5, 2) * (1 if kind == "spots" else 0.3)
    image *= 10 ** rng.uniform(1.2, 2.2) / np.median(image)  # electrons
    pattern = image
    beam = np.exp(-0.5 * (q / max(0.008, 1.2 * pixel)) ** 2)
    image = image + beam * image.max() * rng.uniform(3, 30)
    stop = _STOPS[rng.integers(len(_STOPS))]
    shadow = _stop(stop, (h, w), (x, y), min(h, w), rng)
    image = np.where(shadow, rng.choice([0.0, 0.01, 0.03]) * pattern, image)
    image = ndimage.gaussian_filter(image, rng.uniform(0.6, 1.2))
    counts = rng.poisson(image).astype(float)
    counts, written, eight = recorded(counts, shadow, rng)
    full = 255.0 if eight else float("inf")
    facts = {"kind": kind, "stop": stop, "size": [h, w], "eight_bits": eight, "few": few}
    facts |= {"zone_axis": zone, "pixel": pixel}
    title = f"{seed}: {name}, {kind}, {stop}, {h}×{w}, {8 if eight else 16} bits"
    measured = Measured(title, counts, 8 if eight else 16, full)
    hidden = shadow | written
    return Taken(title, measured, crystal, hidden, written, x, y, pixel, ellipticity, angle, facts)


def _chances(known: dict[str, Crystal]) -> list[float]:
    weights = [1.0 if name in ("copper", "ferrite", "silicon") else 2.0 for name in known]
    return [weight / sum(weights) for weight in weights]


def _true(
    dx: np.ndarray[Any, Any],
    dy: np.ndarray[Any, Any],
    pixel: float,
    ellipticity: float,
    angle_deg: float,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Length [1/Å] and azimuth of every pixel's true vector."""
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    stretch = np.sqrt(1 + ellipticity)
    along, across = (dx * c + dy * s) / stretch, (dy * c - dx * s) * stretch
    ux, uy = along * c - across * s, along * s + across * c
    return np.hypot(ux, uy) * pixel, np.arctan2(uy, ux)


def _halo(q: np.ndarray[Any, Any], rng: np.random.Generator, reach: float) -> np.ndarray[Any, Any]:
    width = rng.uniform(0.03, 0.12)
    halo = rng.uniform(1, 8) / (1 + (q / width) ** 2) ** rng.uniform(0.8, 1.3) + 0.03
    ring = rng.uniform(0, 0.4) * np.exp(-0.5 * ((q - rng.uniform(0.3, 0.45)) / 0.1) ** 2)
    whole: np.ndarray[Any, Any] = halo + ring * (reach > 0.5)
    return whole


def _rings(
    crystal: Crystal,
    q: np.ndarray[Any, Any],
    azimuth: np.ndarray[Any, Any],
    rng: np.random.Generator,
    *,
    grainy: bool,
) -> np.ndarray[Any, Any]:
    """Rings of grains without number, or of some that are seen; the strongest is about 1."""
    reach = float(q.max())
    found = reflections(
        crystal,
        reach,
        displacement_rms_angstrom=0.08,
        scattering_factor=electron_scattering_factor,
    )
    lengths, group = np.unique(np.round(found.length_inv_angstrom, 5), return_inverse=True)
    power = np.bincount(group, found.intensity / found.length_inv_angstrom**2) / lengths
    width = rng.uniform(0.006, 0.014)
    line = np.linspace(0, reach, 4096)
    profile = np.zeros_like(line)
    for length, strength in zip(lengths, power / power.max(), strict=True):
        if strength > 1e-4:
            profile += strength * np.exp(-0.5 * ((line - length) / width) ** 2)
    smooth: np.ndarray[Any, Any] = np.interp(q, line, profile)
    if not grainy:
        return smooth
    turns = np.linspace(-np.pi, np.pi, 2048)
    grains = np.zeros((len(lengths), len(turns)))
    for number, length in enumerate(lengths):
        count = rng.integers(25, 90)
        places = rng.uniform(-np.pi, np.pi, count)
        off = (turns[None] - places[:, None] + np.pi) % (2 * np.pi) - np.pi
        bright = rng.exponential(1.0, count)[:, None]
        grains[number] = (bright * np.exp(-0.5 * (off * length / width) ** 2)).sum(axis=0)
    nearest = np.abs(q[..., None] - lengths[None, None, : min(len(lengths), 12)]).argmin(axis=-1)
    column = ((azimuth + np.pi) / (2 * np.pi) * (len(turns) - 1)).astype(int)
    grained: np.ndarray[Any, Any] = smooth * (0.35 + grains[nearest, column])
    return grained


def _spots(
    crystal: Crystal,
    name: str,
    q: np.ndarray[Any, Any],
    azimuth: np.ndarray[Any, Any],
    rng: np.random.Generator,
    pixel: float,
) -> tuple[np.ndarray[Any, Any], list[int]]:
    zones = ((0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 1, 2))
    zone = np.array(((0, 0, 1), (1, 0, 0), (1, 1, 0))[rng.integers(3)] if name == "zinc oxide"
                    else zones[rng.integers(4)])  # fmt: skip
    found = reflections(
        crystal,
        float(q.max()),
        displacement_rms_angstrom=0.08,
        scattering_factor=electron_scattering_factor,
    )
    inside = (found.hkl @ zone == 0) & (found.intensity > 1e-4 * found.intensity.max())
    g = np.concatenate([found.g[inside], -found.g[inside]])
    power = np.sqrt(np.tile(found.intensity[inside], 2))
    first = g[0] / np.linalg.norm(g[0])
    normal = np.cross(first, g[np.argmax(np.linalg.norm(np.cross(g, first), axis=1))])
    second = np.cross(normal / np.linalg.norm(normal), first)
    turn, tilt = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.2, 2)
    px, py = g @ first, g @ second
    px, py = px * np.cos(turn) - py * np.sin(turn), px * np.sin(turn) + py * np.cos(turn)
    off = np.abs(np.hypot(px - tilt[0], py - tilt[1]) - np.hypot(*tilt))
    power = power / power.max() * np.exp(-0.5 * (off / 0.7) ** 2) * rng.uniform(0.4, 1, len(px))
    width = max(rng.uniform(0.007, 0.012), 1.3 * pixel)
    ux, uy = q * np.cos(azimuth), q * np.sin(azimuth)
    image = np.zeros_like(q)
    for column, row, strength in zip(px, py, power, strict=True):
        image += 4 * strength * np.exp(-0.5 * ((ux - column) ** 2 + (uy - row) ** 2) / width**2)
    return image, zone.tolist()


def _stop(
    kind: str,
    shape: tuple[int, int],
    centre: tuple[float, float],
    side: int,
    rng: np.random.Generator,
) -> np.ndarray[Any, Any]:
    """Which pixels are behind the stop."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    dx = columns - centre[0] + rng.normal(0, 0.006) * side
    dy = rows - centre[1] + rng.normal(0, 0.006) * side
    angle = rng.choice([0, 90, 180, 270]) + rng.normal(0, 12)
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    along, across = dx * c + dy * s, np.abs(dy * c - dx * s)
    far = np.hypot(dx, dy)
    hidden = np.zeros(shape, dtype=bool)
    if kind == "bar":
        width = rng.uniform(0.03, 0.07) * side
        hidden = (far < width / 2) | ((across < width / 2) & (along > 0))
    elif kind == "needle":
        start = rng.uniform(0.018, 0.03) * side
        hidden = (far < start) | ((across < start + 0.05 * along) & (along > 0))
    elif kind == "disc":
        hidden = far < rng.uniform(0.03, 0.07) * side
    elif kind == "disc and arm":
        radius = rng.uniform(0.03, 0.06) * side
        hidden = (far < radius) | ((across < radius * rng.uniform(0.2, 0.5)) & (along > 0))
    return hidden
