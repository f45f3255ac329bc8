"""Nearest neighbours."""

from typing import Literal

from pydantic import PositiveInt

from crystalvision.contracts import Estimator
from crystalvision_classical.estimators._pipeline import standardised


def knn(
    neighbours: PositiveInt = 15,
    weights: Literal["uniform", "distance"] = "distance",
    components: PositiveInt | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
    seed: int = 0,
) -> Estimator:
    """K nearest neighbours among the training patterns, by standardised features.

    Probabilities are the classes' shares among the neighbours, so the run folder holds the features
    of all training patterns.

    Args:
        neighbours: How many.
        weights: `distance`: the nearer, the more a neighbour counts; or `uniform`.
        components: Principal components of all features that are kept; by default all features.
        metric: How far apart two patterns are; by the `cosine` of the angle between them, features
            are not standardised, so that the strong ones count as they are.
        seed: Draws the start of the principal components.
    """
    from sklearn.neighbors import KNeighborsClassifier

    # Trees are no help among hundreds of features.
    plain: Estimator = KNeighborsClassifier(
        neighbours, weights=weights, algorithm="brute", metric=metric
    )
    if metric == "cosine" and components is None:
        return plain
    classifier: Estimator = standardised(plain, components, seed)
    return classifier
