"""What a bound rests on, in words."""

from collections.abc import Sequence

from crystalvision_simulate.recipes import DetectorSettings, Recipe

_MODEL = (
    "The bound is about patterns that this recipe simulates. Of measured patterns it says as much "
    "as the simulation resembles them."
)
_LIST = (
    "For each pattern the oracle is given a list of specimens of every class, as they look without "
    "noise, and the true one is among them. No classifier is given as much, so none is right more "
    "often on average; the bound falls when the lists grow."
)
_INFORMED = (
    "The informed reference has the same knowledge, but the true specimen is not on its list. The "
    "best accuracy with known nuisance lies between the two; a classifier that is not told the "
    "nuisance may reach less than either."
)
_INTERVAL = "Intervals hold 95 % of 2,000 bootstrap resamples that draw nuisances."


def assumptions_of(recipe: Recipe, nuisance: Sequence[str]) -> tuple[str, ...]:
    """What a bound of a recipe with a detector rests on, a sentence or two each.

    Args:
        recipe: The recipe.
        nuisance: Columns of what it draws alike for all classes.
    """
    detector = recipe.detector
    assumptions = [_MODEL, _told(nuisance), _LIST, _INFORMED]
    assumptions += [_readout(detector)] if detector is not None else []
    return (*assumptions, _INTERVAL)


def _told(nuisance: Sequence[str]) -> str:
    names = ", ".join(nuisance) or "nothing"
    return f"Both oracles are told what is drawn alike for all classes: {names}."


def _readout(detector: DetectorSettings) -> str:
    """What the detector does to the electrons after they have arrived."""
    losses = {
        "the point spread of an integrating detector": detector.kind == "integrating"
        and (bool(detector.mtf) or any(detector.point_spread_px.ends)),
        "the spread of the gain": detector.gain_spread > 0,
        "a gain other than one": any(end != 1 for end in detector.gain_counts_per_electron.ends),
        "dark counts": any(detector.dark_counts.ends),
        "the noise of reading": detector.read_noise_counts > 0,
        "rounding of a fraction of a count": detector.offset_counts % 1 != 0,
    }
    named = [name for name, present in losses.items() if present]
    text = (
        "Electrons arrive independently (Poisson), and the oracles see how many arrived in each "
        f"pixel; a pixel that saturates at {2**detector.bit_depth - 1:,} counts hides some of that "
        "from everyone else"
    )
    if named:
        text += f", and so do {', '.join(named)}"
    return text + "."
