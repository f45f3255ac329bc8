"""Which spots of a pattern are labelled with their indices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crystalvision_simulate.pictures._place import Calibration
from crystalvision_simulate.pictures._reflections import Reflections

MOST_LABELS = 9
_FAINTEST = 3e-3  # of the strongest spot: fainter ones need no name
_LIKELY = 1e-3  # of the strongest reflection expected
_ROOM = (0.20, 0.09)  # of the picture's width and height, that a label keeps for itself
_MARGIN = 0.03  # of the picture, at its edges: spots there get no label
_AWAY = np.array([0.075, 0.057])  # of width and height, from a spot to the middle of its label
_INSIDE = np.array([0.09, 0.035])  # of width and height, from the edges to the middle of a label


@dataclass(frozen=True, slots=True)
class Label:
    """Indices, and where their reflection must lie if the pattern is right.

    Attributes:
        hkl: Indices of the reflection.
        q_x_inv_angstrom: Its place on the axes of the pattern [1/Å].
        q_y_inv_angstrom: The same along q_y [1/Å].
        text_x: Where the middle of the text stands, as a fraction of the picture's width.
        text_y: The same from the top, as a fraction of its height.
    """

    hkl: tuple[int, int, int]
    q_x_inv_angstrom: float
    q_y_inv_angstrom: float
    text_x: float
    text_y: float


def choose_labels(
    image: Float[np.ndarray, "h w"],
    reflections: Reflections,
    calibration: Calibration,
    most: int = MOST_LABELS,
) -> list[Label]:
    """Label the brightest spots that have room for it.

    The pattern decides only which reflections are labelled; where each label stands, and that the
    reflection is allowed, is calculated from the crystal. Of hkl and -h-k-l one is labelled.
    """
    height, width = image.shape
    pixels = calibration.on_pixels(reflections.q_inv_angstrom)
    relative = (pixels + 0.5) / (width, height)
    (middle,) = (calibration.on_pixels(np.zeros((1, 2))) + 0.5) / (width, height)
    texts = _beside(relative, middle)
    inside = (abs(relative - 0.5) < 0.5 - _MARGIN).all(axis=1)
    candidates = np.flatnonzero(inside & (reflections.strength > _LIKELY))
    brightness = np.array([_brightness(image, pixels[index]) for index in candidates])
    chosen: list[int] = []
    for rank in np.argsort(-brightness, kind="stable"):
        index = int(candidates[rank])
        if len(chosen) == most or brightness[rank] < _FAINTEST * brightness.max():
            break
        if not _is_taken(index, chosen, texts, reflections):
            chosen.append(index)
    places = calibration.on_axes(reflections.q_inv_angstrom)
    return [
        Label(_indices(reflections.hkl[index]), *map(float, (*places[index], *texts[index])))
        for index in chosen
    ]


def overlined(hkl: Sequence[int]) -> str:
    """Indices as crystallographers write them, in matplotlib's mathtext: a bar for a minus."""
    signs = [rf"\overline{{{-index}}}" if index < 0 else str(index) for index in hkl]
    return "$" + r"\hspace{0.1}".join(signs) + "$"  # so that two bars do not touch


def _indices(hkl: Int[np.ndarray, "3"]) -> tuple[int, int, int]:
    first, second, third = (int(index) for index in hkl)
    return first, second, third


def _brightness(image: Float[np.ndarray, "h w"], pixel: Float[np.ndarray, "2"]) -> float:
    """Intensity in the 3 × 3 pixels about a place (column, row)."""
    column, row = np.rint(pixel).astype(int)
    return float(image[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].sum())


def _beside(
    relative: Float[np.ndarray, "n 2"], middle: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "n 2"]:
    """The middles of texts: on the far side of their spots, or on the near side at the edges."""
    from_middle = relative - middle
    away = _AWAY * from_middle / np.maximum(np.linalg.norm(from_middle, axis=1), 1e-9)[:, None]
    outwards = relative + away
    fits = (abs(outwards - 0.5) < 0.5 - _INSIDE).all(axis=1)
    texts: Float[np.ndarray, "n 2"] = np.where(fits[:, None], outwards, relative - away)
    return texts


def _is_taken(
    index: int, chosen: list[int], texts: Float[np.ndarray, "n 2"], reflections: Reflections
) -> bool:
    """Whether another label is near, or says the same of the other side."""
    for other in chosen:
        if (abs(texts[index] - texts[other]) < _ROOM).all():
            return True
        if (reflections.hkl[index] == -reflections.hkl[other]).all():
            return True
    return False
