"""Rotations that bring a crystal back onto itself."""

from functools import cache

import numpy as np
from jaxtyping import Float

from crystalvision.errors import InputError

# The proper rotations of each of the 32 point groups: a group of scipy's, the axis that its
# principal axis lies along, and by how far it is turned about that [degrees].
_PROPER: dict[str, tuple[str, str, float]] = {
    **dict.fromkeys(("1", "-1", "m"), ("C1", "Z", 0.0)),
    **dict.fromkeys(("2", "2/m"), ("C2", "Y", 0.0)),
    **dict.fromkeys(("mm2", "-4"), ("C2", "Z", 0.0)),
    **dict.fromkeys(("222", "mmm", "-42m"), ("D2", "Z", 0.0)),
    "-4m2": ("D2", "Z", 45.0),
    **dict.fromkeys(("4", "4/m", "4mm"), ("C4", "Z", 0.0)),
    **dict.fromkeys(("422", "4/mmm"), ("D4", "Z", 0.0)),
    **dict.fromkeys(("3", "-3", "3m", "31m", "3m1", "-6"), ("C3", "Z", 0.0)),
    **dict.fromkeys(("32", "321", "-3m", "-3m1", "-62m"), ("D3", "Z", 0.0)),
    **dict.fromkeys(("312", "-31m", "-6m2"), ("D3", "Z", 30.0)),
    **dict.fromkeys(("6", "6/m", "6mm"), ("C6", "Z", 0.0)),
    **dict.fromkeys(("622", "6/mmm"), ("D6", "Z", 0.0)),
    **dict.fromkeys(("23", "m-3", "-43m"), ("T", "Z", 0.0)),
    **dict.fromkeys(("432", "m-3m"), ("O", "Z", 0.0)),
}


@cache
def proper_rotations(symmetry: str) -> Float[np.ndarray, "g 4"]:
    """Unit quaternions (w, x, y, z) of the proper rotations of a point group, (g, 4).

    In Cartesian axes of the crystal: x along a, z along c; of a monoclinic crystal, y along b,
    its unique axis.

    Args:
        symmetry: The point group (Hermann-Mauguin), such as `m-3m`; "" for none.

    Raises:
        InputError: There is no such point group.
    """
    from scipy.spatial.transform import Rotation

    if symmetry not in {"", *_PROPER}:
        raise InputError(
            f"symmetry {symmetry!r} is no point group; expected one of {', '.join(_PROPER)}"
        )
    group, axis, turned_deg = _PROPER[symmetry or "1"]
    turn = Rotation.from_euler("z", turned_deg, degrees=True)
    rotations = turn * Rotation.create_group(group, axis=axis) * turn.inv()
    quaternions: Float[np.ndarray, "g 4"] = np.roll(rotations.as_quat(), 1, axis=1)
    quaternions.setflags(write=False)  # it is shared
    return quaternions
