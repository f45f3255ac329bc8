"""Draws the crystal of a sample as the beam sees it, with what defects did to it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crystalvision_simulate.pictures._draw_frame import draw_frame
from crystalvision_simulate.pictures._labels import overlined
from crystalvision_simulate.pictures._marked import MarkedCrystal, marked_crystal
from crystalvision_simulate.pictures._style import INK, MARK
from crystalvision_simulate.pictures._view import CrystalView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST_MARK = 1 / 75  # of the window


def draw_crystal(axes: "Axes", view: CrystalView, colours: Mapping[int, str]) -> set[str]:
    """Draw a crystal as seen along the beam, y downwards as on the detector.

    Args:
        axes: Where.
        view: The crystal.
        colours: The colour of each element.

    Returns:
        The marks that occur: `vacant`, `substituted`, `between`, `moved`.
    """
    part = marked_crystal(view)
    found = _draw_atoms(axes, part, _SMALLEST_MARK * view.window_angstrom, colours)
    if part.enlarged:
        _draw_motion(axes, part)
        found.add("moved")
    draw_frame(axes, view)
    title = f"[{overlined(view.zone_axis)}] into the page; a slice of {part.thickness:.2g} Å"
    axes.set_title(title, parse_math=True)
    if part.enlarged:
        axes.text(0.98, 0.02, f"motion ×{part.enlarged}", transform=axes.transAxes, ha="right")
    return found


def _draw_atoms(
    axes: "Axes", part: MarkedCrystal, least: float, colours: Mapping[int, str]
) -> set[str]:
    """Draw the atoms, and the marks of those that are not as they should be."""
    sizes = np.array([part.radii[int(number)] for number in part.numbers])
    faces = [colours[int(number)] for number in part.numbers]
    plain = ~part.between
    plain_faces = [face for face, here in zip(faces, plain, strict=True) if here]
    _draw_discs(axes, part.atoms_xy[plain], sizes[plain], plain_faces, "#444444", 0.3)
    found = set()
    for name, chosen in (("substituted", part.substituted), ("between", part.between)):
        if chosen.any():
            found.add(name)
            places = part.atoms_xy[chosen]
            if name == "substituted":
                _draw_discs(axes, places, 1.35 * sizes[chosen], "none", MARK, 1.1)
            else:
                faces_there = [face for face, here in zip(faces, chosen, strict=True) if here]
                _draw_diamonds(axes, places, np.maximum(1.4 * sizes[chosen], least), faces_there)
    if len(part.vacant_xy):
        found.add("vacant")
        sizes = np.array([part.radii[int(number)] for number in part.vacant_numbers])
        _draw_discs(axes, part.vacant_xy, sizes, "none", MARK, 0.9)
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


def _draw_motion(axes: "Axes", part: MarkedCrystal) -> None:
    """Draw how far atoms are from their sites."""
    axes.quiver(
        *part.arrows_xy.T,
        *part.arrows.T,
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
