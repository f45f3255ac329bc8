"""Fusions of several branches, and experiments that use them."""

from collections.abc import Mapping
from pathlib import Path

from crystalvision import hookimpl

_EXPERIMENTS = Path(__file__).parent / "experiments"


@hookimpl
def crystalvision_fusions() -> Mapping[str, str]:
    """The fusions that come with the toolkit."""
    return {
        "attention": "crystalvision_fusion.attention:Attention",
        "bilinear": "crystalvision_fusion.bilinear:Bilinear",
        "concat": "crystalvision_fusion.concat:Concat",
        "gated": "crystalvision_fusion.gated:Gated",
        "late": "crystalvision_fusion.late:Late",
        "none": "crystalvision_fusion.none:NoFusion",
        "sum": "crystalvision_fusion.sum:Sum",
    }


@hookimpl
def crystalvision_experiments() -> Mapping[str, Path]:
    """The experiments that come with the toolkit."""
    return {path.stem: path for path in sorted(_EXPERIMENTS.glob("*.yaml"))}
