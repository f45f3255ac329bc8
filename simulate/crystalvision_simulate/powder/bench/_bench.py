"""A powder, changed by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from crystalvision.config import validate
from crystalvision.plugins import Catalogue
from crystalvision.samples import Bench, BenchView, ControlGroup
from crystalvision_simulate.powder._recipe import PowderRecipe
from crystalvision_simulate.powder.bench._controls import PowderControls
from crystalvision_simulate.powder.bench._figures import powder_view
from crystalvision_simulate.powder.bench._start import anew
from crystalvision_simulate.powder.source import PowderSource


class PowderBench(Bench):
    """One powder on a bench; no preview is quicker than the pattern itself."""

    def __init__(self, recipe: PowderRecipe, catalogue: Catalogue) -> None:
        """Begin with a recipe, all numbers of it fixed at the middle of what is drawn.

        Args:
            recipe: The recipe.
            catalogue: Where parts are looked up.

        Raises:
            InputError: A phase cannot be read, or a part is unknown or refuses an option.
        """
        self._controls = PowderControls(recipe, catalogue)
        self._catalogue = catalogue

    def settings(self) -> dict[str, Any]:
        """See `crystalvision.samples.Bench.settings`."""
        return self._controls.begin()

    def settle(self, settings: Mapping[str, Any]) -> tuple[dict[str, Any], Sequence[ControlGroup]]:
        """See `crystalvision.samples.Bench.settle`."""
        settled = self._controls.settle(settings)
        return settled, self._controls.groups(settled)

    def recipe(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `crystalvision.samples.Bench.recipe`."""
        return self._controls.recipe(settings)

    def view(self, settings: Mapping[str, Any]) -> BenchView:
        """See `crystalvision.samples.Bench.view`."""
        recipe = validate(PowderRecipe, self.recipe(settings), "bench")
        phases = self._controls.phases(settings)  # read once, however large their library is
        return powder_view(PowderSource(recipe, self._catalogue, phases=phases, threads=1))


def open_bench(recipe: Mapping[str, Any] | None, catalogue: Catalogue) -> PowderBench:
    """A bench that begins with a recipe, or with every structure that is installed.

    Raises:
        InputError: The recipe is wrong, or a phase cannot be read.
    """
    data = anew(catalogue) if recipe is None else dict(recipe)
    return PowderBench(validate(PowderRecipe, data, "recipe"), catalogue)
