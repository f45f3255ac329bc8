"""A system from raw counts to what it says of each target, calibrated, as one module."""

import torch
from jaxtyping import Bool, Float, Shaped
from torch import nn

from crystalvision.calibration import load_calibration, scale
from crystalvision.classical import ClassicalSystem
from crystalvision.contracts import Estimate
from crystalvision.errors import InputError
from crystalvision.models import LABEL, SEVERITY
from crystalvision.runs import Run


class ExportedSystem(nn.Module):
    """Preparation, system and calibration of a run.

    Attributes:
        temperatures: Of the calibration, by target; empty without one.
        calibrated: Whether the run has one.
        outputs: Names of what `forward` gives: each target, `NAME_probabilities` of one with
            classes, `NAME_spread` where a head says how far it may be off.
    """

    def __init__(self, run: Run, *, calibrated: bool = True) -> None:
        """Put the parts of a run together.

        Args:
            run: The run.
            calibrated: Whether to use its calibration.

        Raises:
            InputError: A run whose system is no network, or whose calibration is damaged.
        """
        super().__init__()
        if isinstance(run.system, ClassicalSystem):
            raise InputError(
                f"{run.path} cannot be exported: its system is no network but a classical one; use "
                "it with crystalvision predict"
            )
        trust = load_calibration(run.path) if calibrated else None
        self.preprocess = run.preprocess
        self.system = run.system
        self.calibrated = trust is not None
        self.temperatures = {} if trust is None else trust.record.temperatures
        targets = run.record.targets
        self._targets = tuple(targets)
        self._severity_follows = SEVERITY in targets and SEVERITY not in run.system.targets
        severities = torch.tensor(run.record.class_severities)
        self.register_buffer("class_severities", severities)
        self.eval()
        with torch.no_grad():
            said = self._said(torch.ones(2, *run.record.image_shape))
        self.outputs = tuple(said)

    def forward(
        self,
        counts: Float[torch.Tensor, "b c *grid"],
        seen: Bool[torch.Tensor, "b c *grid"] | None = None,
    ) -> tuple[Shaped[torch.Tensor, "b *_"], ...]:
        """What is said of raw counts (b, c, *grid): a tensor for each of `outputs`.

        Args:
            counts: NaN where nothing was measured.
            seen: Which points were measured besides; by default all.
        """
        return tuple(self._said(counts, seen).values())

    def _said(
        self, counts: torch.Tensor, seen: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        measured = ~counts.isnan()
        known = measured if seen is None else seen & measured
        prepared = self.preprocess(counts.nan_to_num(nan=0.0), seen=known)
        estimates = self.system.predict(self.system(prepared))
        said: dict[str, torch.Tensor] = {}
        for name in self._targets:
            if name == SEVERITY and self._severity_follows:
                scaled = _scaled(estimates[LABEL], self.temperatures.get(LABEL, 1.0))
                said[name] = scaled @ self.get_buffer("class_severities")
                continue
            estimate = estimates[name]
            if estimate.probabilities is None:
                value = estimate.value
                said[name] = value.float() if value.is_floating_point() else value
            else:
                probabilities = _scaled(estimate, self.temperatures.get(name, 1.0))
                said[name] = probabilities.argmax(dim=1)
                said[f"{name}_probabilities"] = probabilities
            if estimate.spread is not None:
                said[f"{name}_spread"] = estimate.spread.float()
        return said


def _scaled(estimate: Estimate, temperature: float) -> torch.Tensor:
    assert estimate.probabilities is not None  # noqa: S101 - asked for where they are, for mypy
    return scale(estimate.probabilities.float(), temperature)
