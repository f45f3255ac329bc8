"""A recipe of about the same pattern, that is made within a blink."""

from crystalvision.config import Part
from crystalvision.plugins import Catalogue
from crystalvision_simulate.recipes import Quantity, Recipe

_WIDTH = 26.0  # Å
_NARROWEST = 22.0
_VOLUME = _WIDTH**2 * 60.0  # Å³
_OPENING = 0.53  # of the width: an aperture, whose soft edge has room in the narrowest, too
_KINEMATIC, _DYNAMICAL = "kinematic", "multislice"
_BEYOND = 1.02  # of what the instrument sees
_BAND = "band_limit_inv_angstrom"


def preview_of(recipe: Recipe, catalogue: Catalogue) -> Recipe | None:
    """A smaller box, whose electrons are scattered once; `None` where that would be another thing.

    Args:
        recipe: The recipe, all numbers of it fixed.
        catalogue: Where its instrument is looked up.

    Raises:
        InputError: The instrument refuses an option.
    """
    renderer = recipe.renderer
    if renderer.name not in {_KINEMATIC, _DYNAMICAL}:
        return None
    given = renderer.options if renderer.name == _KINEMATIC else {}
    # Nothing is computed that the instrument does not see.
    instrument = catalogue.create("instrument", recipe.instrument.name, recipe.instrument.options)
    reach = getattr(instrument, "reach_inv_angstrom", None)
    band = {} if reach is None else {_BAND: _BEYOND * reach}
    renderer = Part.of(_KINEMATIC, **{**given, **band})
    specimen = recipe.specimen
    thickness, width = specimen.thickness_angstrom.middle, specimen.width_angstrom.middle
    narrow = min(max((_VOLUME / thickness) ** 0.5, _NARROWEST), _WIDTH, width)
    changes = {"width_angstrom": Quantity(narrow)}
    if specimen.aperture_diameter_angstrom is not None:
        aperture = min(specimen.aperture_diameter_angstrom.middle, _OPENING * narrow)
        changes["aperture_diameter_angstrom"] = Quantity(aperture)
    return recipe.model_copy(
        update={
            "renderer": renderer,
            "specimen": specimen.model_copy(update=changes),
            "configurations": 1,
        }
    )
