"""Tells patterns that are unlike those that a system was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float

from crystalvision.errors import InputError

NEIGHBOURS = 10
FALSE_REJECTS = 0.05

Views = Mapping[str, Float[torch.Tensor, "b _"]]
"""Several descriptions of the same patterns, by name: features of the system, radial profile."""


@dataclass(frozen=True, slots=True)
class View:
    """One description of the training patterns.

    Attributes:
        reference: Of m patterns that the system was trained on, standardised, (m, f).
        shift: What was subtracted to standardise, (f,).
        scale: What it was divided by, (f,).
        limit: Distance at which a pattern counts as unlike.
    """

    reference: Float[torch.Tensor, "m f"]
    shift: Float[torch.Tensor, "f"]
    scale: Float[torch.Tensor, "f"]
    limit: float

    def distance(self, values: Float[torch.Tensor, "b f"]) -> Float[torch.Tensor, "b"]:
        """Distance to the nearest training patterns, the `NEIGHBOURS`-th of them.

        Raises:
            InputError: Another number of features.
        """
        if values.shape[1] != len(self.shift):
            raise InputError(
                f"the system gives {values.shape[1]} features, but its calibration was made with "
                f"{len(self.shift)}; train the run again"
            )
        standard = (values.float() - self.shift) / self.scale
        # Not by a matrix product: a pattern's distance must not depend on its batch.
        exact = "donot_use_mm_for_euclid_dist"
        distances = torch.cdist(standard, self.reference, compute_mode=exact)
        return distances.kthvalue(min(NEIGHBOURS, len(self.reference)), dim=1).values


@dataclass(frozen=True, slots=True)
class Novelty:
    """How unlike the training patterns a pattern is: the largest of several distances.

    Distance to the k-th nearest neighbour, after Sun et al. 2022 (arXiv:2204.06507), here of
    standardised features, and of the radial profile as well: features alone may have learnt to
    overlook what is new.

    Attributes:
        views: By name.
    """

    views: Mapping[str, View]

    @classmethod
    def fit(cls, training: Views, held_out: Views, false_rejects: float = FALSE_REJECTS) -> Self:
        """Choose limits under which a given share of held-out patterns would be rejected.

        Args:
            training: Of patterns that the system was trained on.
            held_out: The same views of patterns that it was not trained on.
            false_rejects: The share.

        Raises:
            InputError: No patterns.
        """
        if not all(len(values) for values in (*training.values(), *held_out.values())):
            raise InputError("there are no patterns to fit a reject flag with")
        views = {name: _standardise(values) for name, values in training.items()}
        for name, view in views.items():
            limit = _limit(view.distance(held_out[name]), false_rejects)
            views[name] = View(view.reference, view.shift, view.scale, limit)
        # Each view alone would reject that share, so together they reject more.
        together = _limit(cls(views).of(held_out), false_rejects)
        return cls(
            {
                name: View(view.reference, view.shift, view.scale, view.limit * together)
                for name, view in views.items()
            }
        )

    def of(self, values: Views) -> Float[torch.Tensor, "b"]:
        """Novelty of patterns, (b,): above 1 they are unlike the training data.

        Raises:
            InputError: As for `View.distance`.
        """
        ratios = [view.distance(values[name]) / view.limit for name, view in self.views.items()]
        return torch.stack(ratios).amax(dim=0)

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        moved = {
            name: View(
                view.reference.to(device), view.shift.to(device), view.scale.to(device), view.limit
            )
            for name, view in self.views.items()
        }
        return type(self)(moved)


def _standardise(values: Float[torch.Tensor, "m f"]) -> View:
    values = values.float()
    scale = values.std(dim=0, correction=0)
    # A feature that never varied must not decide alone.
    scale = scale.clamp(min=max(0.01 * float(scale.square().mean().sqrt()), 1e-6))
    shift = values.mean(dim=0)
    return View((values - shift) / scale, shift, scale, 1.0)


def _limit(distances: Float[torch.Tensor, "n"], rejected: float) -> float:
    """The distance that a share of further patterns is expected to exceed."""
    return max(conformal_limit(distances.tolist(), rejected), 1e-6)


def conformal_limit(values: Sequence[float], above: float) -> float:
    """The value that a share of further ones is expected to exceed.

    The order statistic of conformal prediction (Vovk et al. 2005), which is right for few values
    too; with fewer than 1 / above it is the largest one.

    Args:
        values: Of the same distribution, at least one.
        above: The share.

    Raises:
        InputError: No value.
    """
    if not values:
        raise InputError("there are no patterns to find a limit with")
    count = len(values)
    rank = min(count, int(torch.ceil(torch.tensor((1 - above) * (count + 1)))))
    return sorted(values)[rank - 1]
