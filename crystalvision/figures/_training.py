"""How a training went."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from crystalvision.figures._style import COLOURS, DASHES, INK, MARKERS, new_figure
from crystalvision.text import figure_text
from crystalvision.training import EpochRecord, PhaseRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE = 30  # ratio of losses; above it they are drawn on a logarithmic scale


def draw_phase(phase: PhaseRecord, epochs: Sequence[EpochRecord]) -> "Figure":
    """Losses and scores of a phase against the epoch."""
    from matplotlib.ticker import MaxNLocator

    scores = list(dict.fromkeys(name for row in epochs for name in row.scores))
    rows = 1 + len(scores)
    figure, axes = new_figure(height=1.3 + 1.55 * rows, rows=rows)
    steps = [row.epoch for row in epochs]
    _curve(axes[0], steps, [row.train_loss for row in epochs], "training", 0)
    _curve(axes[0], steps, [row.validation_loss for row in epochs], "validation", 1)
    axes[0].set_ylabel("loss")
    losses = [loss for row in epochs for loss in (row.train_loss, row.validation_loss)]
    if losses and min(losses) > 0 and max(losses) > _WIDE * min(losses):
        axes[0].set_yscale("log")
        axes[0].yaxis.set_major_formatter("{x:g}")
        axes[0].yaxis.set_minor_formatter("")
    axes[0].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    for below, name in zip(axes[1:], scores, strict=True):
        _measure(below, steps, [row.scores.get(name) for row in epochs], _words(name))
    for each in axes:
        each.axvline(phase.best_epoch, color=INK, linewidth=1, linestyle=":")
        each.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes[-1].set_xlabel("epoch")
    return figure


def kept_weights(phase: PhaseRecord) -> str:
    """Which epoch's weights a phase kept, in words."""
    monitor = _words(phase.monitor)
    return f"kept: epoch {phase.best_epoch} of {phase.epochs}, {monitor} {phase.best_value:.4f}"


def _words(score: str) -> str:
    return figure_text(score.replace("_", " ").replace("mae", "MAE"), 40)


def _measure(
    axes: "Axes", steps: Sequence[int], values: Iterable[float | None], label: str
) -> None:
    _curve(axes, steps, [np.nan if value is None else value for value in values], "validation", 1)
    axes.set_ylabel(label)
    axes.margins(y=0.15)


def _curve(
    axes: "Axes", steps: Sequence[int], values: Sequence[float], label: str, style: int
) -> None:
    axes.plot(
        steps,
        values,
        label=label,
        color=COLOURS[style],
        linestyle=DASHES[style],
        marker=MARKERS[style] if len(steps) <= 40 else None,
        markersize=3.5,
        linewidth=1.6,
    )
