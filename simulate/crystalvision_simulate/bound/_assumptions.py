"""What a bound rests on, in words."""

from collections.abc import Sequence

from crystalvision.contracts import Instrument
from crystalvision_simulate.instruments.area_detector import AreaDetector

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
    "best accuracy with that knowledge of the nuisance lies between the two; a classifier that is "
    "not given it may reach less than either."
)
_INTERVAL = "Intervals hold 95 % of 2,000 bootstrap resamples that draw nuisances."


def assumptions_of(
    instruments: Sequence[Instrument],
    nuisance: Sequence[str],
    *,
    untold: Sequence[str],
    parts: int,
) -> tuple[str, ...]:
    """What a bound rests on, a sentence or two each.

    Args:
        instruments: The detector at the ends of what is drawn for it.
        nuisance: Columns of what it draws alike for all classes.
        untold: Those that oracles are not told.
        parts: Of their ranges; see `estimate_bound`.
    """
    detectors = [one for one in instruments if isinstance(one, AreaDetector)]
    told = [name for name in nuisance if name not in untold]
    hidden = [_untold(untold, parts)] if untold else []
    assumptions = [_MODEL, _told(told), *hidden, _LIST, _INFORMED, _readout(detectors)]
    return (*assumptions, _INTERVAL)


def _told(nuisance: Sequence[str]) -> str:
    names = ", ".join(nuisance) or "nothing"
    return f"Both oracles are told what is drawn alike for all classes: {names}."


def _untold(names: Sequence[str], parts: int) -> str:
    but = f", but for which of {parts} equally probable parts of its range" if parts > 1 else ""
    return (
        f"They are not told{but}: {', '.join(names)}. Each specimen on their list has a draw of "
        "its own."
    )


def _readout(detectors: Sequence[AreaDetector]) -> str:
    """What the detector does to the electrons after they have arrived."""
    losses = {
        "the point spread of an integrating detector": lambda one: (
            one.kind == "integrating" and (bool(one.mtf) or one.point_spread_px > 0)
        ),
        "the spread of the gain": lambda one: one.gain_spread > 0,
        "a gain other than one": lambda one: one.gain_counts_per_electron != 1,
        "dark counts": lambda one: one.dark_counts > 0,
        "the noise of reading": lambda one: one.read_noise_counts > 0,
        "rounding of a fraction of a count": lambda one: one.offset_counts % 1 != 0,
    }
    named = [name for name, present in losses.items() if any(map(present, detectors))]
    bits = min(one.bit_depth for one in detectors)
    text = (
        "Electrons arrive independently (Poisson), and the oracles see how many arrived in each "
        f"pixel; a pixel that saturates at {2**bits - 1:,} counts hides some of that "
        "from everyone else"
    )
    if named:
        text += f", and so do {', '.join(named)}"
    return text + "."
