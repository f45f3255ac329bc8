"""Figures of the score: all systems of a test, and training data against test data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.benchmarks.report._bounds import Limit
from crystalvision.benchmarks.report._lines import Line, Table
from crystalvision.benchmarks.report._score import capital
from crystalvision.figures import COLOURS, FAINT, INK, new_figure, wrapped
from crystalvision.report import Picture, picture
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_LENGTH = 20  # letters of a system's title


def score_picture(table: Table, limit: Limit | None) -> Picture:
    """Mean score of each system with its interval, each seed, and the upper bound."""
    lines = table.judged
    figure, (axes,) = new_figure(width=5.2, height=1.6 + 0.42 * len(lines))
    for place, line in enumerate(lines):
        _draw_line(axes, table, line, place)
    axes.set_yticks(range(len(lines)), [wrapped(line.title, _LINE_LENGTH) for line in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    if table.reference and table.reference.score:
        style: dict[str, Any] = {"color": FAINT, "linewidth": 1, "linestyle": "--"}
        axes.axvline(table.reference.score.value, label="reference", **style)
    if limit is not None:
        _draw_limit(axes, limit)
    axes.set_xlabel(figure_text(table.comparison.score.name))
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3)
    return picture(figure, _text(table, limit), _caption(table, limit))


def transfer_picture(tables: Sequence[Table], system: str) -> Picture | None:
    """Score of one system, training data by test data; `None` for a single pair of them."""
    found = {}
    title = system
    for table in tables:
        for line in table.judged:
            if line.system == system and line.score is not None:
                title = line.title
                key = (table.comparison.trained_on, table.comparison.tested_on)
                found[key] = line.score.value
    rows = list(dict.fromkeys(trained for trained, _ in found))
    columns = list(dict.fromkeys(tested for _, tested in found))
    if len(columns) < 2:
        return None
    score = tables[0].comparison.score
    values = np.array([[found.get((row, column), np.nan) for column in columns] for row in rows])
    figure, (axes,) = new_figure(
        width=max(4.6, 1.6 + 0.8 * len(columns)), height=1.9 + 0.5 * len(rows)
    )
    least, most = (0.0, 1.0) if score.is_share else (np.nanmin(values), np.nanmax(values))
    axes.imshow(values, cmap="Blues", vmin=least, vmax=most, aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{value:.3f}"
        colour = "white" if value > least + 0.55 * (most - least) else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(columns)), [wrapped(name) for name in columns], fontsize=9)
    axes.set_yticks(range(len(rows)), [wrapped(name) for name in rows], fontsize=9)
    axes.set_xlabel("tested on")
    axes.set_ylabel("trained on")
    listed = "; ".join(f"{row} on {column} {value:.3f}" for (row, column), value in found.items())
    return picture(figure, f"{title}: {score.name} by training and test data: {listed}.", title)


def _draw_line(axes: "Axes", table: Table, line: Line, place: int) -> None:
    if line.score is None:
        return
    colour = COLOURS[1] if line.is_reference else COLOURS[0]
    seeds = [cell.score for cell in table.comparison.cells[line.system]]
    axes.plot(seeds, [place + 0.22] * len(seeds), "|", color=FAINT, markersize=6)
    axes.plot([line.score.low, line.score.high], [place, place], color=colour, linewidth=2)
    marker = "D" if line.is_reference else "o"
    axes.plot([line.score.value], [place], marker, color=colour, markersize=6)


def _draw_limit(axes: "Axes", limit: Limit) -> None:
    upper = limit.upper
    axes.axvspan(upper.low, upper.high, color=INK, alpha=0.12, linewidth=0)
    axes.axvline(upper.value, color=INK, linewidth=1.6, label="upper bound")
    if limit.informed is not None:
        style: dict[str, Any] = {"color": INK, "linewidth": 1.2, "linestyle": ":"}
        axes.axvline(limit.informed.value, label="informed reference", **style)


def _text(table: Table, limit: Limit | None) -> str:
    listed = [
        f"{line.title} {line.score.value:.3f} ({line.score.low:.3f} to {line.score.high:.3f})"
        for line in table.judged
        if line.score is not None
    ]
    end = f"; upper bound {limit.upper.value:.3f}" if limit is not None else ""
    name = capital(table.comparison.score.name)
    return f"{name} of each system with its 95 % interval: {'; '.join(listed)}{end}."


def _caption(table: Table, limit: Limit | None) -> str:
    parts = ["Mean over seeds with its 95 % interval; ticks below are single seeds."]
    if table.reference is not None:
        parts.append("The diamond is the reference.")
    if limit is not None:
        parts.append("The grey band is the 95 % interval of the upper bound.")
    return " ".join(parts)
