"""What the plugin door offers of powders: the source, and what candidates for it look like."""

from collections.abc import Sequence
from pathlib import Path

from crystalvision.config import validate
from crystalvision.cores import usable_processors
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.samples import of_recipes_with, with_bench, with_candidates
from crystalvision.sources import Candidates, Source, SourceSpec
from crystalvision_simulate.powder._candidates import candidates_of
from crystalvision_simulate.powder._library import PhaseCandidates
from crystalvision_simulate.powder._places import FoundPhase, phases_in
from crystalvision_simulate.powder._recipe import PowderRecipe
from crystalvision_simulate.powder.bench import open_bench
from crystalvision_simulate.powder.source import PowderSource
from crystalvision_simulate.recipes import Quantity


def find_candidates(spec: SourceSpec, catalogue: Catalogue, places: Sequence[Path]) -> Candidates:
    """Phases in files and folders, and the patterns that a recipe's instrument records of them.

    Args:
        spec: With the recipe.
        catalogue: Where its parts are looked up.
        places: CIF files and folders of them, files of JSON lines, or YAML files that say what
            `candidates` of a recipe do; without any, the phases of the recipe.

    Raises:
        InputError: The recipe is wrong, it has crystal systems for classes, or no phase is there.
    """
    recipe = validate(PowderRecipe, spec.recipe, spec.described_in)
    if recipe.target != "phase":
        raise InputError(
            f"the classes of this recipe are those of {recipe.target}: a phase is no candidate for "
            "one; train on a recipe with target: phase"
        )
    if places:
        found, left_out = phases_in(places, catalogue)
    else:
        found = [FoundPhase(one) for one in candidates_of(recipe.candidates, catalogue)]
        left_out = {}
    # Patterns of a candidate do not depend on which others there are.
    crystal = recipe.crystal.model_copy(update={"foreign_share": Quantity(0.0)})
    alone = recipe.model_copy(update={"crystal": crystal})
    phases = tuple(one.phase for one in found)
    source = PowderSource(alone, catalogue, phases=phases, kept=4 * usable_processors())
    return PhaseCandidates(source, found, left_out)


@of_recipes_with("candidates")
@with_candidates(find_candidates)
@with_bench(open_bench)
def open_source(spec: SourceSpec, catalogue: Catalogue) -> Source:
    """Powder patterns of the phases of a library, as a recipe describes them.

    Raises:
        InputError: The recipe is wrong, or a phase cannot be read.
    """
    return PowderSource(
        validate(PowderRecipe, spec.recipe, spec.described_in), catalogue, threads=spec.threads
    )
