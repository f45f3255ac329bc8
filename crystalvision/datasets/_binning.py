"""Sums counts over squares of pixels, as a coarser detector would have counted."""

from typing import Any

import numpy as np
from jaxtyping import Float32

from crystalvision.errors import InputError


def check_bin(image_shape: tuple[int, int, int], size: int) -> None:
    """Check that squares of `size` × `size` pixels tile an image (c, h, w).

    Raises:
        InputError: They do not.
    """
    _, height, width = image_shape
    if size < 1 or height % size or width % size:
        common = [n for n in range(1, min(height, width) + 1) if not (height % n or width % n)]
        raise InputError(
            f"bin={size} does not divide an image of {height}×{width} pixels; "
            f"choose one of {', '.join(map(str, common[:12]))}"
        )


def bin_images(images: np.ndarray[Any, Any], size: int) -> Float32[np.ndarray, "n c h w"]:
    """Sum counts over squares: (n, c, h, w) → float32 (n, c, h / size, w / size).

    Sums are exact up to 2²⁴ counts a square.

    Raises:
        InputError: The size does not divide the image.
    """
    if size == 1:
        return images.astype(np.float32)
    number, channels, height, width = images.shape
    check_bin((channels, height, width), size)
    squares = images.reshape(number, channels, height // size, size, width // size, size)
    wide = np.float64 if images.dtype.kind == "f" else np.uint64
    sums: np.ndarray[Any, Any] = squares.sum(axis=(3, 5), dtype=wide)
    return sums.astype(np.float32)
