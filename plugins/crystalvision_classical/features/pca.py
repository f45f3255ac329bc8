"""Principal components of the pixels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import PositiveInt

from crystalvision.contracts import ANY_DIMENSION, Features


class PixelPca(Features):
    """Coordinates along the principal components of the training patterns' pixels.

    The components are learnt from the training patterns alone. To reduce other features instead,
    estimators have an option `components`.

    Args:
        components: How many; fewer where there are not that many training patterns or pixels.
        seed: Draws the start of the randomised decomposition.
    """

    learns = True
    dimensions = ANY_DIMENSION

    def __init__(self, components: PositiveInt = 32, seed: int = 0) -> None:
        self._wanted = components
        self._seed = seed
        self._mean: Float[np.ndarray, "p"] = np.empty(0)
        self._components: Float[np.ndarray, "k p"] = np.empty((0, 0))

    def fit(self, images: Float[np.ndarray, "n c *grid"]) -> None:
        """Learn the components of images (n, c, *grid)."""
        from sklearn.decomposition import PCA

        pixels = images.reshape(len(images), -1)
        count = min(self._wanted, *pixels.shape)
        # scikit-learn takes seeds of 32 bits.
        model = PCA(count, svd_solver="randomized", random_state=self._seed % 2**32).fit(pixels)
        self._mean, self._components = model.mean_, model.components_

    def __call__(self, images: Float[np.ndarray, "b c *grid"]) -> Float[np.ndarray, "b f"]:
        """Images (b, c, *grid) → coordinates, (b, components)."""
        centred = images.reshape(len(images), -1).astype(np.float64) - self._mean
        # Row by row: a matrix product rounds otherwise in batches of another size.
        return np.stack([self._components @ row for row in centred])

    def state(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """The mean (p,) and the components (k, p)."""
        return {"mean": self._mean, "components": self._components}

    def load_state(self, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take what `state` gave.

        Raises:
            ValueError: Arrays are missing, or their shapes do not fit.
        """
        if set(state) != {"mean", "components"}:
            raise ValueError(f"expected mean and components, found {', '.join(state) or 'nothing'}")
        mean, components = state["mean"], state["components"]
        if mean.ndim != 1 or components.ndim != 2 or components.shape[1] != len(mean):
            raise ValueError(f"shapes {mean.shape} and {components.shape} do not fit each other")
        self._mean, self._components = mean, components
