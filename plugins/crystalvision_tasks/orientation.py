"""Orientations: unit quaternions under the symmetry of a crystal."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import (
    Estimate,
    EvaluatedEstimates,
    Proportion,
    Target,
    Task,
    TaskFigure,
    proper_rotations,
)
from crystalvision.errors import InputError
from crystalvision.figures import COLOURS, FAINT, new_figure

_NEAR_DEG = 5.0
_PERCENTILES = {"misorientation_median_deg": 0.5, "misorientation_p95_deg": 0.95}


def misorientation_deg(
    one: Float[torch.Tensor, "b 4"], other: Float[torch.Tensor, "b 4"], symmetry: str
) -> Float[torch.Tensor, "b"]:
    """Smallest angle between orientations of a crystal [degrees], (b,), in double precision.

    An orientation turns axes of the crystal into those of the laboratory; a rotation of the point
    group before it changes nothing. q and −q are one rotation.

    Args:
        one: Quaternions (w, x, y, z) of any length but 0, (b, 4).
        other: Likewise.
        symmetry: Point group, such as `m-3m`; "" for none.
    """
    first, second = (torch.nn.functional.normalize(each.double(), dim=1) for each in (one, other))
    group = torch.from_numpy(proper_rotations(symmetry).copy()).to(first.device)
    # The scalar part of (first⁻¹ second) s, for each s of the group.
    w, v = first[:, :1], first[:, 1:]
    relative_w = (first * second).sum(dim=1, keepdim=True)
    relative_v = w * second[:, 1:] - second[:, :1] * v - torch.linalg.cross(v, second[:, 1:], dim=1)
    scalars = relative_w * group[:, 0] - relative_v @ group[:, 1:].T
    nearest = scalars.abs().max(dim=1).values.clamp(max=1.0)
    return torch.rad2deg(2 * torch.arccos(nearest))


class Orientation(Task):
    """Judges orientations by their misorientation from the truth, whichever equivalent is given.

    misorientation_deg: Mean of the smallest angle between estimate and truth [degrees].
    misorientation_median_deg, misorientation_p95_deg: Half, and 95 %, of the samples are as near.
    share_within_5_deg: Share of the samples that are nearer than 5 degrees.
    """

    score_name = "misorientation_deg"
    higher_is_better = False
    headline = ("misorientation_deg", "misorientation_median_deg", "share_within_5_deg")
    titles: ClassVar[Mapping[str, str]] = {
        "misorientation_deg": "misorientation [°]",
        "misorientation_median_deg": "median misorientation [°]",
        "misorientation_p95_deg": "95 % of misorientations below [°]",
        "share_within_5_deg": "share within 5°",
    }

    def check(self, target: Target) -> None:
        """Unit quaternions, one for each sample, of a crystal with a known point group.

        Raises:
            InputError: The target is another.
        """
        if target.shape != (4,) or target.classes:
            raise InputError(
                f"target '{target.name}' has shape {target.shape} and {len(target.classes)} "
                "classes; task 'orientation' judges unit quaternions (w, x, y, z), of shape (4,)"
            )
        proper_rotations(target.symmetry)

    def score(
        self, estimate: Estimate, truth: torch.Tensor, target: Target
    ) -> Float[torch.Tensor, "b"]:
        """Angle between each orientation and the truth [degrees]."""
        return misorientation_deg(estimate.value, truth, target.symmetry)

    def metrics(self, judged: EvaluatedEstimates) -> Mapping[str, Any]:
        """The numbers above."""
        found = self.resampled(judged, np.ones((1, len(judged))))
        return {name: float(values[0]) for name, values in found.items()}

    def resampled(
        self, judged: EvaluatedEstimates, weights: Float[np.ndarray, "r n"]
    ) -> Mapping[str, Float[np.ndarray, "r"]]:
        """The same numbers."""
        angles, total = self.scores(judged), weights.sum(axis=1)
        order = np.argsort(angles, kind="stable")
        reached = np.cumsum(weights[:, order], axis=1)
        found = {self.score_name: weights @ angles / total}
        for name, share in _PERCENTILES.items():
            place = (reached >= (share * total)[:, None] - 1e-9).argmax(axis=1)
            found[name] = angles[order][place]
        found["share_within_5_deg"] = weights @ (angles < _NEAR_DEG) / total
        return found

    def proportions(self, judged: EvaluatedEstimates) -> Mapping[str, Proportion]:
        """The share within 5 degrees."""
        near = self.scores(judged) < _NEAR_DEG
        return {"share_within_5_deg": Proportion(near, np.ones(len(judged), dtype=bool))}

    def columns(self, judged: EvaluatedEstimates) -> Mapping[str, Sequence[Any]]:
        """The misorientation of each sample [degrees]."""
        return {self.score_name: self.scores(judged).tolist()}

    def figures(
        self, judged: EvaluatedEstimates, metrics: Mapping[str, Any]
    ) -> Sequence[TaskFigure]:
        """Share of the samples that are nearer than an angle."""
        angles = np.sort(self.scores(judged))
        figure, (axes,) = new_figure()
        axes.step(
            np.concatenate([[0.0], angles]),
            np.arange(len(angles) + 1) / len(angles),
            where="post",
            color=COLOURS[0],
            linewidth=1.8,
        )
        axes.axvline(_NEAR_DEG, color=FAINT, linewidth=1, linestyle=":")
        axes.set(ylim=(0, 1.02), xlabel="misorientation [°]", ylabel="share of patterns below")
        axes.set_xlim(left=0)
        symmetry = f" under {judged.target.symmetry}" if judged.target.symmetry else ""
        mean, share = metrics[self.score_name], metrics["share_within_5_deg"]
        found = f"mean {mean:.2f}°, {share:.1%} below 5° (dotted line)"
        caption = f"Misorientation{symmetry}: {found}."
        return [TaskFigure("misorientation", caption, figure)]
