"""Arrays whose first axes count images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Frame
from crystalvision.errors import InputError

_MAX_FRAMES = 2**20


def frames_of(path: Path, shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[Frame, ...]:
    """The images of an array, or of a stack along its first axis.

    Raises:
        InputError: Another number of axes, or more images than are read.
    """
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        raise InputError(
            f"{path}: has shape {tuple(shape)}; expected (rows, columns), or images of that shape "
            "along one or two further axes"
        )
    count = 1 if len(shape) == 2 else int(shape[0])
    if count > _MAX_FRAMES:
        raise InputError(
            f"{path}: holds {count:,} images; up to {_MAX_FRAMES:,} are read: divide it"
        )
    one = tuple(map(int, shape if len(shape) == 2 else shape[1:]))
    return (Frame(one, dtype.newbyteorder("=").name),) * count
