"""A crystal cut to a box along any zone axis, for a selected-area aperture."""

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Aperture, Crystal, Parent
from crystalvision.errors import InputError
from crystalvision_simulate.lattice import sites_in_box
from crystalvision_simulate.specimens._axis import along_beam

_EDGE = 0.2  # of the diameter: tails of the spots end 5 / diameter from their centres
_MARGIN = 4.0  # Å: electrons scattered by 30 mrad move so far aside in 130 Å of crystal
_NO_LAYERS = 0.05  # Å below which the spacing of layers is no layering
_COINCIDE = 1e-4  # Å within which two heights are one layer
_ROUNDING = 1e-6  # of a layer: which of two equally near ones is taken must not depend on rounding


class CrystalCutter:
    """Cuts boxes of width × width × thickness with [uvw] along z from one crystal of any system.

    Made once for a recipe: turning the crystal takes longer than cutting a box of it.
    """

    def __init__(
        self,
        unit_cell: Crystal,
        *,
        zone_axis: tuple[int, int, int],
        width_angstrom: float,
        rotation_deg: float = 0.0,
    ) -> None:
        """Turn the crystal.

        [uvw] comes to lie along +z and the shortest reciprocal vector of the zero-order Laue zone
        along +x; then the crystal is rotated about z.

        Args:
            unit_cell: The ideal crystal, periodic along all three vectors.
            zone_axis: Indices [uvw] of the direction along the beam.
            width_angstrom: Width of the boxes in x and y [Å].
            rotation_deg: Rotation about the beam, from x towards y [degrees].

        Raises:
            InputError: The zone axis is [0, 0, 0], or a width is not positive.
        """
        self._width = _positive("width_angstrom", width_angstrom)
        self._unit_cell = unit_cell
        self._rotation = _about_z(np.deg2rad(rotation_deg)) @ along_beam(unit_cell, zone_axis)
        self._spacing, self._gap = _widest_gap(unit_cell, self._rotation)

    def cut(self, thickness_angstrom: float) -> Crystal:
        """The crystal in a box of exactly this thickness [Å], periodic nowhere.

        The origin of the unit cell lies in the middle of the box in x and y, and in z as near to it
        as the layers allow: the face where the beam enters lies in the middle of the widest gap
        between atomic layers, so that no layer is cut by rounding.

        Raises:
            InputError: The thickness is not positive, or no atom lies in the box.
        """
        thickness = _positive("thickness_angstrom", thickness_angstrom)
        box = np.array([self._width, self._width, thickness])
        origin = box / 2
        if self._spacing:
            turns = (origin[2] + self._gap) / self._spacing
            origin[2] = np.ceil(turns - 0.5 - _ROUNDING) * self._spacing - self._gap
        parent = Parent(self._unit_cell, self._rotation, origin)
        positions, numbers = sites_in_box(parent, np.zeros(3), box)
        if len(numbers) == 0:
            raise InputError(
                f"no atom lies in a box of {self._width:g} × {self._width:g} × {thickness:g} Å; "
                "make width_angstrom or thickness_angstrom larger"
            )
        return Crystal(positions, numbers, np.diag(box), np.array([False] * 3), parent)


def aperture_of(diameter_angstrom: float, width_angstrom: float) -> Aperture:
    """The selected-area aperture in the middle of a box, with a soft edge.

    The edge takes up a fifth of the diameter: a sharp one would spread each spot over the whole
    pattern, as q⁻³. Between the edge and the sides of the box lie 4 Å, so that what is scattered at
    the sides, where the crystal ends, does not reach the aperture.

    Args:
        diameter_angstrom: Where it lets half of the amplitude through [Å].
        width_angstrom: Width of the box in x and y [Å].

    Raises:
        InputError: It does not fit.
    """
    diameter = _positive("aperture_diameter_angstrom", diameter_angstrom)
    largest = (width_angstrom - 2 * _MARGIN) / (1 + _EDGE)
    if diameter > largest:
        needed = diameter * (1 + _EDGE) + 2 * _MARGIN
        raise InputError(
            f"aperture_diameter_angstrom is {diameter:g}, but in a box {width_angstrom:g} Å wide "
            f"its soft edge leaves room for {max(largest, 0):.4g} at most; make it smaller, or "
            f"width_angstrom {needed:.4g} or more"
        )
    return Aperture(diameter, _EDGE * diameter)


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"{name} is {value:g}; expected a positive number of Å")
    return float(value)


def _about_z(angle: float) -> Float[np.ndarray, "3 3"]:
    """The rotation about z by an angle [rad], from x towards y, (3, 3)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _widest_gap(unit_cell: Crystal, rotation: Float[np.ndarray, "3 3"]) -> tuple[float, float]:
    """The spacing at which layers repeat along z [Å], and where the widest gap among them lies.

    The spacing is 0 where lattice points lie at any height, as for a zone axis with no lattice
    plane across it.
    """
    spacing = 0.0
    for step in np.abs(unit_cell.cell @ rotation[2]):
        spacing = _common_measure(spacing, float(step))
    if spacing < _NO_LAYERS:
        return 0.0, 0.0
    heights = np.mod(unit_cell.positions @ rotation[2] + _COINCIDE, spacing) - _COINCIDE
    heights = np.sort(heights)
    gaps = np.diff(heights, append=heights[0] + spacing)
    widest = np.flatnonzero(gaps > gaps.max() - _COINCIDE)[0]
    return spacing, float(heights[widest] + gaps[widest] / 2)


def _common_measure(first: float, second: float) -> float:
    """The greatest length of which both are multiples (Euclid), but for rounding."""
    while second > _COINCIDE:
        first, second = second, abs(first - second * round(first / second))
    return first
