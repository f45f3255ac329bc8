"""Figures of how one system tells classes that are too many for a matrix or a legend."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import EvaluatedEstimates, TaskFigure
from crystalvision.figures import COLOURS, FAINT, MARKERS, new_figure
from crystalvision.text import figure_text

_CONFUSIONS = 15
_LETTERS = 30  # of a class above a bar
_RANKS = 20


def confusions_figure(judged: EvaluatedEstimates, metrics: Mapping[str, Any]) -> TaskFigure:
    """The commonest mistakes: which class is taken for which other one."""
    from matplotlib.ticker import MaxNLocator

    counts = np.array(metrics["confusion"])
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:_CONFUSIONS]
    shown = [divmod(int(place), len(counts)) for place in order if counts.flat[place]]
    names = [figure_text(name, _LETTERS) for name in judged.target.classes]
    figure, (axes,) = new_figure(height=1.0 + 0.4 * max(len(shown), 1))
    axes.barh(range(len(shown)), [counts[each] for each in shown], height=0.35, color=COLOURS[0])
    for place, (actual, said) in enumerate(shown):
        axes.text(0, place - 0.24, f" {names[actual]} → {names[said]}", va="bottom", fontsize=8)
    axes.set_yticks([])
    axes.set_ylim(len(shown) - 0.4, -0.9)  # the commonest first, its name above it
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("patterns")
    wrong = int(counts.sum())
    told = f"{metrics['accuracy']:.1%} of {len(judged)} patterns are right"
    return TaskFigure(
        "confusion",
        f"The commonest of {wrong} mistakes: actual class → predicted class."
        if wrong
        else "No pattern is taken for one of another class.",
        figure,
        f"The {len(shown)} commonest mistakes among {len(names)} classes; {told}.",
    )


def ranks_figure(judged: EvaluatedEstimates, probabilities: Float[np.ndarray, "n k"]) -> TaskFigure:
    """How many patterns have their class among the likeliest."""
    from matplotlib.ticker import MaxNLocator

    actual = np.take_along_axis(probabilities, judged.truth[:, None], axis=1)
    rank = (probabilities > actual).sum(axis=1) + 1
    most = min(_RANKS, probabilities.shape[1])
    ranks = np.arange(1, most + 1)
    share = (rank[:, None] <= ranks).mean(axis=0)
    figure, (axes,) = new_figure()
    chance = ranks / probabilities.shape[1]
    axes.plot(ranks, chance, color=FAINT, linewidth=1, linestyle=":")
    axes.plot(ranks, share, color=COLOURS[0], marker=MARKERS[0], linewidth=1.6)
    axes.set(ylim=(-0.02, 1.04), xlabel="likeliest classes", ylabel="share with the right class")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    told = ", ".join(f"{share[k - 1]:.1%} among {k}" for k in (1, 3, 5) if k <= most)
    return TaskFigure(
        "ranks",
        "Share of patterns whose class is among so many of the likeliest; the dotted line is "
        "chance.",
        figure,
        f"The right class is the likeliest, or one of the likeliest: {told}.",
    )
