"""What was measured, as one figure."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from _simulation.settings import Result
from crystalvision.figures import COLOURS, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS, _PEER, _OTHER, _FLOOR = COLOURS[0], COLOURS[1], COLOURS[4], "#8a8a8a"
_COLUMNS = 3


def draw(document: Result, path: Path) -> None:
    """One panel a section, those that are there."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    sections = {name: document["sections"].get(name) for name in _PANELS}
    present = {name: section["measured"] for name, section in sections.items() if section}
    rows = -(-len(present) // _COLUMNS)
    style: dict[Any, Any] = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):
        figure, axes = plt.subplots(
            rows,
            _COLUMNS,
            figsize=(4.6 * _COLUMNS, 3.6 * rows),
            layout="constrained",
            squeeze=False,
        )
        for axis, (name, measured) in zip(axes.flat, present.items(), strict=False):
            _PANELS[name](axis, measured)
        for axis in axes.flat[len(present) :]:
            axis.remove()
        figure.savefig(path, dpi=150)
        plt.close(figure)


def _accuracy(axis: "Axes", measured: Result) -> None:
    edges = np.array(measured["ring_edges_of_nyquist"])
    middle = (edges[:-1] + np.minimum(edges[1:], 2 / 3)) / 2
    colours = (_OURS, COLOURS[5], _PEER, _OTHER)
    for (name, rings), colour, marker in zip(
        measured["relative_error"].items(), colours, MARKERS, strict=False
    ):
        line = "--" if name.endswith("64") else "-"
        axis.semilogy(middle, rings, line, color=colour, marker=marker, ms=4, label=name)
    axis.axhline(1e-4, color=_FLOOR, lw=0.8, ls=":")
    axis.text(edges[0], 1.2e-4, "what is asked: 1e-4", color=_FLOOR, fontsize=8)
    axis.set(
        title="Error of structure factors",
        xlabel="|g| / Nyquist frequency",
        ylabel="relative error in a ring",
        xlim=(0, 0.7),
        ylim=(1e-8, 30),
    )
    axis.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)


