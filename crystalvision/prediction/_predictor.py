"""Says what a trained system sees in raw patterns."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from crystalvision.contracts import Prediction
from crystalvision.datasets import Conditions, Despite, Match, match
from crystalvision.errors import InputError, PluginError
from crystalvision.image_files import GapValues, as_counts
from crystalvision.plugins import Catalogue
from crystalvision.prediction._dropout import check_dropout, dropout_on
from crystalvision.prediction._explain import Explanation, explain
from crystalvision.prediction._predictions import Predictions, SeveritySource, spread_of
from crystalvision.runs import Run, RunRecord
from crystalvision.training import in_batches_that_fit, seeded
from crystalvision.trust import load_trust, scale, teller, views_of


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is said of a batch; with several answers to each pattern, all of them.

    Attributes:
        probabilities: (s, b, k).
        severity: (s, b), or `None` where no head tells it.
        novelty: (b,), or `None` without calibration.
    """

    probabilities: torch.Tensor
    severity: torch.Tensor | None
    novelty: torch.Tensor | None


class Predictor:
    """A trained system with the preparation of its input.

    Example:
        >>> predictor = Predictor.load("runs/quick")
        >>> predictor.predict(patterns).names
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
        self.temperature: float | None = None if trust is None else trust.record.temperature
        self.record: RunRecord = run.record

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
        """Check one raw pattern and return it as float32 (c, h, w).

        Args:
            image: (c, h, w), or (h, w) where one channel is expected.
            source: What to call it in an error.
            gap_values: Values that mark what the detector did not measure, and are set to 0; `()`
                if every value is a count. By default a pattern with such values is refused.

        Raises:
            InputError: A shape, type or value that patterns of the training data do not have.
        """
        expected = self.record.image_shape
        image = np.asarray(image)
        shape = (1, *image.shape) if image.ndim == 2 else image.shape
        if shape != expected:
            raise InputError(
                f"{source} has shape {image.shape}; this run expects (channels, height, width) = "
                f"{expected}"
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
            images: (n, c, h, w); or (n, h, w), (c, h, w), (h, w) where it is clear what is meant.
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
        channels = self.record.image_shape[0]
        single = images.ndim == 2 or (images.ndim == 3 and images.shape == self.record.image_shape)
        stack = images[None] if single else images
        if stack.ndim not in {3, 4} or not len(stack) or (stack.ndim == 3 and channels > 1):
            raise InputError(
                f"images have shape {images.shape}; expected (n, channels, height, width) with "
                f"(channels, height, width) = {self.record.image_shape} and n of at least 1"
            )
        return stack

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
        answers = [told.prediction]
        if passes:
            with dropout_on(self._system):
                answers = [self._tell(prepared).prediction for _ in range(passes)]
        severities = [each.severity for each in answers if each.severity is not None]
        return _Batch(
            torch.stack([self._probabilities(each) for each in answers]),
            torch.stack(severities).float().cpu() if severities else None,
            novelty,
        )

    def _probabilities(self, prediction: Prediction) -> torch.Tensor:
        if prediction.probabilities is None:
            raise InputError("the run's system tells no classes; train one with a head that does")
        return scale(prediction.probabilities.float(), self.temperature or 1.0).cpu()

    def _join(self, batches: list[_Batch]) -> Predictions:
        probabilities = torch.cat([each.probabilities for each in batches], dim=1)
        self._check_finite(probabilities)
        severities = [each.severity for each in batches if each.severity is not None]
        novelties = [each.novelty for each in batches if each.novelty is not None]
        source: SeveritySource = "regression" if severities else "class_expectation"
        if severities:
            severity = torch.cat(severities, dim=1)
            self._check_finite(severity)
        else:
            severity = probabilities @ torch.tensor(self.record.class_severities)
        return Predictions(
            class_names=self.record.class_names,
            probabilities=probabilities.mean(dim=0).numpy(),
            severity=severity.mean(dim=0).numpy(),
            severity_source=source,
            calibrated=self.temperature is not None,
            novelty=torch.cat(novelties).numpy() if novelties else None,
            spread=spread_of(probabilities, severity) if len(probabilities) > 1 else None,
        )

    def _check_finite(self, values: torch.Tensor) -> None:
        """Check what was told of each image, (s, b, …).

        Raises:
            PluginError: Some of it is no number.
        """
        finite = values.isfinite().flatten(2).all(2) if values.ndim > 2 else values.isfinite()
        lost = (~finite.all(0)).nonzero().flatten()
        if len(lost):
            parts = ", ".join(f"{plugin.kind} '{plugin.name}'" for plugin in self.record.plugins)
            raise PluginError(
                f"{self._run.path}: its system ({parts}) gave values that are not finite for "
                f"{len(lost)} of {values.shape[1]} images, the first is image {int(lost[0])}"
            )
