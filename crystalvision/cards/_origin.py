"""Where the data come from, and what that means for whoever uses them."""

from dataclasses import dataclass

from crystalvision.datasets import DatasetHeader

SIMULATION = "simulation"
_SIMULATED = (
    "The patterns are simulated; none was measured. Whether a model that does well on them does so "
    "on measured patterns, only measured patterns can show."
)
_PARAMETERS = (
    "Parameters and classes are distributed as the recipe says, which is not how one meets with "
    "them in real specimens."
)
_BEAM = "The beam is a plane wave of one energy: no convergence, no aberrations, no drift."
_SPECIMENS = (
    "Specimens hold the defects that the recipe names and no others: no bending, no surface layer, "
    "no contamination, no damage by the beam."
)
_DETECTOR = (
    "The detector has the errors that the recipe switches on and no others: no defective pixels, "
    "no cosmic rays. Inelastic scattering is at most a smooth background."
)
_NO_DETECTOR = "There is no detector: the images are without noise and without background."


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


def origin_of(header: DatasetHeader, name: str) -> Origin:
    """Where a dataset comes from, as far as its header tells."""
    software = ", ".join(f"{what} {version}" for what, version in header.generator.items())
    what = f"{header.samples:,} labelled diffraction images in {_classes(header)}"
    kind = header.recipe.get("kind")
    if header.source == SIMULATION:
        detector = _NO_DETECTOR if header.dtype == "float32" else _DETECTOR
        return Origin(
            f"Simulated from the recipe '{name}' with seed {header.seed} by {software}.",
            f"{header.samples:,} simulated diffraction patterns of crystals in {_classes(header)}.",
            synthetic=True,
            limits=(_SIMULATED, _PARAMETERS, _BEAM, _SPECIMENS, detector),
        )
    if kind == "import":
        return Origin(
            f"Imported from a folder of labelled images by {software}. How the images were "
            "recorded and labelled is not stated here.",
            f"{what}, imported from a folder.",
        )
    if kind == "merge":
        return Origin(
            f"Merged from other datasets by {software}; the recipe below names them. Their own "
            "cards say how they were made.",
            f"{what}, merged from other datasets.",
        )
    by = f" by the source '{header.source}'" if header.source else ""
    return Origin(
        f"Made{by} from the recipe '{name}' with seed {header.seed}; software: {software}.",
        f"{what}.",
    )


def _classes(header: DatasetHeader) -> str:
    count = len(header.class_names)
    return f"{count} classes" if count > 1 else "one class"
