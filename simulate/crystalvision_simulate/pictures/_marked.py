"""What is shown of a crystal along the beam: a slice, and what defects did to its atoms."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision_simulate.pictures._place import rotation
from crystalvision_simulate.pictures._repeat import repeat_angstrom
from crystalvision_simulate.pictures._view import CrystalView

_THICKEST = 8.0  # Å: a repeat along the beam that is shown whole
_THIN = 4.0  # Å of a crystal whose repeat is longer
_LARGEST_ATOM = 0.6  # of the covalent radius
_STILL = 0.01  # Å: motion too small to be drawn
_LONG = 2.0  # Å: arrows of most atoms are shorter
_ENLARGED = (1, 2, 5, 10, 20, 50)


@dataclass(frozen=True, slots=True, eq=False)
class MarkedCrystal:
    """A slice of a crystal across the beam, turned as the pattern is, y downwards.

    Attributes:
        thickness: Thickness of the slice [Å].
        atoms_xy: Where atoms are drawn, those nearest to the viewer last [Å], (a, 2).
        numbers: Their atomic numbers, (a,).
        substituted: Whether an atom is on a site of another element, (a,).
        between: Whether an atom lies between the sites, (a,).
        vacant_xy: Where sites are drawn on which no atom is [Å], (v, 2).
        vacant_numbers: Atomic numbers that belong there, (v,).
        radii: The radius at which each element is drawn [Å].
        arrows_xy: From the sites of atoms that moved [Å], (m, 2).
        arrows: How far they moved, `enlarged` times [Å], (m, 2).
        enlarged: How many times; 0 where none moved.
    """

    thickness: float
    atoms_xy: Float[np.ndarray, "a 2"]
    numbers: Int[np.ndarray, "a"]
    substituted: Bool[np.ndarray, "a"]
    between: Bool[np.ndarray, "a"]
    vacant_xy: Float[np.ndarray, "v 2"]
    vacant_numbers: Int[np.ndarray, "v"]
    radii: dict[int, float]
    arrows_xy: Float[np.ndarray, "m 2"]
    arrows: Float[np.ndarray, "m 2"]
    enlarged: int


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    """What is shown: a slice across the beam, within the window, turned as the pattern is.

    Attributes:
        thickness: Thickness of the slice [Å].
        atoms: Which atoms are in it, those nearest to the viewer last.
        sites: Which sites are in it.
        atoms_xy: Where those atoms are drawn [Å], (a, 2).
        sites_xy: Where those sites are drawn [Å], (s, 2).
    """

    thickness: float
    atoms: Int[np.ndarray, "a"]
    sites: Int[np.ndarray, "s"]
    atoms_xy: Float[np.ndarray, "a 2"]
    sites_xy: Float[np.ndarray, "s 2"]


def marked_crystal(view: CrystalView) -> MarkedCrystal:
    """A slice of a crystal, with what defects did to its atoms."""
    part, comparison = _slice_of(view), view.comparison
    vacant = (comparison.vacant & ~comparison.replaced)[part.sites]
    arrows_xy, arrows, enlarged = _motion(view, part)
    return MarkedCrystal(
        thickness=part.thickness,
        atoms_xy=part.atoms_xy,
        numbers=view.specimen.numbers[part.atoms],
        substituted=comparison.substituted[part.atoms],
        between=comparison.between[part.atoms],
        vacant_xy=part.sites_xy[vacant],
        vacant_numbers=comparison.elements[part.sites[vacant]],
        radii=_radii(view, part),
        arrows_xy=arrows_xy,
        arrows=arrows,
        enlarged=enlarged,
    )


def _slice_of(view: CrystalView) -> _Slice:
    """A slice in the middle of the crystal, one repeat thick if that is not too thick."""
    comparison, specimen = view.comparison, view.specimen
    repeat = repeat_angstrom(view.parent.unit_cell, view.zone_axis)
    thickness = repeat if repeat <= _THICKEST else _THIN
    heights = comparison.sites[:, 2]
    start = _gap_before(heights, specimen.thickness_angstrom / 2 - thickness / 2)
    middle = specimen.box_angstrom[:2] / 2
    turn = rotation(view.rotation_deg).T

    def shown(
        positions: Float[np.ndarray, "n 3"], depth: Float[np.ndarray, "n"]
    ) -> Int[np.ndarray, "k"]:
        near = np.linalg.norm(positions[:, :2] - middle, axis=1) < view.window_angstrom / 2
        within: Bool[np.ndarray, "n"] = near & (depth >= start) & (depth < start + thickness)
        return np.flatnonzero(within)

    on_site = comparison.site_of_atom >= 0
    depth = specimen.positions[:, 2].copy()
    depth[on_site] = heights[comparison.site_of_atom[on_site]]
    atoms = shown(specimen.positions, depth)
    atoms = atoms[np.argsort(-specimen.positions[atoms, 2], kind="stable")]
    sites = shown(comparison.sites, heights)
    return _Slice(
        thickness,
        atoms,
        sites,
        (specimen.positions[atoms, :2] - middle) @ turn,
        (comparison.sites[sites, :2] - middle) @ turn,
    )


def _gap_before(heights: Float[np.ndarray, "m"], start: float) -> float:
    """The middle of the gap between layers that is nearest to a height [Å]."""
    layers = np.unique(np.round(heights, 3))
    gaps = np.diff(layers)
    if not len(gaps):
        return start
    middles = (layers[:-1] + gaps / 2)[gaps > 0.5 * gaps.max()]
    return float(middles[np.argmin(abs(middles - start))])


def _radii(view: CrystalView, part: _Slice) -> dict[int, float]:
    """The radius at which each element is drawn [Å]; atoms side by side leave a gap."""
    from ase.data import covalent_radii
    from scipy.spatial import cKDTree

    numbers = np.unique(np.concatenate([view.specimen.numbers, view.comparison.elements]))
    covalent = {int(number): float(covalent_radii[number]) for number in numbers}
    columns = np.unique(np.round(part.sites_xy, 2), axis=0)
    scale = _LARGEST_ATOM
    if len(columns) > 1:
        distances, _ = cKDTree(columns).query(columns, k=2)
        apart = distances[:, 1]
        scale = min(scale, 0.5 * float(apart[apart > 0.02].min()) / max(covalent.values()))
    return {number: max(scale, 0.22) * radius for number, radius in covalent.items()}


def _motion(
    view: CrystalView, part: _Slice
) -> tuple[Float[np.ndarray, "m 2"], Float[np.ndarray, "m 2"], int]:
    """How far atoms are from their sites, enlarged so many times; 0 times where none moved.

    The arrows of most atoms become nearly as long as the distance of neighbours.
    """
    comparison, turn = view.comparison, rotation(view.rotation_deg).T
    chosen = part.atoms[comparison.site_of_atom[part.atoms] >= 0]
    moved = comparison.moved[chosen, :2] @ turn
    lengths = np.linalg.norm(moved, axis=1)
    if not len(lengths) or lengths.max() < _STILL:
        return np.zeros((0, 2)), np.zeros((0, 2)), 0
    typical = max(float(np.quantile(lengths[lengths > _STILL], 0.9)), float(lengths.max()) / 3)
    enlarged = max(factor for factor in _ENLARGED if factor == 1 or factor * typical < _LONG)
    middle = view.specimen.box_angstrom[:2] / 2
    sites = comparison.sites[comparison.site_of_atom[chosen], :2] - middle
    keep = lengths > _STILL
    return (sites @ turn)[keep], (enlarged * moved)[keep], enlarged
