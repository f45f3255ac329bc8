"""Renders scenes of a recipe, and records them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch

from crystalvision.config import Part
from crystalvision.contracts import (
    Axis,
    Instrument,
    Pattern,
    Recording,
    Renderer,
    check_many,
    origin_of,
)
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue, FactoryKind
from crystalvision.sources import Sample
from crystalvision_simulate.instruments.detector import illuminated_area_angstrom2
from crystalvision_simulate.parts import DrawnPart, check_alike
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.returned import check_patterns, check_recording, other_axes
from crystalvision_simulate.scenes import RenderedScene, Scene


class SceneRecorder:
    """The renderer and the instrument of a recipe, one of each for each draw of its numbers.

    Attributes:
        recipe: The recipe.
        device: Where it is rendered.
        renderer: Its renderer, for each draw of its numbers.
        instrument: Its instrument, likewise.
    """

    def __init__(
        self,
        recipe: Recipe,
        catalogue: Catalogue,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Make both, and check that they fit.

        Args:
            recipe: The recipe.
            catalogue: Where its parts are looked up.
            device: Where to render; the CPU by default.
            dtype: `torch.float32`, or `torch.float64` for reference results.

        Raises:
            InputError: One is unknown, or an option has a value, or can draw one, that it refuses,
                or the instrument cannot record what the renderer gives.
        """
        self.recipe = recipe
        self.device = device or torch.device("cpu")
        self._dtype = dtype
        self.renderer: DrawnPart[Renderer] = _drawn("renderer", recipe.renderer, catalogue)
        self.instrument: DrawnPart[Instrument] = _drawn("instrument", recipe.instrument, catalogue)
        self._check_instrument()

    def _check_instrument(self) -> None:
        """Check that the instrument records what the renderer gives, always in one type."""
        renderer, instrument = self.renderer.example, self.instrument.example
        if renderer.quantity not in instrument.records:
            raise InputError(
                f"renderer '{self.recipe.renderer.name}' gives an {renderer.quantity} of its own, "
                f"and the instrument '{self.recipe.instrument.name}' records "
                f"{' or '.join(instrument.records)} of the beam only: take another instrument "
                "(--set instrument=none)"
            )
        found = [(one.dtype, one.masks) for one in self.instrument.extremes]
        check_alike("instrument", self.instrument.quantities, found)

    def axes_of(self, projections: Sequence[RenderedScene]) -> tuple[Axis, ...]:
        """The axes of all samples, known from the first of each class.

        Raises:
            InputError: They would not be the same for all samples.
        """
        first = projections[0]
        band_limit = min(one.pattern.band_limit for one in projections)
        ends = [one.axes(first.rendered, band_limit) for one in self.instrument.extremes]
        check_alike("instrument", self.instrument.quantities, ends)
        if self.renderer.quantities:
            scenes = [
                replace(first.scene, options={**first.scene.options, "renderer": numbers})
                for numbers in self.renderer.corners
            ]
            ends = [one.pattern.axes for one in self.render(scenes)]
            check_alike("renderer", self.renderer.quantities, ends)
        for one in projections:
            if one.pattern.axes != first.pattern.axes:
                raise InputError(
                    f"the patterns of samples lie on different axes ({_sizes(first)} and "
                    f"{_sizes(one)} points), because the renderer's depend on the crystal: take "
                    "an instrument with axes of its own (--set instrument=area-detector)"
                )
        return first.pattern.axes

    def render(self, scenes: Sequence[Scene]) -> list[RenderedScene]:
        """Render scenes together, and project them onto the instrument.

        Raises:
            InputError: The instrument reaches beyond what the renderer gives.
            PluginError: The renderer or the instrument returned what it should not.
        """
        return self.project(scenes, self.patterns(scenes))

    def project(self, scenes: Sequence[Scene], patterns: Sequence[Pattern]) -> list[RenderedScene]:
        """Project rendered patterns of scenes onto the instrument.

        Raises:
            InputError: The instrument reaches beyond what the renderer gives.
            PluginError: The instrument returned what it should not.
        """
        instruments = [self.instrument.of(scene.options.get("instrument", {})) for scene in scenes]
        axes = [
            one.axes(pattern.axes, pattern.band_limit)
            for one, pattern in zip(instruments, patterns, strict=True)
        ]
        projected = instruments[0].project_together(instruments, patterns)
        who = f"the {origin_of(instruments[0], 'instrument')}"
        check_many(projected, who, len(scenes), Pattern)
        check_patterns(projected, who)
        for one, expected in zip(projected, axes, strict=True):
            if one.axes != expected:
                raise other_axes(who, one.axes, expected)
        return [
            RenderedScene(scene, instrument, pattern.axes, one)
            for scene, instrument, pattern, one in zip(
                scenes, instruments, patterns, projected, strict=True
            )
        ]

    def patterns(self, scenes: Sequence[Scene]) -> list[Pattern]:
        """What the renderer gives of scenes, those of equal options together.

        Raises:
            PluginError: The renderer returned what it should not.
        """
        alike: dict[int, list[int]] = defaultdict(list)
        renderers = [self.renderer.of(scene.options.get("renderer", {})) for scene in scenes]
        for index, renderer in enumerate(renderers):
            alike[id(renderer)].append(index)
        found: dict[int, Pattern] = {}
        for indices in alike.values():
            chosen = [scenes[index] for index in indices]
            made = self._rendered(renderers[indices[0]], chosen)
            found.update(zip(indices, made, strict=True))
        return [found[index] for index in range(len(scenes))]

    def _rendered(self, renderer: Renderer, scenes: Sequence[Scene]) -> list[Pattern]:
        patterns: object = renderer.render(
            [scene.specimens for scene in scenes],
            [scene.beam for scene in scenes],
            device=self.device,
            dtype=self._dtype,
        )
        who = f"the {origin_of(renderer, 'renderer')}"
        check_many(patterns, who, len(scenes), Pattern)
        made = cast("Sequence[Pattern]", patterns)
        check_patterns(made, who)
        return [
            replace(pattern, area_angstrom2=illuminated_area_angstrom2(scene.specimens[0]))
            for pattern, scene in zip(made, scenes, strict=True)
        ]

    def record(self, projections: Sequence[RenderedScene]) -> list[Recording]:
        """What the instrument records of rendered scenes.

        Raises:
            PluginError: The instrument returned what it should not.
        """
        instruments = [one.instrument for one in projections]
        recordings = instruments[0].measure_together(
            instruments,
            [one.pattern for one in projections],
            [np.random.default_rng(one.scene.exposure_seed) for one in projections],
        )
        who = f"the {origin_of(instruments[0], 'instrument')}"
        check_many(recordings, who, len(projections), Recording)
        for recording, one in zip(recordings, projections, strict=True):
            check_recording(recording, one.instrument, one.pattern, who)
        return recordings

    def expose(self, projections: Sequence[RenderedScene]) -> list[Sample]:
        """Samples of rendered scenes, as the instrument records them."""
        return [
            Sample(
                recording.counts,
                one.scene.columns,
                None if recording.seen is None else recording.seen[None],
            )
            for recording, one in zip(self.record(projections), projections, strict=True)
        ]

    def note(self, projections: Sequence[RenderedScene], recordings: Sequence[Recording]) -> str:
        """What to know of recordings, such as that pixels are full; empty for nothing."""
        instruments = [one.instrument for one in projections]
        patterns = [one.pattern for one in projections]
        return instruments[0].note(instruments, patterns, recordings)


def _sizes(projection: RenderedScene) -> str:
    return " × ".join(str(axis.size) for axis in projection.pattern.axes)


def _drawn(kind: FactoryKind, part: Part, catalogue: Catalogue) -> DrawnPart[Any]:
    """A part, made at the ends of its distributions."""

    def create(options: Mapping[str, Any]) -> Any:
        return catalogue.entry(kind, part.name).create(options, {})

    return DrawnPart(part, create, kind)
