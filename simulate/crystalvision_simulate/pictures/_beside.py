"""Measured and simulated patterns side by side: one scale in 1/Å, one of brightness."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision.figures import COLOURS, new_grid, wrapped
from crystalvision.text import figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 6
_SIDE, _PROFILE = 3.3, 2.2  # inches
_DECADES = 4.0
_LEAST_COMMON = 0.2  # of the smaller reach: less has nothing to compare


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One pattern.

    Attributes:
        title: What stands above it.
        image: Its counts, (h, w).
        seen: What was seen of it, (h, w); `None` for all.
        axes: q_y and q_x, in 1/Å.
    """

    title: str
    image: Float[np.ndarray, "h w"]
    seen: Bool[np.ndarray, "h w"] | None
    axes: tuple[Axis, Axis]

    @property
    def reach(self) -> float:
        """How far it reaches in all directions [1/Å]."""
        ends = [abs(float(value)) for axis in self.axes for value in axis.values()[[0, -1]]]
        return min(ends)

    def radius(self) -> Float[np.ndarray, "h w"]:
        """|q| of every pixel [1/Å]."""
        far: Float[np.ndarray, "h w"] = np.hypot(
            self.axes[0].values()[:, None], self.axes[1].values()[None, :]
        )
        return far

    def density(self, reach: float) -> Float[np.ndarray, "h w"]:
        """Its share of the counts within a reach, by area [Å²]; nan where nothing was seen."""
        counts = np.asarray(self.image, dtype=np.float64)
        known = np.isfinite(counts) if self.seen is None else self.seen & np.isfinite(counts)
        # Counters that begin below zero, or a dark picture that was taken away.
        counts = counts - min(0.0, float(np.quantile(counts[known], 0.01)))
        inside = known & (self.radius() < reach)
        total = float(np.clip(counts[inside], 0, None).sum())
        area = self.axes[0].scale * self.axes[1].scale
        return np.where(known, counts / max(total, 1e-12) / area, np.nan)

    def profile(self, reach: float) -> tuple[Any, Any]:
        """|q| [1/Å] and the mean density about it."""
        density, far = self.density(reach), self.radius()
        step = max(axis.scale for axis in self.axes)
        use = np.isfinite(density) & (far < reach)
        ring = np.floor(far[use] / step).astype(int)
        number = np.bincount(ring)
        mean = np.bincount(ring, density[use]) / np.maximum(number, 1)
        return (np.arange(len(number)) + 0.5)[number > 0] * step, mean[number > 0]


def draw_beside(panels: Sequence[Panel]) -> "Figure":
    """Patterns beside each other, and below them their means about the direct beam.

    All have the same part of reciprocal space and the same colours: those of the share of the
    counts that falls on an area, so that other doses and pixels look alike.

    Raises:
        InputError: There are too many, or they have next to nothing in common.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FuncFormatter, NullFormatter

    if len(panels) > _MOST:
        raise InputError(
            f"{len(panels)} patterns are too many beside each other; choose up to {_MOST - 1} by "
            "--class or --sample"
        )
    reach = min(panel.reach for panel in panels)
    if reach < _LEAST_COMMON * max(panel.reach for panel in panels) or reach <= 0:
        raise InputError(
            "the patterns have next to nothing in common: "
            + ", ".join(f"{panel.title} reaches to {panel.reach:.3g} 1/Å" for panel in panels)
        )
    densities = [panel.density(reach) for panel in panels]
    highest = max(float(np.nanquantile(each, 0.9995)) for each in densities)
    norm = LogNorm(highest / 10**_DECADES, highest)
    count = len(panels)
    figure, (top, bottom) = new_grid(_SIDE * count + 0.8, _SIDE + _PROFILE, _SIDE / _PROFILE, count)
    drawn = [
        _draw(place, panel, density, norm, reach)
        for place, panel, density in zip(top, panels, densities, strict=True)
    ]
    bar = figure.colorbar(drawn[0], ax=top, label="share of counts by area [Å²]", shrink=0.85)
    for number, panel in enumerate(panels):
        radius, mean = panel.profile(reach)
        label = figure_text(panel.title, 60)
        bottom.plot(radius, mean, color=COLOURS[number % len(COLOURS)], lw=1.1, label=label)
    bottom.set_yscale("log")
    bottom.set_xlim(0, reach)
    bottom.set_xlabel("|q| [1/Å]")
    bottom.set_ylabel("mean [Å²]")
    bottom.legend()
    for axis in (bar.ax.yaxis, bottom.yaxis):  # our style has no mathematics in text
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    return figure


def _draw(
    place: "Axes", panel: Panel, density: Float[np.ndarray, "h w"], norm: Any, reach: float
) -> Any:
    rows, columns = panel.axes
    half_y, half_x = rows.scale / 2, columns.scale / 2
    y, x = rows.values(), columns.values()
    extent = (x[0] - half_x, x[-1] + half_x, y[-1] + half_y, y[0] - half_y)
    drawn = place.imshow(
        np.clip(density, norm.vmin, None), norm=norm, cmap="magma", extent=extent, aspect="equal"
    )
    place.set_facecolor("#b5b5b5")  # where nothing was seen
    place.set_xlim(-reach, reach)
    place.set_ylim(reach, -reach)
    place.grid(visible=False)
    place.set_title(wrapped(panel.title, 26), fontsize=9, loc="left")
    place.set_xlabel("q_x [1/Å]")
    place.set_ylabel("q_y [1/Å]")
    return drawn
