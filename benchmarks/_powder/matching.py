"""Calculated patterns of all candidates, and comparing measured ones with them."""

import numpy as np
import torch

from _powder.library import Library
from _powder.systems import INPUT
from crystalvision.contracts import Axis
from crystalvision.inputs import as_parts, build_preprocess
from crystalvision.plugins import Catalogue
from crystalvision.sources import Source, SourceSpec


def plain_source(library: Library, width_deg: float) -> Source:
    """One pattern a candidate, without noise and nuisance."""
    recipe = {
        "name": "plain",
        "samples": library.size,
        "candidates": library.recipe,
        "instrument": {
            "name": "powder-diffractometer",
            "two_theta_min_deg": 10,
            "two_theta_max_deg": 89.96,
            "step_deg": 0.04,
            "w_deg2": width_deg**2,
            "size_angstrom": 1e6,
            "counting": False,
        },
    }
    return SourceSpec("powder", recipe).open(Catalogue.load())


def calculated(library: Library, width_deg: float) -> np.ndarray:
    """A calculated pattern of each candidate, (k, n)."""
    source = plain_source(library, width_deg)
    return np.concatenate([one.image for one in source.samples(range(library.size))])


def matching(library: Library) -> np.ndarray:
    """Cosine of each measured pattern with the calculated one of each candidate, (m, k).

    Both prepared as a network sees them, over the range that was measured.
    """
    source = plain_source(library, 0.12)
    axes = source.header.axes
    known = prepared(np.stack([s.image for s in source.samples(range(library.size))]), axes)
    scores = []
    for one in library.measured:
        counts = one.on(axes[0])
        (found,) = prepared(counts[None, None], axes)
        there = ~np.isnan(counts)
        among, mine = known[:, there], found[there]
        scores.append(among @ mine / np.linalg.norm(among, axis=1).clip(min=1e-30))
    return np.stack(scores)


def prepared(images: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    prepare = build_preprocess(as_parts(INPUT), Catalogue.load(), axes)
    counts = torch.from_numpy(images.astype(np.float32))
    seen = ~counts.isnan()
    prepared: np.ndarray = prepare(counts.nan_to_num(), seen=seen)[:, 0].numpy()
    return prepared
