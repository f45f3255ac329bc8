"""A system from raw counts to calibrated probabilities, as one module."""

import torch
from jaxtyping import Float
from torch import nn

from crystalvision.errors import InputError
from crystalvision.models import System
from crystalvision.runs import Run
from crystalvision.trust import load_trust, scale


class ExportedSystem(nn.Module):
    """Preparation, system and calibration of a run.

    Attributes:
        temperature: Of the calibration; 1 without one.
        calibrated: Whether the run has one.
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
        if not isinstance(run.system, System):
            raise InputError(
                f"{run.path} cannot be exported: its system is no network but a classical one; use "
                "it with crystalvision predict"
            )
        trust = load_trust(run.path) if calibrated else None
        self.preprocess = run.preprocess
        self.system = run.system
        self.calibrated = trust is not None
        self.temperature = 1.0 if trust is None else trust.record.temperature
        severities = torch.tensor(run.record.class_severities)
        self.register_buffer("class_severities", severities)
        self.eval()

    def forward(
        self, counts: Float[torch.Tensor, "b c h w"]
    ) -> tuple[Float[torch.Tensor, "b k"], Float[torch.Tensor, "b"]]:
        """Probabilities (b, k) and severities (b,) of raw counts (b, c, h, w).

        Raises:
            InputError: The system tells no classes.
        """
        told = self.system.predict(self.system(self.preprocess(counts)))
        if told.probabilities is None:
            raise InputError("the run's system tells no classes; train one with a head that does")
        probabilities = scale(told.probabilities.float(), self.temperature)
        if told.severity is None:
            return probabilities, probabilities @ self.get_buffer("class_severities")
        return probabilities, told.severity.float()
