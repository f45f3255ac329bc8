"""Says what a trained system sees in raw patterns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.runs import Run, RunRecord

SeveritySource = Literal["regression", "class_expectation"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a system says of n patterns.

    Attributes:
        class_names: Names of the k classes.
        probabilities: Probability of each class, (n, k).
        severity: Severity, (n,).
        severity_source: `regression` where a head of the system tells the severity;
            `class_expectation` where it is the mean of the classes' severities, weighted by their
            probabilities.
    """

    class_names: tuple[str, ...]
    probabilities: Float[np.ndarray, "n k"]
    severity: Float[np.ndarray, "n"]
    severity_source: SeveritySource

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.severity)

    @property
    def label(self) -> Int[np.ndarray, "n"]:
        """Index of the most probable class of each pattern, (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def names(self) -> list[str]:
        """Name of the most probable class of each pattern."""
        return [self.class_names[index] for index in self.label]


class Predictor:
    """A trained system with the preparation of its input.

    Example:
        >>> predictor = Predictor.load("runs/quick")
        >>> predictor.predict(patterns).names
        ['vacancies_25', 'no_defect']
    """

    def __init__(self, run: Run, device: torch.device | None = None) -> None:
        self._device = device or torch.device("cpu")
        self._system = run.system.eval().to(self._device)
        self._preprocess = run.preprocess.to(self._device)
        self.record: RunRecord = run.record

    @classmethod
    def load(
        cls,
        run: Path | str,
        *,
        catalogue: Catalogue | None = None,
        device: torch.device | None = None,
    ) -> Self:
        """Load a run folder.

        Args:
            run: The folder.
            catalogue: Where the system's parts are looked up; by default what is installed.
            device: Where to predict; by default the CPU.

        Raises:
            InputError: As for `crystalvision.runs.Run.load`.
        """
        return cls(Run.load(run, catalogue), device)

    def prepare(self, image: np.ndarray[Any, Any], source: str = "image") -> np.ndarray[Any, Any]:
        """Check one raw pattern and return it as float32 (c, h, w).

        Args:
            image: (c, h, w), or (h, w) where one channel is expected.
            source: What to call it in an error.

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
        if image.dtype.kind not in "uif":
            raise InputError(f"{source} has values of type {image.dtype}; expected real numbers")
        if not np.isfinite(image).all():
            raise InputError(f"{source} has values that are not finite; expected counts")
        if image.min() < 0:
            raise InputError(f"{source} has negative values down to {image.min()}; expected counts")
        return image.reshape(expected).astype(np.float32)

    def predict(
        self,
        images: np.ndarray[Any, Any],
        *,
        batch_size: int = 32,
        on_batch: Callable[[int], None] = lambda count: None,
    ) -> Predictions:
        """Predict raw patterns.

        Args:
            images: (n, c, h, w); or (n, h, w), (c, h, w), (h, w) where it is clear what is meant.
            batch_size: Patterns that pass through the system at once.
            on_batch: Told how many more patterns are done.

        Raises:
            InputError: As for `prepare`, or no pattern at all.
        """
        stack = self._stack(np.asarray(images))
        prepared = (self.prepare(image, f"image {index}") for index, image in enumerate(stack))
        return self._join(self._batches(prepared, batch_size, on_batch))

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
        on_batch: Callable[[int], None],
    ) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
        done: list[tuple[torch.Tensor, torch.Tensor | None]] = []
        waiting: list[np.ndarray[Any, Any]] = []
        for image in images:
            waiting.append(image)
            if len(waiting) == batch_size:
                done.append(self._batch(waiting))
                on_batch(len(waiting))
                waiting = []
        if waiting:
            done.append(self._batch(waiting))
            on_batch(len(waiting))
        return done

    def _batch(
        self, images: list[np.ndarray[Any, Any]]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        raw = torch.from_numpy(np.stack(images)).to(self._device)
        told = self._system.predict(self._system(self._preprocess(raw)))
        if told.probabilities is None:
            raise InputError("the run's system tells no classes; train one with a head that does")
        severity = None if told.severity is None else told.severity.float().cpu()
        return told.probabilities.float().cpu(), severity

    def _join(self, batches: list[tuple[torch.Tensor, torch.Tensor | None]]) -> Predictions:
        probabilities = torch.cat([told for told, _ in batches])
        severities = [severity for _, severity in batches if severity is not None]
        source: SeveritySource = "regression" if severities else "class_expectation"
        if severities:
            severity = torch.cat(severities)
        else:
            severity = probabilities @ torch.tensor(self.record.class_severities)
        return Predictions(self.record.class_names, probabilities.numpy(), severity.numpy(), source)
