"""Dead and hot pixels, and the scale bar that a program burnt into a picture."""

import numpy as np
from jaxtyping import Bool, UInt16

from crystalvision_simulate.instruments.detector._exposure import Blemishes

# Five rows of each glyph, of three or five columns.
_GLYPHS = {
    "0": "### #.# #.# #.# ###",
    "1": ".#. ##. .#. .#. ###",
    "2": "### ..# ### #.. ###",
    "3": "### ..# ### ..# ###",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###",
    "7": "### ..# ..# ..# ..#",
    "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###",
    ".": "... ... ... ... .#.",
    "/": "..# ..# .#. #.. #..",
    "n": "... ##. #.# #.# #.#",
    "m": "..... ####. #.#.# #.#.# #.#.#",
    " ": "... ... ... ... ...",
}
_MARGIN = 1 / 20  # of the picture
_PIXELS_A_DOT = 200  # of the picture's side, for each pixel of the side of a dot

Mask = Bool[np.ndarray, "h w"]


def hot_and_dead(blemishes: Blemishes, shape: tuple[int, int]) -> tuple[Mask, Mask]:
    """Which pixels are always full, and which read nothing; no pixel is both."""
    drawn = np.random.default_rng(blemishes.seed).random(shape)
    hot = drawn < blemishes.hot_fraction
    return hot, ~hot & (drawn < blemishes.hot_fraction + blemishes.dead_fraction)


def burnt_in(blemishes: Blemishes, shape: tuple[int, int], step_inv_angstrom: float) -> Mask:
    """The pixels of the scale bar and its number, at the lower left."""
    mask = np.zeros(shape, dtype=bool)
    if not blemishes.scale_bar_inv_angstrom:
        return mask
    dot = 1 + min(shape) // _PIXELS_A_DOT
    left = round(shape[1] * _MARGIN)
    bottom = shape[0] - round(shape[0] * _MARGIN)
    length = round(blemishes.scale_bar_inv_angstrom / step_inv_angstrom)
    mask[bottom - 2 * dot : bottom, left : left + length] = True
    text = _text(f"{10 * blemishes.scale_bar_inv_angstrom:.3g} 1/nm").repeat(dot, 0).repeat(dot, 1)
    top = max(0, bottom - 4 * dot - len(text))
    written = mask[top : top + text.shape[0], left : left + text.shape[1]]
    written |= text[: written.shape[0], : written.shape[1]]
    return mask


def spoil(
    counts: UInt16[np.ndarray, "c h w"],
    blemishes: Blemishes,
    step_inv_angstrom: float,
    full: int,
) -> None:
    """Put what is none of its counts into a picture.

    Args:
        counts: The picture, (c, h, w); changed.
        blemishes: What.
        step_inv_angstrom: Side of a pixel [1/Å].
        full: The largest count.
    """
    shape = (counts.shape[1], counts.shape[2])
    if blemishes.hot_fraction or blemishes.dead_fraction:
        hot, dead = hot_and_dead(blemishes, shape)
        counts[:, hot] = full
        counts[:, dead] = 0
    counts[:, burnt_in(blemishes, shape, step_inv_angstrom)] = full


def _text(text: str) -> Mask:
    """Its dots, (5, w); what has no glyph is left out."""
    columns = []
    for character in text:
        rows = _GLYPHS.get(character, "").split()
        if rows:
            columns.append(np.array([[dot == "#" for dot in row + "."] for row in rows]))
    return np.concatenate(columns, axis=1)
