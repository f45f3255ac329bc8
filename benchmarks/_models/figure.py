"""What was measured, as one figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from _models.settings import Result
from crystalvision.figures import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(document: Result, path: Path) -> None:
    """Speed and memory of all backbones, and the shares of a step."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    sections = document["sections"]
    drawn = [(write, sections[name]) for name, write in _PANELS if name in sections]
    if not drawn:
        return
    models = len(sections["speed"]["measured"]["models"]) if "speed" in sections else 0
    style: dict[Any, Any] = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):
        height = max(3.2, 1 + 0.26 * models)
        size = (5.0 * len(drawn), height)
        figure, axes = plt.subplots(
            1, len(drawn), figsize=size, layout="constrained", squeeze=False
        )
        for axis, (write, section) in zip(axes.flat, drawn, strict=True):
            write(axis, section["measured"])
        figure.savefig(path, dpi=150)
        plt.close(figure)


def _speed(axis: "Axes", measured: Result) -> None:
    models = sorted(
        measured["models"].items(), key=lambda item: item[1]["over_unit"]["median"], reverse=True
    )
    for place, (name, model) in enumerate(models):
        ratio = model["over_unit"]
        error = [[ratio["median"] - ratio["min"]], [ratio["max"] - ratio["median"]]]
        colour = COLOURS[1] if name == measured["unit"] else COLOURS[0]
        axis.barh(
            place, ratio["median"], color=colour, xerr=error, error_kw={"lw": 0.8, "capsize": 2}
        )
    axis.axvline(1, color="#8a8a8a", lw=0.8, ls=":")
    axis.set_yticks(range(len(models)), [name for name, _ in models])
    axis.set_ylim(len(models) - 0.4, -0.6)
    axis.set_xscale("log")
    axis.set(title="Training", xlabel=f"images/s over {measured['unit']}'s")


def _memory(axis: "Axes", measured: Result) -> None:
    models = sorted(
        measured["models"].items(), key=lambda item: item[1]["over_unit"]["median"], reverse=True
    )
    an_image = [model["peak_tensor_mib"] / model["batch"] for _, model in models]
    axis.barh(range(len(models)), an_image, color=COLOURS[2])
    axis.set_yticks(range(len(models)), [name for name, _ in models])
    axis.set_ylim(len(models) - 0.4, -0.6)
    axis.set(title="Memory of a step's tensors", xlabel="MiB for each image of the batch")


def _shares(axis: "Axes", measured: Result) -> None:
    names = list(measured["networks"])
    left = [0.0] * len(names)
    kinds = measured["networks"][names[0]]["shares"]
    palette = [*COLOURS, "#8a8a8a", "#bcbcbc", "#dedede"]
    for kind, colour in zip(kinds, palette, strict=False):
        shares = [100 * measured["networks"][name]["shares"][kind]["median"] for name in names]
        axis.barh(names, shares, left=left, color=colour, label=kind)
        left = [before + share for before, share in zip(left, shares, strict=True)]
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set(
        title="Where the time goes", xlabel="share of a training step, median [%]", xlim=(0, 100)
    )
    axis.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3)


_PANELS = (("speed", _speed), ("speed", _memory), ("dnsnet", _shares))
