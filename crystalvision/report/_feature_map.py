"""Places features in two dimensions, so that those of one class lie together."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from crystalvision.errors import InputError

MapMethod = Literal["nca", "tsne", "umap"]
Array = np.ndarray[Any, Any]
Placing = Callable[[Array], Array]

_COMPONENTS = 50


class FeatureMap:
    """A map that is learnt from known features, on which others are placed.

    What nca and umap learnt stays: a pattern's place does not depend on what else is placed. t-SNE
    places anew whatever it is given.
    """

    def __init__(
        self,
        known: Float[np.ndarray, "n f"],
        labels: Int[np.ndarray, "n"],
        method: MapMethod = "nca",
        *,
        most: int = _COMPONENTS,
        seed: int = 0,
    ) -> None:
        """Learn a map.

        Args:
            known: Features.
            labels: Their classes.
            method: How; see `crystalvision.report.map_patterns`.
            most: Components that features are reduced to first, at most.
            seed: Draws what is random.

        Raises:
            InputError: A package that is not there.
        """
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import StandardScaler

        self._scaler = StandardScaler().fit(known)
        count = min(_COMPONENTS, *known.shape, most)
        self._reduce = PCA(count, random_state=seed).fit(self._scaler.transform(known))
        self._place = _METHODS[method](self._reduced(known), labels, seed)

    def place(self, new: Float[np.ndarray, "m f"]) -> Float[np.ndarray, "m 2"]:
        """Where features lie."""
        return np.asarray(self._place(self._reduced(new)))

    def _reduced(self, features: Array) -> Array:
        return np.asarray(self._reduce.transform(self._scaler.transform(features)))


def _by_nca(known: Array, labels: Array, seed: int) -> Placing:
    from sklearn.neighbors import NeighborhoodComponentsAnalysis

    found = NeighborhoodComponentsAnalysis(2, init="pca", max_iter=100, random_state=seed)
    learnt: Placing = found.fit(known, labels).transform
    return learnt


def _by_tsne(known: Array, labels: Array, seed: int) -> Placing:
    del known, labels
    from sklearn.manifold import TSNE

    def place(new: Array) -> Array:
        perplexity = min(30.0, (len(new) - 1) / 3)
        return np.asarray(TSNE(2, perplexity=perplexity, random_state=seed).fit_transform(new))

    return place


def _by_umap(known: Array, labels: Array, seed: int) -> Placing:
    del labels
    try:
        from umap import UMAP  # type: ignore[import-not-found] # an optional package
    except ImportError as error:
        raise InputError(
            "a map by UMAP needs the package umap-learn: pip install umap-learn"
        ) from error
    learnt: Placing = UMAP(2, random_state=seed).fit(known).transform
    return learnt


_METHODS: dict[str, Callable[[Array, Array, int], Placing]] = {
    "nca": _by_nca,
    "tsne": _by_tsne,
    "umap": _by_umap,
}
