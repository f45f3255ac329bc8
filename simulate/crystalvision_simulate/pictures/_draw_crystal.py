"""Draws the crystal of a sample as the beam sees it, with what defects did to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from crystalvision_simulate.pictures._draw_frame import draw_frame
from crystalvision_simulate.pictures._labels import overlined
from crystalvision_simulate.pictures._place import rotation
from crystalvision_simulate.pictures._repeat import repeat_angstrom
from crystalvision_simulate.pictures._style import INK, MARK
from crystalvision_simulate.pictures._view import CrystalView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_THICKEST = 8.0  # Å: a repeat along the beam that is shown whole
_THIN = 4.0  # Å of a crystal whose repeat is longer
_SMALLEST_MARK = 1 / 75  # of the window
_LARGEST_ATOM = 0.6  # of the covalent radius
_STILL = 0.01  # Å: motion too small to be drawn
_LONG = 2.0  # Å: arrows of most atoms are shorter
_ENLARGED = (1, 2, 5, 10, 20, 50)


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


def draw_crystal(axes: "Axes", view: CrystalView, colours: Mapping[int, str]) -> set[str]:
    """Draw a crystal as seen along the beam, y downwards as on the detector.

    Args:
        axes: Where.
        view: The crystal.
        colours: The colour of each element.

    Returns:
        The marks that occur: `vacant`, `substituted`, `between`, `moved`.
    """
    part = _slice_of(view)
    radii = _radii(view, part)
    found = _draw_atoms(axes, view, part, radii, colours)
    enlarged = _draw_motion(axes, view, part)
    if enlarged:
        found.add("moved")
    draw_frame(axes, view)
    title = f"[{overlined(view.zone_axis)}] into the page; a slice of {part.thickness:.2g} Å"
    axes.set_title(title, parse_math=True)
    if enlarged:
        axes.text(0.98, 0.02, f"motion ×{enlarged}", transform=axes.transAxes, ha="right")
    return found


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


def _draw_atoms(
    axes: "Axes",
    view: CrystalView,
    part: _Slice,
    radii: Mapping[int, float],
    colours: Mapping[int, str],
) -> set[str]:
    """Draw the atoms, and the marks of those that are not as they should be."""
    comparison = view.comparison
    numbers = view.specimen.numbers[part.atoms]
    sizes = np.array([radii[int(number)] for number in numbers])
    faces = [colours[int(number)] for number in numbers]
    plain = ~comparison.between[part.atoms]
    plain_faces = [face for face, here in zip(faces, plain, strict=True) if here]
    _draw_discs(axes, part.atoms_xy[plain], sizes[plain], plain_faces, "#444444", 0.3)
    found, least = set(), _SMALLEST_MARK * view.window_angstrom
    for name, chosen in (
        ("substituted", comparison.substituted[part.atoms]),
        ("between", comparison.between[part.atoms]),
    ):
        if chosen.any():
            found.add(name)
            places = part.atoms_xy[chosen]
            if name == "substituted":
                _draw_discs(axes, places, 1.35 * sizes[chosen], "none", MARK, 1.1)
            else:
                faces_there = [face for face, here in zip(faces, chosen, strict=True) if here]
                _draw_diamonds(axes, places, np.maximum(1.4 * sizes[chosen], least), faces_there)
    vacant = (comparison.vacant & ~comparison.replaced)[part.sites]
    if vacant.any():
        found.add("vacant")
        sizes = np.array([radii[int(n)] for n in comparison.elements[part.sites[vacant]]])
        _draw_discs(axes, part.sites_xy[vacant], sizes, "none", MARK, 0.9)
    return found


def _draw_discs(
    axes: "Axes",
    places: Float[np.ndarray, "n 2"],
    radii: Float[np.ndarray, "n"],
    faces: list[str] | str,
    edge: str,
    width: float,
) -> None:
    from matplotlib.collections import EllipseCollection

    axes.add_collection(
        EllipseCollection(
            2 * radii,
            2 * radii,
            np.zeros(len(radii)),
            units="xy",
            offsets=places,
            offset_transform=axes.transData,
            facecolors=faces,
            edgecolors=edge,
            linewidths=width,
        )
    )


def _draw_diamonds(
    axes: "Axes",
    places: Float[np.ndarray, "n 2"],
    radii: Float[np.ndarray, "n"],
    faces: list[str],
) -> None:
    from matplotlib.collections import PolyCollection

    corners = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
    axes.add_collection(
        PolyCollection(
            places[:, None] + radii[:, None, None] * corners,
            facecolors=faces,
            edgecolors=MARK,
            linewidths=0.8,
        )
    )


def _draw_motion(axes: "Axes", view: CrystalView, part: _Slice) -> int:
    """Draw how far atoms are from their sites, enlarged; returns how many times, 0 for not at all.

    The arrows of most atoms become nearly as long as the distance of neighbours.
    """
    comparison = view.comparison
    chosen = part.atoms[comparison.site_of_atom[part.atoms] >= 0]
    moved = comparison.moved[chosen, :2] @ rotation(view.rotation_deg).T
    lengths = np.linalg.norm(moved, axis=1)
    if not len(lengths) or lengths.max() < _STILL:
        return 0
    typical = max(float(np.quantile(lengths[lengths > _STILL], 0.9)), float(lengths.max()) / 3)
    enlarged = max(factor for factor in _ENLARGED if factor == 1 or factor * typical < _LONG)
    middle = view.specimen.box_angstrom[:2] / 2
    sites = comparison.sites[comparison.site_of_atom[chosen], :2] - middle
    keep = lengths > _STILL
    axes.quiver(
        *(sites @ rotation(view.rotation_deg).T)[keep].T,
        *(enlarged * moved[keep]).T,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.0035,
        headwidth=3.2,
        headlength=3.5,
        headaxislength=3.2,
        minlength=0.5,
        color=INK,
        zorder=3,
    )
    return enlarged
