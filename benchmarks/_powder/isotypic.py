"""Crystal systems by the candidates whose patterns are alike but for the size of their cells.

Over ln sin θ a crystal of the same structure type with another cell has the same pattern, shifted.
So each pattern is compared with all candidates at every shift, by cosine over what was measured,
and the most alike vote.
"""

from typing import Any

import numpy as np
from scipy.fft import irfft, rfft
from scipy.ndimage import gaussian_filter1d

from crystalvision.contracts import Axis

_STEP, _WIDTH, _SIZE = 0.001, 0.002, 4096  # of ln sin θ: 0.2 % of a cell's size
REACHES = (0.02, 0.06, 0.15, 0.3)  # how much larger or smaller a cell may be
VOTERS = (1, 3, 5, 9)
_POWER = 8  # of a cosine, as the weight of a vote


class Likeness:
    """How alike patterns are to those of candidates, whatever the size of the cell."""

    def __init__(self, candidates: np.ndarray, axis: Axis) -> None:
        """Take the candidates.

        Args:
            candidates: Prepared pattern of each, (k, n).
            axis: Of 2θ [degree].
        """
        self._along = np.log(np.sin(np.deg2rad(axis.values() / 2)))
        self._grid = np.arange(self._along[0], self._along[-1], _STEP)
        there = self._moved(candidates)
        self._waves, self._squares = rfft(there, _SIZE), rfft(np.square(there), _SIZE)

    def _moved(self, patterns: np.ndarray) -> np.ndarray:
        values = np.stack([np.interp(self._grid, self._along, one) for one in patterns])
        return np.asarray(gaussian_filter1d(values, _WIDTH / _STEP, axis=-1))

    def of(self, pattern: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Cosine with each candidate at the best shift within each of `REACHES`, (r, k).

        Args:
            pattern: Prepared, (n,).
            seen: Where it was measured, (n,).
        """
        (mine,) = self._moved(np.where(seen, pattern, 0)[None])
        weight = np.interp(self._grid, self._along, seen.astype(float)) > 0.5
        mine = mine * weight
        shared = irfft(self._waves * rfft(mine, _SIZE).conj(), _SIZE)
        squared = irfft(self._squares * rfft(weight.astype(float), _SIZE).conj(), _SIZE)
        cosine = shared / np.sqrt(squared.clip(1e-9) * float(mine @ mine))
        steps = [round(reach / _STEP) for reach in REACHES]
        return np.stack(
            [np.maximum(cosine[:, : n + 1].max(1), cosine[:, _SIZE - n :].max(1)) for n in steps]
        )


def votes(likeness: np.ndarray, systems: np.ndarray, voters: int) -> np.ndarray:
    """The system that most of the most alike candidates have, (m,).

    Args:
        likeness: Of each pattern and candidate, (m, k); below zero for what has no vote.
        systems: Of each candidate, (k,).
        voters: How many vote.
    """
    found: list[Any] = []
    for row in likeness:
        first = np.argsort(-row)[:voters]
        weights = row[first].clip(min=0) ** _POWER
        found.append(np.bincount(systems[first], weights).argmax())
    return np.array(found)