def _multislice(axis: "Axes", measured: Result) -> None:
    bars = {
        "FFT floor": (measured["fft_floor_seconds"], _FLOOR, ""),
        "ours": (
            measured["ours_seconds"],
            _OURS,
            f"{measured['ours_over_fft_floor']['median']:.2g} × floor",
        ),
    }
    for projection, colour in (("infinite", _PEER), ("finite", _OTHER)):
        peer = measured.get(f"abtem_{projection}")
        if peer:
            ratio = f"{peer['abtem_over_ours']['median']:.3g} × ours"
            bars[f"abTEM,\n{projection}"] = (peer["seconds"], colour, ratio)
    for place, (values, colour, text) in enumerate(bars.values()):
        median = values["median"]
        error = [[median - values["min"]], [values["max"] - median]]
        axis.barh(place, median, color=colour, xerr=error, error_kw={"lw": 0.8, "capsize": 2})
        axis.annotate(
            text,
            (values["max"], place),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axis.set_yticks(range(len(bars)), list(bars))
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlim(right=axis.get_xlim()[1] * 4)
    points = " × ".join(map(str, measured["grid"]))
    axis.set(
        title=f"Multislice: {measured['atoms']} atoms, {points}, {measured['slices']} slices",
        xlabel="time of a pattern [s]",
    )


def _kinematic(axis: "Axes", measured: Result) -> None:
    atoms = measured["atoms"]
    axis.loglog(atoms, measured["ours_seconds"]["median"], "o", color=_OURS, label="ours")
    for marker, (name, peer) in zip(
        "sP", measured.get("diffsims_atomic", {}).items(), strict=False
    ):
        label = f"diffsims, FFT, {name}"
        axis.loglog(atoms, peer["seconds"]["median"], marker, color=_PEER, label=label)
    peer = measured.get("diffsims_reflections")
    if peer:
        fit = peer["fit"]
        axis.loglog(
            fit["sizes"], fit["seconds"], "^", color=_OTHER, ms=5, label="diffsims, reflections"
        )
        if "exponent" in fit:
            reach = np.array([fit["sizes"][0], atoms])
            times = fit["factor"] * reach ** fit["exponent"]
            axis.loglog(reach, times, "--", color=_OTHER, lw=1)
    for name, marker in (("TEMCalculator", "D"), ("XRDCalculator", "v")):
        fit = measured["pymatgen"][name]["fit"]
        axis.loglog(
            fit["sizes"], fit["seconds"], marker, color=COLOURS[2], ms=4, label=f"pymatgen {name}"
        )
    low, high = axis.get_ylim()
    axis.set(
        title="Kinematic",
        xlabel="atoms",
        ylabel="time of a pattern [s]",
        ylim=(low, high * 300),
    )
    axis.legend(frameon=False, fontsize=7.5, loc="upper left", ncols=2)


def _recipes(axis: "Axes", measured: Result) -> None:
    stages = next(iter(measured.values()))["stage_share"]
    left = np.zeros(len(measured))
    colours = (COLOURS[4], _OURS, COLOURS[2], COLOURS[3])
    for stage, colour in zip(stages, colours, strict=True):
        shares = np.array([recipe["stage_share"][stage] for recipe in measured.values()])
        label = stage.replace("_", " ").replace("project and", "project,")
        axis.barh(range(len(measured)), shares * 100, left=left, color=colour, label=label)
        left += shares * 100
    labels = [
        f"{name}\n{recipe['patterns_a_second']['median']:.3g}/s"
        for name, recipe in measured.items()
    ]
    axis.set_yticks(range(len(measured)), labels, fontsize=8)
    axis.set_ylim(len(measured) - 0.4, -1.3)
    axis.set(
        title="Recipes: patterns/s on all cores, and stages",
        xlabel="share of the time of a pattern [%]",
        xlim=(0, 100),
    )
    axis.legend(frameon=False, fontsize=8, loc="upper center", ncols=4, columnspacing=1)


def _growth(axis: "Axes", measured: Result) -> None:
    for (name, fit), colour, marker in zip(measured.items(), COLOURS, MARKERS, strict=False):
        sizes, times = np.array(fit["sizes"]), np.array(fit["seconds"])
        label = f"{name.replace('_', ', ')}: {fit['exponent']:.2f}"
        axis.loglog(
            sizes / sizes[0], times / times[0], color=colour, marker=marker, ms=4, label=label
        )
    reach = np.array([1, max(fit["sizes"][-1] / fit["sizes"][0] for fit in measured.values())])
    axis.loglog(reach, reach, ":", color=_FLOOR, label="proportional")
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter("{x:g}")
        one.set_minor_formatter("")
    axis.set(
        title="Growth, and its log–log slope", xlabel="size / smallest", ylabel="time / smallest"
    )
    axis.legend(frameon=False, fontsize=8, loc="upper left")


def _memory(axis: "Axes", measured: Result) -> None:
    samples = [run["samples"] for run in measured["runs"]]
    peaks = [run["peak_bytes"] / 2**20 for run in measured["runs"]]
    axis.semilogx(samples, peaks, "o-", color=_OURS)
    axis.set_xticks(samples, [f"{count:,}" for count in samples])
    axis.minorticks_off()
    axis.set(
        title="Peak memory of crystalvision simulate",
        xlabel="samples",
        ylabel="peak resident memory [MiB]",
        ylim=(0, 1.25 * max(peaks, default=1)),
    )


def _gpu(axis: "Axes", measured: Result) -> None:
    batches = [entry["batch"] for entry in measured["batches"]]
    for key, label, colour in (
        ("patterns_a_second", "rendered", _OURS),
        ("projected_patterns_a_second", "rendered and projected", _PEER),
    ):
        rates = [entry[key]["median"] for entry in measured["batches"]]
        axis.loglog(batches, rates, "o-", color=colour, label=label)
    for key, label, line in (
        ("byte_floor_patterns_a_second", "byte floor", ":"),
        ("fft_floor_patterns_a_second", "FFT floor", "--"),
    ):
        axis.axhline(measured[key], color=_FLOOR, ls=line, label=label)
    axis.set(title="Batches on the GPU", xlabel="patterns in a batch", ylabel="patterns/s")
    axis.legend(frameon=False, fontsize=8)


_PANELS: dict[str, Callable[["Axes", Result], None]] = {
    "accuracy": _accuracy,
    "multislice": _multislice,
    "kinematic": _kinematic,
    "recipes": _recipes,
    "growth": _growth,
    "memory": _memory,
    "gpu": _gpu,
}
