"""Figures of how a training went."""

from crystalvision.figures import drawing
from crystalvision.report._training_figures import training_pictures


def test_training_has_a_figure_for_each_phase(result):
    with drawing():
        pictures = training_pictures(result)
    for picture, phase in zip(pictures, result.record.phases, strict=True):
        assert f"Phase {phase.name}, which trains" in picture.caption
        assert f"kept: epoch {phase.best_epoch} of {phase.epochs}" in picture.caption
