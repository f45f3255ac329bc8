"""Classical baselines: features computed by a fixed rule, and estimators that read them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeGuard

import numpy as np
from jaxtyping import Float

Array = np.ndarray[Any, Any]


class Features(ABC):
    """Numbers f that describe each image; the same image always gives the same numbers.

    Attributes:
        learns: Whether `fit` must be called first, with images that a system is trained on.
        dimensions: Numbers of dimensions of the grids that it describes.
    """

    learns: bool = False
    dimensions: frozenset[int] = frozenset({2})

    @abstractmethod
    def __call__(self, images: Float[np.ndarray, "b c *grid"]) -> Float[np.ndarray, "b f"]:
        """Describe prepared images, (b, c, *grid) → (b, f); each by itself, whatever the batch.

        What was not seen of an image has the mean of what was. May be called from several threads
        at once.
        """

    def fit(self, images: Float[np.ndarray, "n c *grid"]) -> None:  # noqa: B027 - most learn nothing
        """Learn from prepared images (n, c, *grid) of the training data, evenly chosen."""

    def state(self) -> Mapping[str, Array]:
        """What was learnt, as arrays by name: the run folder keeps them."""
        return {}

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Take what `state` gave.

        Raises:
            ValueError: It is not what `state` of such features gives.
        """
        if state:
            raise ValueError(f"it has {', '.join(state)}, but these features learn nothing")


class Estimator(Protocol):
    """A classifier or regressor with scikit-learn's interface; `skops.io` must be able to save it.

    Jobs, where it takes any, are left at `n_jobs=None`: the toolkit chooses them.
    """

    def fit(self, features: Float[np.ndarray, "n f"], values: Any) -> Self:
        """Learn labels or real values (n,) from features (n, f)."""

    def predict(self, features: Float[np.ndarray, "b f"]) -> Any:
        """Labels or real values, (b,)."""


class Classifier(Estimator, Protocol):
    """An estimator that tells classes apart; one without `predict_proba` tells real values.

    Attributes:
        classes_: After `fit`, the labels that it has seen, (k,), in ascending order.
    """

    classes_: Any

    def predict_proba(self, features: Float[np.ndarray, "b f"]) -> Float[np.ndarray, "b k"]:
        """Probability of each of `classes_`, (b, k)."""


def is_classifier(estimator: Estimator) -> TypeGuard[Classifier]:
    """Whether an estimator tells classes apart; scikit-learn's pipelines say it when asked."""
    return hasattr(estimator, "predict_proba")
