"""Patterns with everything that measured ones have, and the truth about them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from crystalvision.contracts import Axis, Crystal, Pattern
from crystalvision.plugins import Catalogue
from crystalvision_simulate.instruments.area_detector import AreaDetector
from crystalvision_simulate.microscope import Measured
from crystalvision_simulate.powder import reflections
from crystalvision_simulate.scattering import electron_scattering_factor

_GRID = 0.006  # 1/Å


@dataclass(frozen=True)
class Truth:
    """A picture, and how it was taken."""

    kind: str
    picture: Measured
    seen: np.ndarray
    crystal: Crystal
    zone_axis: tuple[int, int, int]
    x: float
    y: float
    pixel: float
    ellipticity: float
    angle: float
    instrument: AreaDetector


def ideal(crystal: Crystal, kind: str, zone: tuple[int, int, int], rng, reach: float) -> Pattern:
    """Rings of many crystals, spots of one, or both, with a direct beam: fractions of the beam."""
    size = 2 * int(np.ceil(reach / _GRID)) + 1
    line = (np.arange(size) - size // 2) * _GRID
    qy, qx = np.meshgrid(line, line, indexing="ij")
    far = np.hypot(qy, qx)
    found = reflections(
        crystal,
        reach,
        displacement_rms_angstrom=0.08,
        scattering_factor=electron_scattering_factor,
    )
    image = np.zeros((size, size))
    if kind != "spots":
        power = found.intensity / found.length_inv_angstrom**2
        lengths, group = np.unique(np.round(found.length_inv_angstrom, 5), return_inverse=True)
        width = rng.uniform(0.006, 0.012)
        for length, strength in zip(lengths, np.bincount(group, power), strict=True):
            if strength > 1e-4 * power.max():
                image += strength * np.exp(-0.5 * ((far - length) / width) ** 2) / length
        image *= 0.3 / image.sum()
    if kind != "rings":
        image += _spots(found, zone, rng, line) * (0.3 if kind == "spots" else 0.1)
    beam = np.exp(-0.5 * (far / 0.007) ** 2)
    image += (1 - image.sum()) * beam / beam.sum()
    axes = tuple(
        Axis(name=name, size=size, scale=_GRID, offset=float(line[0])) for name in ("q_y", "q_x")
    )
    return Pattern(torch.from_numpy(image)[None].float(), axes, reach)


def _spots(found, zone, rng, line):
    """Spots of one zone, as strong as a slightly tilted crystal shows them; they add up to one."""
    hkl, g = np.concatenate([found.hkl, -found.hkl]), np.concatenate([found.g, -found.g])
    power = np.concatenate([found.intensity, found.intensity])
    inside = (hkl @ np.array(zone) == 0) & (power > 1e-4 * power.max())
    g, power = g[inside], power[inside]
    first = g[0] / np.linalg.norm(g[0])
    other = g[np.argmax(np.linalg.norm(np.cross(g, first), axis=1))]
    normal = np.cross(first, other)
    second = np.cross(normal / np.linalg.norm(normal), first)
    angle, tilt = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.25, 2)
    x, y = g @ first, g @ second
    x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    # The nearer to the Laue circle, the stronger.
    off = np.abs(np.hypot(x - tilt[0], y - tilt[1]) - np.hypot(*tilt))
    power = np.sqrt(power) * np.exp(-0.5 * (off / 0.7) ** 2) * rng.uniform(0.4, 1, len(x))
    width = rng.uniform(0.008, 0.013)
    image = np.zeros((len(line), len(line)))
    for column, row, strength in zip(x, y, power, strict=True):
        image += strength * np.outer(
            np.exp(-0.5 * ((line - row) / width) ** 2),
            np.exp(-0.5 * ((line - column) / width) ** 2),
        )
    return image / image.sum()


def take(seed: int, crystals: dict[str, Crystal]) -> Truth:
    """A picture with everything that `physics.md` lists."""
    rng = np.random.default_rng(seed)
    kind = ("rings", "spots", "both")[seed % 3]
    name = ("aluminium", "gold", "iron", "si3n4-beta")[rng.integers(3 if kind != "spots" else 4)]
    zone = (0, 0, 1) if name == "si3n4-beta" else ((0, 0, 1), (0, 1, 1), (1, 1, 1))[rng.integers(3)]
    crystal = crystals[name]
    eight_bits = bool(rng.integers(2))
    pixels = 256
    side = rng.uniform(0.007, 0.0105)
    stop = rng.uniform(0.05, 0.1)
    instrument = AreaDetector(
        pixels=pixels,
        pixel_size_inv_angstrom=side,
        centre_offset_x_px=rng.uniform(-40, 40),
        centre_offset_y_px=rng.uniform(-40, 40),
        camera_length_error=rng.uniform(-0.05, 0.05),
        ellipticity=rng.uniform(0, 0.04),
        ellipticity_angle_deg=rng.uniform(0, 180),
        dose_electrons=10 ** rng.uniform(6.3, 7.3) if not eight_bits else 10 ** rng.uniform(6, 6.6),
        point_spread_px=rng.uniform(0.6, 1.2),
        inelastic_fraction=rng.uniform(0.2, 0.5),
        inelastic_half_width_inv_angstrom=rng.uniform(0.005, 0.03),
        inelastic_cutoff_inv_angstrom=1.2,
        amorphous_fraction=rng.uniform(0.05, 0.25),
        amorphous_radius_inv_angstrom=rng.uniform(0.3, 0.5),
        amorphous_width_inv_angstrom=rng.uniform(0.09, 0.14),
        beam_stop_radius_inv_angstrom=stop,
        beam_stop_arm_width_inv_angstrom=stop * rng.uniform(0.5, 1.2),
        beam_stop_arm_angle_deg=rng.uniform(-180, 180),
        beam_stop_offset_x_inv_angstrom=rng.normal(0, 0.01),
        beam_stop_offset_y_inv_angstrom=rng.normal(0, 0.01),
        mask_unseen=True,
        read_noise_counts=rng.uniform(0, 2) if not eight_bits else 0.0,
        offset_counts=rng.uniform(0, 50) if not eight_bits else 0.0,
        bit_depth=8 if eight_bits else 16,
        gamma=rng.uniform(0.45, 1) if eight_bits else 1.0,
        gain_counts_per_electron=rng.uniform(0.5, 2) if eight_bits else rng.uniform(1, 5),
        dead_pixel_fraction=2e-4,
        hot_pixel_fraction=2e-4,
        bad_pixel_seed=seed,
        scale_bar_inv_angstrom=0.5,
    )
    pattern = replace(
        ideal(crystal, kind, zone, rng, instrument.reach_inv_angstrom + 0.1), area_angstrom2=1.0
    )
    recording = instrument.measure(instrument.project(pattern), rng)
    counts = recording.counts[0].astype(np.float64)
    full = 2.0**instrument.bit_depth - 1
    measured = Measured(f"{kind} {name} {seed}", counts, instrument.bit_depth, full)
    return Truth(
        kind,
        measured,
        recording.seen,
        crystal,
        zone,
        pixels // 2 + instrument.centre_offset_x_px,
        pixels // 2 + instrument.centre_offset_y_px,
        side / (1 + instrument.camera_length_error),
        instrument.ellipticity,
        instrument.ellipticity_angle_deg,
        instrument,
    )


@pytest.fixture(scope="session")
def crystals() -> dict[str, Crystal]:
    """Crystals that patterns are of."""
    catalogue = Catalogue.load()
    names = ("aluminium", "gold", "iron", "si3n4-beta")
    return {name: catalogue.create("structure", name) for name in names}


@pytest.fixture(scope="session")
def taken(crystals):
    """Takes the picture of a seed."""
    return lambda seed: take(seed, crystals)
