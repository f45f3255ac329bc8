"""Says what a trained system sees in raw patterns."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from crystalvision.contracts import Axis, Estimate
from crystalvision.datasets import Conditions, Despite, Match, match
from crystalvision.errors import InputError, PluginError
from crystalvision.image_files import GapValues, as_counts
from crystalvision.models import LABEL, SEVERITY
from crystalvision.plugins import Catalogue
from crystalvision.prediction._dropout import check_dropout, dropout_on
from crystalvision.prediction._explain import Explanation, explain
from crystalvision.prediction._predictions import EstimateSource, Predictions, estimates_of
from crystalvision.runs import Run, RunRecord
from crystalvision.training import in_batches_that_fit, seeded
from crystalvision.trust import load_trust, scale, teller, views_of


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is said of a batch; with several answers to each pattern, all of them.

    Attributes:
        answers: What is said of each target by its name, once or several times.
        novelty: (b,), or `None` without calibration.
    """

    answers: list[dict[str, Estimate]]
    novelty: torch.Tensor | None


class Predictor:
    """A trained system with the preparation of its input.

    Example:
        >>> predictor = Predictor.load("runs/quick")
        >>> predictor.predict(patterns)["label"].names
        ['vacancies_25', 'no_defect']
    """

    def __init__(
        self, run: Run, device: torch.device | None = None, *, calibrated: bool = True
    ) -> None:
        """Make a run ready to predict.

        Args:
            run: The run.
            device: Where to predict; by default the CPU.
            calibrated: Whether to use the calibration that training left in the run, for the
                probabilities and for the reject flag; a run without one is used without.

        Raises:
            InputError: The run's calibration is damaged.
        """
        self._device = device or torch.device("cpu")
        self._run = run
        self._system = run.system.eval().to(self._device)
        self._tell = teller(self._system)
        self._preprocess = run.preprocess.to(self._device)
        trust = load_trust(run.path) if calibrated else None
        self._novelty = None if trust is None else trust.novelty.to(self._device)
        self.calibrated = trust is not None
        self.temperatures: dict[str, float] = {} if trust is None else trust.record.temperatures
        self.record: RunRecord = run.record
        self._severities = _severities(run)

    @classmethod
    def load(
        cls,
        run: Path | str,
        *,
        catalogue: Catalogue | None = None,
        device: torch.device | None = None,
        calibrated: bool = True,
    ) -> Self:
        """Load a run folder.

        Args:
            run: The folder.
            catalogue: Where the system's parts are looked up; by default what is installed.
            device: Where to predict; by default the CPU.
            calibrated: Whether to use the run's calibration.

        Raises:
            InputError: As for `crystalvision.runs.Run.load`, or a damaged calibration.
        """
        return cls(Run.load(run, catalogue), device, calibrated=calibrated)

    def match(
        self, conditions: Conditions, name: str, *, despite: Collection[Despite] = ()
    ) -> Match:
        """Compare how patterns were recorded with what the run was trained on.

        `Match.carry` then brings them onto the axes that `predict` takes them to have.

        Args:
            conditions: What is known of the patterns.
            name: What to call them.
            despite: Differences that are known and wanted.

        Raises:
            InputError: They differ in what cannot be carried.
        """
        return match(
            self.record.conditions,
            conditions,
            run_name=str(self._run.path),
            data_name=name,
            despite=despite,
        )

    def prepare(
        self, image: np.ndarray[Any, Any], source: str = "image", gap_values: GapValues = None
    ) -> np.ndarray[Any, Any]:
        """Check one raw pattern and return it as float32 (c, *grid).

        Args:
            image: (c, *grid), or the grid alone where one channel is expected.
            source: What to call it in an error.
            gap_values: Values that mark what the detector did not measure, and are set to 0; `()`
                if every value is a count. By default a pattern with such values is refused.

        Raises:
            InputError: A shape, type or value that patterns of the training data do not have.
        """
        expected = self.record.image_shape
        image = np.asarray(image)
        shape = (1, *image.shape) if image.ndim == len(expected) - 1 else image.shape
        if shape != expected:
            raise InputError(
                f"{source} has shape {image.shape}; this run expects {self._shape_text()}"
            )
        image = as_counts(image, source, gap_values)
        return image.reshape(expected).astype(np.float32)

    def predict(
        self,
        images: np.ndarray[Any, Any],
        *,
        batch_size: int = 32,
        dropout_passes: int = 0,
        seed: int = 0,
        gap_values: GapValues = None,
        on_batch: Callable[[int], None] = lambda count: None,
    ) -> Predictions:
        """Predict raw patterns.

        Args:
            images: (n, c, *grid); or without channels, or a single pattern, where it is clear what
                is meant.
            batch_size: Patterns that pass through the system at once.
            dropout_passes: How often to ask with dropout at work; what is told is then the mean of
                the answers, with their spread. 0 for one answer without dropout.
            seed: Draws what dropout leaves out.
            gap_values: As for `prepare`.
            on_batch: Told how many more patterns are done.

        Raises:
            InputError: As for `prepare`, no pattern at all, or passes of a system without dropout.
        """
        stack = self._stack(np.asarray(images))
        prepared = (
            self.prepare(image, f"image {index}", gap_values) for index, image in enumerate(stack)
        )
        if not dropout_passes:
            return self._join(self._batches(prepared, batch_size, 0, on_batch))
        self.check_dropout(dropout_passes)
        with seeded(seed):
            return self._join(self._batches(prepared, batch_size, dropout_passes, on_batch))

    def explain(
        self, image: np.ndarray[Any, Any], source: str = "image", gap_values: GapValues = None
    ) -> Explanation:
        """Show which places of one raw pattern speak for its class, and for its severity.

        Args:
            image: (c, h, w), or (h, w) where one channel is expected.
            source: What to call it in an error.
            gap_values: As for `prepare`.

        Raises:
            InputError: As for `prepare`, or a system that makes no feature map.
        """
        raw = self.prepare(image, source, gap_values)
        images = self._preprocess(torch.from_numpy(raw)[None].to(self._device))
        return explain(self._system, images, raw, self.record)

    def check_dropout(self, passes: int) -> None:
        """Check that passes with dropout would tell something.

        Raises:
            InputError: Fewer than two passes, or a system without dropout.
        """
        if passes < 2:
            raise InputError(f"dropout passes {passes}: expected at least 2, better 30")
        check_dropout(self._system, str(self._run.path))

    def _stack(self, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        shape = self.record.image_shape
        grid = len(shape) - 1
        single = images.ndim == grid or (images.ndim == grid + 1 and images.shape == shape)
        stack = images[None] if single else images
        without_channels = stack.ndim == grid + 1 and shape[0] == 1
        if not (without_channels or stack.ndim == grid + 2) or not len(stack):
            raise InputError(
                f"images have shape {images.shape}; expected n of at least 1 of "
                f"{self._shape_text()}"
            )
        return stack

    def _shape_text(self) -> str:
        axes = ("channels", "height", "width")
        shape = self.record.image_shape
        names = axes if len(shape) == 3 else ("channels", *(each.name for each in self._axes()))
        return f"({', '.join(names)}) = {shape}"

    def _axes(self) -> tuple[Axis, ...]:
        return tuple(Axis.model_validate(axis) for axis in self.record.calibration)

    @torch.inference_mode()
    def _batches(
        self,
        images: Iterator[np.ndarray[Any, Any]],
        batch_size: int,
        passes: int,
        on_batch: Callable[[int], None],
    ) -> list[_Batch]:
        done: list[_Batch] = []
        while waiting := list(islice(images, batch_size)):
            done += in_batches_that_fit(partial(self._parts, waiting, passes), len(waiting))
            on_batch(len(waiting))
        return done

    def _parts(
        self, images: list[np.ndarray[Any, Any]], passes: int, batch_size: int
    ) -> list[_Batch]:
        starts = range(0, len(images), batch_size)
        return [self._batch(images[start : start + batch_size], passes) for start in starts]

    def _batch(self, images: list[np.ndarray[Any, Any]], passes: int) -> _Batch:
        raw = torch.from_numpy(np.stack(images)).to(self._device)
        prepared = self._preprocess(raw)
        told = self._tell(prepared)
        novelty = None
        if self._novelty is not None:
            novelty = self._novelty.of(views_of(prepared, told)).cpu()
        answers = [told.estimates]
        if passes:
            with dropout_on(self._system):
                answers = [self._tell(prepared).estimates for _ in range(passes)]
        return _Batch([self._finished(each) for each in answers], novelty)

    def _finished(self, said: Mapping[str, Estimate]) -> dict[str, Estimate]:
        """What is said, calibrated, on the CPU."""
        done = {}
        for name, estimate in said.items():
            probabilities = estimate.probabilities
            if probabilities is not None:
                scaled = scale(probabilities.float(), self.temperatures.get(name, 1.0))
                probabilities = scaled.cpu()
            spread = None if estimate.spread is None else estimate.spread.float().cpu()
            value = estimate.value.cpu()
            done[name] = Estimate(
                value.float() if value.is_floating_point() else value, probabilities, spread
            )
        return done

    def _join(self, batches: list[_Batch]) -> Predictions:
        novelties = [each.novelty for each in batches if each.novelty is not None]
        said = {
            name: [
                _one_after_the_other([batch.answers[number][name] for batch in batches])
                for number in range(len(batches[0].answers))
            ]
            for name in self._system.targets
        }
        for answers in said.values():
            self._check_finite(answers)
        if self._severities is not None:
            told = [one.probabilities for one in said[LABEL] if one.probabilities is not None]
            said[SEVERITY] = list(map(Estimate, torch.stack(told) @ self._severities))
        targets = self.record.targets
        estimates = {name: estimates_of(targets[name], said[name]) for name in targets}
        return Predictions(
            estimates,
            {name: self._source(name) for name in estimates},
            calibrated=self.calibrated,
            novelty=torch.cat(novelties).numpy() if novelties else None,
        )

    def _source(self, name: str) -> EstimateSource:
        if name not in self._system.targets:
            return "class_expectation"
        return "nearest_severity" if name == self._system.derived else "head"

    def _check_finite(self, answers: Sequence[Estimate]) -> None:
        """Check what was told of each image.

        Raises:
            PluginError: Some of it is no number.
        """
        told = [
            each.value if each.probabilities is None else each.probabilities for each in answers
        ]
        values = torch.stack(told).double()
        finite = values.isfinite().reshape(*values.shape[:2], -1).all(2).all(0)
        lost = (~finite).nonzero().flatten()
        if len(lost):
            parts = ", ".join(f"{plugin.kind} '{plugin.name}'" for plugin in self.record.plugins)
            raise PluginError(
                f"{self._run.path}: its system ({parts}) gave values that are not finite for "
                f"{len(lost)} of {values.shape[1]} images, the first is image {int(lost[0])}"
            )


def _severities(run: Run) -> torch.Tensor | None:
    """The severities of the classes, (k,), where the severity follows from them."""
    if SEVERITY in run.system.targets or SEVERITY not in run.record.targets:
        return None
    return torch.tensor(run.record.targets[LABEL].class_severities)


def _one_after_the_other(parts: Sequence[Estimate]) -> Estimate:
    def joined(name: str) -> torch.Tensor | None:
        found = [getattr(each, name) for each in parts]
        return None if found[0] is None else torch.cat(found)

    value = joined("value")
    assert value is not None  # noqa: S101 - every estimate has one, for mypy
    return Estimate(value, joined("probabilities"), joined("spread"))
