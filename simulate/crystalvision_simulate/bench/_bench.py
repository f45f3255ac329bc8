"""A crystal with its defects, changed by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from crystalvision.config import validate
from crystalvision.plugins import Catalogue
from crystalvision.samples import Bench, BenchView, ControlGroup
from crystalvision_simulate.bench._controls import Controls
from crystalvision_simulate.bench._figures import bench_view
from crystalvision_simulate.bench._preview import preview_of
from crystalvision_simulate.bench._sample import SampleMaker
from crystalvision_simulate.bench._start import ANEW
from crystalvision_simulate.recipes import Recipe


class CrystalBench(Bench):
    """One crystal with its defects on a bench."""

    def __init__(self, recipe: Recipe, catalogue: Catalogue) -> None:
        """Begin with a recipe, all numbers of it fixed at the middle of what is drawn.

        Args:
            recipe: The recipe.
            catalogue: Where parts are looked up.

        Raises:
            InputError: A part is unknown, or refuses an option.
        """
        self._controls = Controls(recipe, catalogue)
        self._maker = SampleMaker(catalogue)
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
        return bench_view(self._maker.make(self._checked(settings)))

    def preview(self, settings: Mapping[str, Any]) -> BenchView | None:
        """See `crystalvision.samples.Bench.preview`: a small box, scattering once."""
        recipe = self._checked(settings)
        if self._maker.is_quick(recipe):
            return None
        quick = preview_of(recipe, self._catalogue)
        return None if quick is None else bench_view(self._maker.make(quick, recipe))

    def _checked(self, settings: Mapping[str, Any]) -> Recipe:
        return validate(Recipe, self.recipe(settings), "bench")


def open_bench(recipe: Mapping[str, Any] | None, catalogue: Catalogue) -> CrystalBench:
    """A bench that begins with a recipe, or with a small crystal of silicon nitride.

    Raises:
        InputError: The recipe is wrong.
    """
    return CrystalBench(validate(Recipe, dict(recipe or ANEW), "recipe"), catalogue)
