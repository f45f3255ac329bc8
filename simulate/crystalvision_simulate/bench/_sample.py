"""Makes the one sample of a bench, and keeps what a change of the instrument leaves as it was."""

import json
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Generic, TypeVar

import torch

from crystalvision.contracts import Pattern
from crystalvision.plugins import Catalogue
from crystalvision_simulate.pictures import CrystalView, SimulatedSample, crystal_view
from crystalvision_simulate.pipeline import one_torch_thread
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.scenes import RenderedScene
from crystalvision_simulate.simulator import Simulator

_KEPT = 6  # patterns, and crystals: of the settings that were looked at last
_WIDEST = 40.0  # Å of a crystal that are shown

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The last few things that were made, by what they were made from."""

    def __init__(self, most: int = _KEPT) -> None:
        """Keep so many."""
        self._most, self._values, self._lock = most, OrderedDict[str, Value](), Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def get(self, key: str, make: Callable[[], Value]) -> Value:
        """The thing, made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class BenchSample:
    """The sample of a bench.

    Attributes:
        simulator: Made it.
        made: The sample, and the same without defects.
        crystal: Its crystal, if it has an ideal one.
    """

    simulator: Simulator
    made: SimulatedSample
    crystal: CrystalView | None


class SampleMaker:
    """Makes sample 0 of recipes, as a dataset of them holds it, bit for bit."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Look parts up in a catalogue."""
        self._catalogue = catalogue
        self._patterns: Kept[Pattern] = Kept(2 * _KEPT)
        self._projected: Kept[RenderedScene] = Kept()
        self._crystals: Kept[CrystalView | None] = Kept()
        self._threads = ThreadPoolExecutor(1, "crystalvision-ideal")

    def is_quick(self, recipe: Recipe) -> bool:
        """Whether all that takes long is there already."""
        return _key(recipe) in self._patterns and _ideal_key(recipe) in self._patterns

    def make(self, recipe: Recipe, exact: Recipe | None = None) -> BenchSample:
        """Make sample 0.

        Args:
            recipe: The recipe.
            exact: What it is a preview of: its pattern without defects is shown if it is there.

        Raises:
            InputError: The recipe cannot be made.
        """
        known = _ideal_key(recipe)
        if exact is not None and _ideal_key(exact) in self._patterns:
            known = _ideal_key(exact)
        with one_torch_thread():
            simulator = Simulator(recipe, self._catalogue)
            scene = simulator.scene(0)
            ideal = simulator.crystals.cut(scene.cut, scene.box)
            without = replace(scene, specimens=(simulator.crystals.specimen(ideal, scene.box),))

            def perfect() -> RenderedScene:
                torch.set_num_threads(1)  # of this thread
                pattern = self._patterns.get(known, lambda: simulator.patterns([without])[0])
                key = f"{known} {recipe.instrument.model_dump_json()}"
                made = self._projected.get(key, lambda: simulator.project([without], [pattern])[0])
                return replace(made, scene=without)

            plain = self._threads.submit(perfect)
            pattern = self._patterns.get(_key(recipe), lambda: simulator.patterns([scene])[0])
            (projection,) = simulator.project([scene], [pattern])
            (recording,) = simulator.record([projection])
            made = SimulatedSample(0, scene, ideal, plain.result(), projection, recording)
            crystal = self._crystals.get(_crystal_key(recipe), lambda: crystal_view(made, _WIDEST))
            # The picture is turned as the pattern is, which the instrument decides.
            rotation = scene.drawn.get("rotation_deg", 0.0)
            crystal = crystal and replace(crystal, rotation_deg=rotation)
        return BenchSample(simulator, made, crystal)


def _key(recipe: Recipe) -> str:
    """What decides a pattern before it is recorded."""
    data = recipe.model_dump(mode="json", exclude={"instrument", "name", "description"})
    return json.dumps(data, sort_keys=True)


def _crystal_key(recipe: Recipe) -> str:
    """What decides a crystal and its defects."""
    exclude = {"instrument", "name", "description", "renderer", "beam"}
    return json.dumps(recipe.model_dump(mode="json", exclude=exclude), sort_keys=True)


def _ideal_key(recipe: Recipe) -> str:
    """What decides the pattern of the crystal without defects."""
    exclude = {"instrument", "name", "description", "classes", "configurations", "seed"}
    return "ideal " + json.dumps(recipe.model_dump(mode="json", exclude=exclude), sort_keys=True)
