"""Where the data come from, and what that means for whoever uses them."""

from dataclasses import dataclass
from typing import TypedDict

from crystalvision.cards._text import patterns_of
from crystalvision.datasets import DatasetHeader, Imported, Merged, Thinned


@dataclass(frozen=True, slots=True)
class Origin:
    """Where data come from.

    Attributes:
        collection: How they were obtained, in one or two sentences.
        summary: What they are, for a dataset without a description of its own.
        synthetic: Whether they were computed.
        limits: What whoever uses them must know.
    """

    collection: str
    summary: str
    synthetic: bool = False
    limits: tuple[str, ...] = ()


class _Known(TypedDict):
    synthetic: bool
    limits: tuple[str, ...]


def origin_of(header: DatasetHeader, name: str) -> Origin:
    """Where a dataset comes from, as far as its header tells."""
    software = ", ".join(f"{what} {version}" for what, version in header.generator.items())
    what = f"{header.samples:,} {patterns_of(header)}{_classes(header)}"
    known: _Known = {"synthetic": header.synthetic, "limits": header.caveats}
    made = header.provenance
    if isinstance(made, Imported):
        return Origin(
            f"Imported from a folder of labelled images by {software}. How the images were "
            "recorded and labelled is not stated here.",
            f"{what}, imported from a folder.",
            **known,
        )
    if isinstance(made, Merged):
        return Origin(
            f"Merged from other datasets by {software}; the recipe below names them. Their own "
            "cards say how they were made.",
            f"{what}, merged from other datasets.",
            **known,
        )
    if isinstance(made, Thinned):
        return Origin(
            f"Another dataset with {made.kept:.3g} of its counts, drawn by {software}; the recipe "
            "below names it.",
            f"{what}, thinned to a lower dose.",
            **known,
        )
    seed = "" if made.seed is None else f" with seed {made.seed}"
    if header.synthetic:
        return Origin(
            f"Simulated from the recipe '{name}'{seed} by {software}.",
            f"{header.samples:,} simulated {patterns_of(header)}{_classes(header)}.",
            **known,
        )
    by = f" by the source '{made.source}'" if made.source else ""
    return Origin(
        f"Made{by} from the recipe '{name}'{seed}; software: {software}.",
        f"{what}.",
        **known,
    )


def _classes(header: DatasetHeader) -> str:
    count = len(header.class_names)
    if not count:
        return ""
    return f" in {count} classes" if count > 1 else " in one class"
