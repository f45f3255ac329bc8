"""What is said of a sample beside its pictures."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Parent
from crystalvision_simulate.scenes import Scene
from crystalvision_simulate.simulator import Simulator

_PARALLEL = 1e-4  # rad
_LARGEST_INDEX = 8


def details_of(simulator: Simulator, scene: Scene) -> str:
    """How a sample was taken, and what was measured on its defects; zeros are left out."""
    drawn = scene.drawn
    parts = [
        simulator.recipe.renderer.name,
        f"{drawn['thickness_angstrom']:.4g} Å thick",
        f"{drawn['energy_kev']:g} keV",
    ]
    if drawn["mistilt_mrad"]:
        azimuth = drawn["mistilt_azimuth_deg"]
        parts.append(f"mistilt {drawn['mistilt_mrad']:.1f} mrad towards {azimuth:.0f}°")
    if drawn.get("rotation_deg"):
        parts.append(f"turned by {drawn['rotation_deg']:.0f}°")
    offsets = [drawn.get(f"centre_offset_{axis}_px", 0.0) for axis in "xy"]
    if any(offsets):
        parts.append(f"centre off by ({_signed(offsets[0])}, {_signed(offsets[1])}) px")
    if drawn.get("camera_length_error"):
        parts.append(f"camera length {_signed(100 * drawn['camera_length_error'])} %")
    measured = [
        f"{name} {_plain(scene.columns[name])}"
        for name in simulator.defects.measures
        if abs(scene.columns[name]) > 1e-9
    ]
    together = [part.replace(" ", "\N{NO-BREAK SPACE}") for part in (*parts, *measured)]
    return "; ".join([", ".join(together[: len(parts)]), *together[len(parts) :]])


def bracketed(uvw: Sequence[int], brackets: str = "[]") -> str:
    """Indices in brackets, such as [1 -1 0]; without spaces where none is needed."""
    plain = all(0 <= index <= 9 for index in uvw)
    return brackets[0] + ("" if plain else " ").join(str(index) for index in uvw) + brackets[1]


def name_of_direction(
    parent: Parent, direction: Float[np.ndarray, "3"]
) -> tuple[tuple[int, ...], str]:
    """The lattice planes across a direction, or the lattice vector along it, of low indices.

    Returns:
        The indices and their brackets, `()` for planes (hkl), `[]` for a direction [uvw]; none
        where the direction has low indices in neither lattice.
    """
    reach = range(-_LARGEST_INDEX, _LARGEST_INDEX + 1)
    indices = np.array([each for each in product(reach, repeat=3) if np.gcd.reduce(each) == 1])
    indices = indices[np.argsort(abs(indices).sum(axis=1), kind="stable")]
    planes = indices @ np.linalg.inv(parent.vectors).T
    for vectors, brackets in ((planes, "()"), (indices @ parent.vectors, "[]")):
        cosine = vectors @ direction / np.linalg.norm(vectors, axis=1) / np.linalg.norm(direction)
        along = np.flatnonzero(cosine > np.cos(_PARALLEL))
        if len(along):
            return tuple(int(index) for index in indices[along[0]]), brackets
    return (), ""


def _plain(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
