"""Figures about how a training went."""

from collections.abc import Sequence

from crystalvision.figures import draw_phase, kept_weights
from crystalvision.report._pictures import Picture, picture
from crystalvision.report._results import Result
from crystalvision.training import EpochRecord, PhaseRecord


def training_pictures(result: Result) -> list[Picture]:
    """One figure for each phase that has epochs; what is fitted in one step has no curves."""
    return [
        _phase_picture(phase, [row for row in result.epochs if row.phase == phase.name])
        for phase in result.record.phases
        if phase.epochs
    ]


def _phase_picture(phase: PhaseRecord, epochs: Sequence[EpochRecord]) -> Picture:
    kept = kept_weights(phase)
    return picture(
        draw_phase(phase, epochs),
        f"Training curves of phase {phase.name}; {kept}.",
        f"Phase {phase.name}, which trains {', '.join(phase.train)}; {kept} (dotted line).",
    )
