"""A classical system, which is used as any other system is."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from crystalvision.contracts import Estimate, Estimator, Features, Target, described, is_classifier
from crystalvision.errors import PluginError
from crystalvision.models import System, SystemOutput


class ClassicalSystem(System):
    """Features and an estimator; a system without branches, weights and gradients.

    Its final output are the probabilities of the classes, or the values of a target without
    classes. It runs on the CPU, wherever its images are.

    Args:
        names: Names of the features, for errors.
        features: What describes images.
        estimator_name: Name of the estimator, for errors.
        estimator: Reads the features, in order, side by side.
        target: What it tells: one of k classes, or a number.
        image_shape: Shape (c, *grid) of the prepared images.

    Attributes:
        unfitted: The estimator as it was made.
    """

    def __init__(
        self,
        names: Sequence[str],
        features: Sequence[Features],
        estimator_name: str,
        estimator: Estimator,
        *,
        target: Target,
        image_shape: tuple[int, ...],
    ) -> None:
        super().__init__({})
        self.names = tuple(names)
        self.features = tuple(features)
        self.estimator_name = estimator_name
        self.estimator = estimator
        self.unfitted = copy.deepcopy(estimator)
        self.target = target
        self.targets = {target.name: target}
        self.image_shape = image_shape

    def describe(self, images: Float[np.ndarray, "b c *grid"]) -> Float[np.ndarray, "b f"]:
        """All features of prepared images, side by side, (b, c, *grid) → (b, f) in float32.

        Raises:
            PluginError: Features of a wrong shape, or that are not finite.
        """
        parts = [
            _checked(name, features(images), len(images))
            for name, features in zip(self.names, self.features, strict=True)
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def classify(self, features: Float[np.ndarray, "b f"]) -> Float[np.ndarray, "b k"]:
        """Probability of each class from the features of images, (b, f) → (b, k).

        A class that the training data did not have has the probability 0.

        Raises:
            PluginError: The estimator's probabilities have a wrong shape.
        """
        who = f"estimator '{self.estimator_name}'"
        if not is_classifier(self.estimator):
            raise PluginError(f"{who} has no predict_proba, and so tells no classes")
        found = _array(self.estimator.predict_proba(features), who, "probabilities (b, k)")
        classes = np.asarray(self.estimator.classes_)
        if found.shape != (len(features), len(classes)):
            raise PluginError(
                f"{who} gave probabilities of shape {found.shape}; "
                f"expected {(len(features), len(classes))}"
            )
        if found.dtype.kind not in "uif" or not np.isfinite(found).all() or (found < 0).any():
            raise PluginError(
                f"{who} gave probabilities that are no finite numbers from 0 on ({found.dtype})"
            )
        probabilities = np.zeros((len(features), len(self.target.classes)), np.float32)
        probabilities[:, classes.astype(np.intp)] = found
        return probabilities

    def measure(self, features: Float[np.ndarray, "b f"]) -> Float[np.ndarray, "b"]:
        """The value from the features of images, (b, f) → (b,).

        Raises:
            PluginError: The estimator's values have a wrong shape, or are not finite.
        """
        who = f"estimator '{self.estimator_name}'"
        found = _array(self.estimator.predict(features), who, "values (b,)")
        if found.shape != (len(features),) or not np.isfinite(found).all():
            raise PluginError(
                f"{who} gave values of shape {found.shape}; expected {(len(features),)}, all finite"
            )
        return found.astype(np.float32)

    def predict_features(self, features: Float[np.ndarray, "b f"]) -> Float[np.ndarray, "b *k"]:
        """`classify` or `measure`, as the target is."""
        return self.classify(features) if self.target.classes else self.measure(features)

    def forward(self, images: Float[torch.Tensor, "b c *grid"]) -> SystemOutput:
        """Probabilities (b, k), or values (b,), of prepared images, as the final output."""
        features = self.describe(images.detach().cpu().float().numpy())
        return SystemOutput({}, torch.from_numpy(self.predict_features(features)).to(images.device))

    def predict(self, output: SystemOutput) -> dict[str, Estimate]:
        """What is said of the target, by its name, from what `forward` gave."""
        if output.final is None:
            raise PluginError("a classical system was asked about nothing")
        said = Estimate.of_classes(output.final) if self.target.classes else Estimate(output.final)
        return {self.target.name: said}


def _array(returned: Any, who: str, expected: str) -> np.ndarray:
    """What a plugin returned, as an array."""
    try:
        if isinstance(returned, np.ndarray | list | torch.Tensor):
            return np.asarray(returned)
    except (ValueError, TypeError, RuntimeError):  # rows of several lengths; on a GPU
        pass
    raise PluginError(f"{who} gave {described(returned)}; expected {expected}")


def _checked(name: str, returned: Any, batch: int) -> np.ndarray:
    values = _array(returned, f"feature '{name}'", f"real numbers of shape ({batch}, f)")
    if values.ndim != 2 or len(values) != batch or values.dtype.kind not in "uif":
        raise PluginError(
            f"feature '{name}' gave values of shape {values.shape} and type {values.dtype}; "
            f"expected real numbers of shape ({batch}, f)"
        )
    if not np.isfinite(values).all():
        raise PluginError(f"feature '{name}' gave values that are not finite")
    return values
