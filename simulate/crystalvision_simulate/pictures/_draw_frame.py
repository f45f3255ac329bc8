"""Draws what surrounds the atoms: the unit cell, the window, directions, the scale bar."""

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from crystalvision_simulate.pictures._labels import overlined
from crystalvision_simulate.pictures._place import rotation
from crystalvision_simulate.pictures._style import FAINT, INK
from crystalvision_simulate.pictures._view import CrystalView
from crystalvision_simulate.pictures._words import name_of_direction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROOM = 1.45  # of the window's radius: for the names of directions
_SEEN = 0.25  # of its length: an edge of the cell that is seen shorter gets no name


def draw_frame(axes: "Axes", view: CrystalView) -> None:
    """Draw the unit cell, the window, the aperture, the directions across the beam, a scale bar."""
    radius = view.window_angstrom / 2
    axes.set(xlim=(-_ROOM * radius, _ROOM * radius), ylim=(_ROOM * radius, -_ROOM * radius))
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    _draw_circle(axes, radius, FAINT, "-")
    if view.aperture is not None and view.aperture.diameter_angstrom < 2 * radius:
        _draw_circle(axes, view.aperture.diameter_angstrom / 2, INK, "--")
    _draw_cell(axes, view)
    for name, angle, direction in (
        ("x", view.rotation_deg, (1.0, 0.0, 0.0)),
        ("y", view.rotation_deg + 90, (0.0, 1.0, 0.0)),
    ):
        indices, brackets = name_of_direction(view.parent, np.array(direction))
        text = brackets[:1] + overlined(indices) + brackets[1:] if indices else name
        _draw_direction(axes, radius, float(np.deg2rad(angle)), text)
    _draw_scale_bar(axes, radius)


def _draw_circle(axes: "Axes", radius: float, colour: str, dashes: str) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(
        Circle((0, 0), radius, fill=False, edgecolor=colour, linewidth=0.8, linestyle=dashes)
    )


def _draw_cell(axes: "Axes", view: CrystalView) -> None:
    """The unit cell whose corner lies nearest to the middle, its edges named."""
    middle = view.specimen.box_angstrom / 2
    corner = np.rint((middle - view.parent.origin_angstrom) @ np.linalg.inv(view.parent.vectors))
    start = view.parent.origin_angstrom + corner @ view.parent.vectors - middle
    turn = rotation(view.rotation_deg).T
    origin = start[:2] @ turn
    edges = view.parent.vectors[:, :2] @ turn
    lines = []
    for along in range(3):
        others = [edge for edge in range(3) if edge != along]
        for first, second in product((0, 1), repeat=2):
            begin = origin + first * edges[others[0]] + second * edges[others[1]]
            lines.append((begin, begin + edges[along]))
    for begin, end in lines:
        axes.plot(*np.stack([begin, end]).T, color=INK, linewidth=0.7, zorder=4)
    for name, edge, vector in zip("abc", edges, view.parent.vectors, strict=True):
        if np.linalg.norm(edge) > _SEEN * np.linalg.norm(vector):
            axes.annotate(
                name,
                (float(origin[0] + edge[0]), float(origin[1] + edge[1])),
                xytext=tuple(6 * edge / np.linalg.norm(edge) * (1, -1)),
                textcoords="offset points",
                ha="center",
                va="center",
                color=INK,
                fontsize=8,
                fontstyle="italic",
                zorder=5,
                path_effects=_halo(),
            )


def _draw_direction(axes: "Axes", radius: float, angle: float, text: str) -> None:
    """An arrow outwards from the window, with a name."""
    right, down = radius * float(np.cos(angle)), radius * float(np.sin(angle))
    axes.annotate(
        "",
        (1.1 * right, 1.1 * down),
        xytext=(right, down),
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "shrinkA": 0},
    )
    beside = abs(right) > 0.7 * radius
    axes.text(
        1.13 * right,
        1.13 * down,
        text,
        ha=("left" if right > 0 else "right") if beside else "center",
        va="center" if beside else ("top" if down > 0 else "bottom"),
        fontsize=7.5,
        parse_math=True,
    )


def _draw_scale_bar(axes: "Axes", radius: float) -> None:
    """A bar of a round length in the lower left corner, at most a quarter of the window."""
    power = 10.0 ** np.floor(np.log10(radius / 2))
    length = max(step * power for step in (1, 2, 5) if step * power <= radius / 2)
    left, low = -1.41 * radius, 1.38 * radius
    axes.plot([left, left + length], [low, low], color=INK, linewidth=2, solid_capstyle="butt")
    axes.text(left, low - 0.04 * radius, f"{length:g} Å", va="bottom", fontsize=7.5)


def _halo() -> list[object]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=1.5, foreground="white")]
