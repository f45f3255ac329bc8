"""Draws what was found over the picture, for a person to judge."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crystalvision.text import figure_text
from crystalvision_simulate.microscope._background import radial_profile
from crystalvision_simulate.microscope._calibrate import Calibrated
from crystalvision_simulate.microscope._crystal import Lines
from crystalvision_simulate.microscope._words import facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_LABELS = 8
_APART = 0.035  # of the picture: labels that are nearer are left out


class _Look(NamedTuple):
    """Colours: those of marks are of Okabe and Ito (2008)."""

    page: str
    ink: str
    faint: str
    map: str
    hidden: str
    centre: str
    ring: str
    spot: str


_LIGHT = _Look("white", "#1c1c1c", "#6b6b6b", "gray_r", "#D55E00", "#0072B2", "#009E73", "#CC79A7")
_DARK = _Look("#161616", "#ededed", "#a8a8a8", "gray", "#E69F00", "#56B4E9", "#00C896", "#F09AC8")


def draw(one: Calibrated, *, dark: bool) -> "Figure":
    """The picture with centre, rings, spots and mask; its profile; and the numbers.

    Args:
        one: What was found.
        dark: Whether for a dark page.
    """
    from matplotlib.figure import Figure

    look = _DARK if dark else _LIGHT
    figure = Figure(figsize=(12.0, 6.6), facecolor=look.page, layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.25, 1), height_ratios=(1, 0.9))
    _draw_picture(figure.add_subplot(grid[:, 0]), one, look)
    _draw_profile(figure.add_subplot(grid[0, 1]), one, look)
    _draw_facts(figure.add_subplot(grid[1, 1]), one, look)
    for axes in figure.axes:
        axes.set_facecolor(look.page)
        axes.tick_params(colors=look.ink)
        axes.xaxis.label.set_color(look.ink)
        axes.yaxis.label.set_color(look.ink)
        axes.title.set_color(look.ink)
        for spine in axes.spines.values():
            spine.set_color(look.faint)
    return figure


def _draw_picture(axes: "Axes", one: Calibrated, look: _Look) -> None:
    analysed = one.analysed
    counts, seen = analysed.measured.counts, analysed.seen
    low, high = np.quantile(counts[seen], [0.02, 0.9995])
    above = np.clip(counts - low, 0, max(high - low, 1e-9))
    shown = np.log1p(above / max((high - low) / 300, 1e-9))
    axes.imshow(shown, cmap=look.map, interpolation="nearest")
    shade = np.ma.masked_where(seen, np.ones(counts.shape))
    from matplotlib.colors import ListedColormap

    axes.imshow(shade, cmap=ListedColormap([look.hidden]), alpha=0.55, interpolation="nearest")
    _draw_rings(axes, one, look)
    _draw_spots(axes, one, look)
    x, y = one.geometry.centre
    reach = 0.04 * min(counts.shape)
    for dx, dy in ((reach, 0), (0, reach)):
        axes.plot([x - dx, x + dx], [y - dy, y + dy], color=look.centre, lw=1.6)
    axes.set_xlim(-0.5, counts.shape[1] - 0.5)
    axes.set_ylim(counts.shape[0] - 0.5, -0.5)
    axes.grid(visible=False)
    unit = "px" if analysed.factor == 1 else f"{analysed.factor} px"
    axes.set_xlabel(f"column x [{unit}]")
    axes.set_ylabel(f"row y [{unit}]")
    name = figure_text(analysed.measured.name, 60)
    axes.set_title(name, loc="left", fontsize=10, color=look.ink)


def _draw_rings(axes: "Axes", one: Calibrated, look: _Look) -> None:
    rings = one.analysed.rings
    if rings is None:
        return
    turn = np.linspace(0, 2 * np.pi, 241)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    names = {}
    if one.rings is not None and one.lines is not None:
        names = {
            int(ring): one.lines.names[line]
            for ring, line in zip(one.rings.rings, one.rings.lines, strict=True)
        }
    last = -np.inf
    apart = _APART * min(one.analysed.hidden.shape)
    for number, radius in enumerate(rings.radii_px):
        ends = one.geometry.points(radius * circle)
        axes.plot(*ends.T, color=look.ring, lw=0.8, ls="-" if number in names else ":")
        if number in names and radius - last > apart:
            height, width = one.analysed.hidden.shape
            inside = (ends > 8).all(axis=1) & (ends < np.array([width, height]) - 8).all(axis=1)
            if inside.any():
                x, y = ends[int(np.flatnonzero(inside)[0])].tolist()
                axes.text(x, y, names[number], color=look.ring, fontsize=8, ha="left", va="bottom")
                last = radius


def _draw_spots(axes: "Axes", one: Calibrated, look: _Look) -> None:
    analysed = one.analysed
    points = analysed.spots.points
    if analysed.lattice is not None:
        points = points[analysed.lattice.members]
    elif analysed.rings is not None:
        return  # of rings, grains
    size = (3 + 2 * analysed.spots.sigma_px) ** 2
    x, y = points[:, 0], points[:, 1]
    axes.scatter(x, y, s=size, facecolors="none", edgecolors=look.spot, lw=0.8)
    if analysed.lattice is None:
        return
    if one.zone is None:
        return
    steps = analysed.lattice.basis
    for name, number in (("a", 0), ("b", 1)):
        end = np.array(one.geometry.centre) + steps[number]
        hkl = " ".join(str(int(each)) for each in one.zone.hkl[number])
        axes.annotate(
            hkl,
            end,
            textcoords="offset points",
            xytext=(5, 5),
            color=look.spot,
            fontsize=8,
            label=name,
        )


def _draw_profile(axes: "Axes", one: Calibrated, look: _Look) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    profile, _, _ = radial_profile(one.analysed.measured.counts, one.analysed.seen, one.geometry)
    size = one.pixel_size_inv_angstrom
    scale = 1.0 if size is None else size
    radius = np.arange(len(profile)) * scale
    floor = one.analysed.noise.offset
    above = np.where(profile > floor, profile - floor, np.nan)
    axes.plot(radius, above, color=look.ink, lw=1.2, label="median about the centre")
    if one.background is not None:
        fitted = one.background.at(np.arange(len(profile), dtype=np.float64))
        fitted = np.where(fitted > 0, fitted, np.nan)
        axes.plot(radius, fitted, color=look.hidden, lw=1.2, ls="--", label="background")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=False)
    known = above[np.isfinite(above)]
    if len(known):
        axes.set_ylim(max(float(known.min()) * 0.7, float(known.max()) * 1e-5), known.max() * 2.5)
    axes.set_xlim(0, float(radius[-1]))
    if one.lines is not None and size is not None:
        _draw_lines(axes, one.lines, float(radius[-1]), look)
    axes.set_xlabel("|q| [1/Å]" if size is not None else "distance from the centre [px]")
    axes.set_ylabel("counts above the darkest")
    legend = axes.legend(frameon=False, fontsize=8, loc="upper right")
    for text in legend.get_texts():
        text.set_color(look.ink)


def _draw_lines(axes: "Axes", lines: Lines, reach: float, look: _Look) -> None:
    within = np.flatnonzero(lines.length_inv_angstrom < reach)
    strongest = set(within[np.argsort(-lines.strength[within])][:_MOST_LABELS].tolist())
    last = -np.inf
    for number in within.tolist():
        length = float(lines.length_inv_angstrom[number])
        axes.axvline(length, ymax=0.06, color=look.ring, lw=1.0)
        if number in strongest and length - last > 0.05 * reach:
            axes.annotate(
                lines.names[number],
                (length, 0.07),
                xycoords=("data", "axes fraction"),
                rotation=90,
                fontsize=7.5,
                ha="center",
                va="bottom",
                color=look.ring,
            )
            last = length


def _draw_facts(axes: "Axes", one: Calibrated, look: _Look) -> None:
    import textwrap

    axes.axis("off")
    place = 1.0
    for name, value in facts(one):
        rows = textwrap.wrap(value, 58) or [""]
        axes.text(0.0, place, name, color=look.faint, fontsize=8.5, va="top")
        axes.text(0.23, place, "\n".join(rows), color=look.ink, fontsize=8.5, va="top")
        place -= 0.075 * len(rows)
