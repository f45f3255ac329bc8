"""What whoever uses simulated patterns must know."""

from crystalvision.contracts import Instrument

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


def caveats_of(instrument: Instrument) -> tuple[str, ...]:
    """What holds of patterns that an instrument records, a sentence or two each."""
    return (_SIMULATED, _PARAMETERS, _BEAM, _SPECIMENS, *instrument.caveats)
