"""Says what a trained system sees in raw patterns."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.calibration import load_calibration, predict_with, views_of
from crystalvision.contracts import Axis, EmbeddingHead
from crystalvision.datasets import Conditions, Despite, Match, match
from crystalvision.errors import InputError
from crystalvision.inputs import take_marks
from crystalvision.measured_files import GapValues, as_counts, find_gaps
from crystalvision.plugins import Catalogue
from crystalvision.prediction._dropout import check_dropout, dropout_on
from crystalvision.prediction._explain import Explanation, explain
from crystalvision.prediction._predicted_batch import PredictedBatch, finished, join_batches
from crystalvision.prediction._predictions import Predictions
from crystalvision.runs import Run, RunRecord
from crystalvision.training import in_batches_that_fit, seeded

_TO_STATE = (
    "; an image of another size is brought onto that where its calibration is known: state it by "
    "--pixel-size-inv-angstrom and --centre, or find it: crystalvision calibrate"
)


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
                probabilities and for the flags; a run without one is used without.

        Raises:
            InputError: The run's calibration is damaged.
        """
        self._device = device or torch.device("cpu")
        self._run = run
        self._system = run.system.eval().to(self._device)
        self._predict_prepared = predict_with(self._system)
        self._preprocess = run.preprocess.to(self._device)
        trust = load_calibration(run.path) if calibrated else None
        self._novelty = None if trust is None else trust.novelty.to(self._device)
        self.calibrated = trust is not None
        self.temperatures: dict[str, float] = {} if trust is None else trust.record.temperatures
        self.doubt_limits: dict[str, float] = {} if trust is None else trust.record.doubt_limits
        self.record: RunRecord = run.record
        self.path = run.path

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

    @property
    def run(self) -> Run:
        """The run."""
        return self._run

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
            gap_values: Values that mark what the detector did not measure, which become NaN; `()`
                if every value is a count. By default a pattern with such values is refused.

        Raises:
            InputError: A shape, type or value that patterns of the training data do not have.
        """
        expected = self.record.image_shape
        image = np.asarray(image)
        shape = (1, *image.shape) if image.ndim == len(expected) - 1 else image.shape
        if shape != expected:
            other = len(shape) == len(expected) == 3 and shape[0] == expected[0]
            raise InputError(
                f"{source} has shape {image.shape}; this run expects {self._shape_text()}"
                f"{_TO_STATE if other else ''}"
            )
        gaps = find_gaps(image, gap_values)
        counts = as_counts(image, source, gap_values).astype(np.float32)
        return np.where(gaps, np.float32(np.nan), counts).reshape(expected)

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
            return self._joined(self._batches(prepared, batch_size, 0, on_batch))
        self.check_dropout(dropout_passes)
        with seeded(seed):
            return self._joined(self._batches(prepared, batch_size, dropout_passes, on_batch))

    @property
    def embedding_head(self) -> EmbeddingHead | None:
        """The head that places patterns, by which they are compared with a library, if any."""
        return self._system.embedding_head

    @torch.inference_mode()
    def embed(
        self,
        images: np.ndarray[Any, Any],
        *,
        batch_size: int = 64,
        gap_values: GapValues = None,
    ) -> Float[np.ndarray, "n e"]:
        """Where the run's embedding places raw patterns, each of length 1, (n, e).

        Args:
            images: As for `predict`.
            batch_size: Patterns that pass through the system at once.
            gap_values: As for `prepare`.

        Raises:
            InputError: As for `prepare`, or no head gives an embedding.
        """
        stack = self._stack(np.asarray(images))
        places = []
        for start in range(0, len(stack), batch_size):
            part = stack[start : start + batch_size]
            prepared = [
                self.prepare(image, f"image {start + number}", gap_values)
                for number, image in enumerate(part)
            ]
            places.append(self._system.embed(self.prepared(np.stack(prepared))).float().cpu())
        return np.asarray(torch.cat(places).numpy())

    def explain(
        self, image: np.ndarray[Any, Any], source: str = "image", gap_values: GapValues = None
    ) -> Explanation:
        """Show which places of one raw pattern speak for what is said of it.

        Args:
            image: (c, *grid), or the grid alone where one channel is expected.
            source: What to call it in an error.
            gap_values: As for `prepare`.

        Raises:
            InputError: As for `prepare`, or a system that makes no feature map.
        """
        raw = self.prepare(image, source, gap_values)
        images = self.prepared(raw[None])
        return explain(self._system, images, np.nan_to_num(raw), self._axes(), self.record)

    @torch.inference_mode()
    def described(
        self, images: np.ndarray[Any, Any]
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """What the system makes of raw patterns, and how it gets them.

        Args:
            images: NaN where nothing was seen, (n, c, *grid).

        Returns:
            Pooled features of all branches, (n, f), and prepared images, (n, c, *grid').

        Raises:
            InputError: A system that makes no features.
        """
        prepared = self.prepared(np.asarray(images, dtype=np.float32))
        features = self._predict_prepared(prepared).features
        if features is None:
            raise InputError(f"{self._run.path}: its system has no backbone, and makes no features")
        return features.cpu().numpy(), prepared.cpu().numpy()

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
    ) -> list[PredictedBatch]:
        done: list[PredictedBatch] = []
        while waiting := list(islice(images, batch_size)):
            done += in_batches_that_fit(partial(self._parts, waiting, passes), len(waiting))
            on_batch(len(waiting))
        return done

    def _parts(
        self, images: list[np.ndarray[Any, Any]], passes: int, batch_size: int
    ) -> list[PredictedBatch]:
        starts = range(0, len(images), batch_size)
        return [self._batch(images[start : start + batch_size], passes) for start in starts]

    def _batch(self, images: list[np.ndarray[Any, Any]], passes: int) -> PredictedBatch:
        prepared = self.prepared(np.stack(images))
        predicted = self._predict_prepared(prepared)
        novelty = None
        if self._novelty is not None:
            novelty = self._novelty.of(views_of(prepared, predicted)).cpu()
        answers = [predicted.estimates]
        if passes:
            with dropout_on(self._system):
                answers = [self._predict_prepared(prepared).estimates for _ in range(passes)]
        return PredictedBatch([finished(each, self.temperatures) for each in answers], novelty)

    def _joined(self, batches: list[PredictedBatch]) -> Predictions:
        return join_batches(
            self._run, batches, calibrated=self.calibrated, doubt_limits=self.doubt_limits
        )

    def prepared(self, images: np.ndarray[Any, Any]) -> torch.Tensor:
        """What the system sees of raw patterns (b, c, *grid), NaN for what was not measured."""
        counts, seen = take_marks(torch.from_numpy(images))  # on the host, where none waits for it
        prepared: torch.Tensor = self._preprocess(
            counts.to(self._device), seen=None if seen is None else seen.to(self._device)
        )
        return prepared
