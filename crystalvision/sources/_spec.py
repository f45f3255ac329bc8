"""Says which source, so that another process can open the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.samples import Source


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source by name, with all that it is made from; small, and can be sent anywhere.

    Attributes:
        name: The source, as plugins offer it.
        recipe: What it makes, in JSON types.
        device: Where it computes: `cpu`, `cuda`, `cuda:1`.
        threads: Threads that make samples; by default one for each core.
        plugins: The plugins that it needs.
        described_in: Where the recipe was read from, for errors.
    """

    name: str
    recipe: Mapping[str, Any]
    device: str = "cpu"
    threads: int | None = None
    plugins: PluginSelection = field(default_factory=PluginSelection.from_environment)
    described_in: str = field(default="recipe", compare=False)

    def open(self, catalogue: Catalogue | None = None) -> Source:
        """Make the source.

        Args:
            catalogue: Where it is looked up; by default it is loaded anew.

        Raises:
            InputError: No plugin offers it, or its recipe is wrong.
        """
        catalogue = catalogue or Catalogue.load(self.plugins)
        return catalogue.create("source", self.name, spec=self, catalogue=catalogue)

    def drawn(self, *, seed: int, samples: int) -> "SourceSpec":
        """The same source, for so many samples drawn from another seed.

        Raises:
            InputError: Its recipe names no seed or no number of samples.
        """
        changes = {"seed": seed, "samples": samples}
        missing = [key for key in changes if key not in self.recipe]
        if missing:
            raise InputError(
                f"source '{self.name}': its recipe has no '{missing[0]}' that could be changed"
            )
        return replace(self, recipe={**self.recipe, **changes})


def open_once(spec: SourceSpec) -> Source:
    """The source of a specification; the last one is kept, for a process that is asked often."""
    return _opened(spec.name, json.dumps(spec.recipe), spec.device, spec.threads, spec.plugins)


@lru_cache(maxsize=1)
def _opened(
    name: str, recipe: str, device: str, threads: int | None, plugins: PluginSelection
) -> Source:
    return SourceSpec(name, json.loads(recipe), device, threads, plugins).open()
