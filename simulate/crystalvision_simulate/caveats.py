"""What whoever uses simulated patterns must know."""

from crystalvision_simulate.recipes import Recipe

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


def caveats_of(recipe: Recipe) -> tuple[str, ...]:
    """What holds of the patterns of a recipe, a sentence or two each."""
    detector = _NO_DETECTOR if recipe.detector is None else _DETECTOR
    return (_SIMULATED, _PARAMETERS, _BEAM, _SPECIMENS, detector)
