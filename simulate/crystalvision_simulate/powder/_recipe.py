"""What a dataset of powder patterns is made from, and what its classes are."""

from typing import Literal

from pydantic import Field

from crystalvision.config import Config, Part
from crystalvision.errors import InputError
from crystalvision.ranges import MAX_SAMPLES, MAX_SEED
from crystalvision_simulate.powder._candidates import CandidateSettings
from crystalvision_simulate.powder._mixtures import MixtureSettings
from crystalvision_simulate.powder._nuisance import CrystalSettings
from crystalvision_simulate.powder._phase import CRYSTAL_SYSTEMS, Candidate


class PowderRecipe(Config):
    """A dataset of powder patterns of known phases.

    Attributes:
        name: Its name.
        description: What it is for.
        samples: How many patterns; phases take turns.
        seed: Seed of everything that is drawn.
        candidates: The phases.
        target: What a class is: the `phase`, its `crystal_system`, or its `space_group`. For the
            last two a phase is a specimen: all patterns of it are in one split.
        mixture: Powders of several phases; by default each is of one.
        crystal: What varies in the crystals.
        instrument: What records a pattern.
    """

    name: str = Field(min_length=1)
    description: str = ""
    samples: int = Field(gt=0, le=MAX_SAMPLES)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    candidates: CandidateSettings
    target: Literal["phase", "crystal_system", "space_group"] = "phase"
    mixture: MixtureSettings | None = None
    crystal: CrystalSettings = CrystalSettings()
    instrument: Part = Part(name="powder-diffractometer")


def labels_of(
    recipe: PowderRecipe, candidates: tuple[Candidate, ...]
) -> tuple[list[int], tuple[str, ...]]:
    """The class of each phase, and the names of the classes."""
    if recipe.target == "phase":
        return list(range(len(candidates))), tuple(one.name for one in candidates)
    for one in candidates:
        if not one.crystal_system:
            raise InputError(f"phase '{one.name}': its space group is not known, so no system is")
    if recipe.target == "space_group":
        numbers = sorted({one.space_group for one in candidates})
        return [numbers.index(one.space_group) for one in candidates], tuple(map(_symbol, numbers))
    present = [
        name for name in CRYSTAL_SYSTEMS if any(name == c.crystal_system for c in candidates)
    ]
    return [present.index(one.crystal_system) for one in candidates], tuple(present)


def _symbol(number: int) -> str:
    """Hermann-Mauguin symbol of a space group, in its usual setting."""
    from pymatgen.symmetry.groups import sg_symbol_from_int_number

    return str(sg_symbol_from_int_number(number))
