"""Where the atomic layers of an ideal crystal lie along a direction."""

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Parent
from crystalvision_simulate.lattice import sites_in_box

_SAME = 0.05  # Å within which atoms belong to one layer
_REACH = 12.0  # Å about a point in which layers are looked for
_WIDE = 0.9  # of the widest gap: what counts as one of the widest


def layers_near(
    parent: Parent, normal: Float[np.ndarray, "3"], point: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "k"]:
    """Heights r·n of the atomic layers about a point [Å], ascending, (k,).

    Args:
        parent: The ideal crystal.
        normal: Unit vector n.
        point: Where to look [Å].
    """
    sites, _ = sites_in_box(parent, point - _REACH, point + _REACH)
    heights = np.sort(sites @ normal)
    heights = heights[abs(heights - point @ normal) < _REACH]  # corners hold incomplete layers
    starts = np.flatnonzero(np.diff(heights, prepend=-np.inf) > _SAME)
    layers: Float[np.ndarray, "k"] = np.array(
        [part.mean() for part in np.split(heights, starts[1:])]
    )
    return layers


def nearest_gap(
    parent: Parent, normal: Float[np.ndarray, "3"], point: Float[np.ndarray, "3"]
) -> float:
    """Height r·n in the middle of the nearest wide gap between layers [Å]."""
    layers = layers_near(parent, normal, point)
    gaps = np.diff(layers)
    middles = (layers[:-1] + gaps / 2)[gaps >= _WIDE * gaps.max()]
    return float(middles[np.argmin(abs(middles - point @ normal))])
