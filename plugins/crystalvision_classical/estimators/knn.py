"""Nearest neighbours."""

from typing import Literal

from pydantic import PositiveInt

from crystalvision.contracts import Estimator
from crystalvision_classical.estimators._pipeline import standardised


def knn(
    neighbours: PositiveInt = 15,
    weights: Literal["uniform", "distance"] = "distance",
    components: PositiveInt | None = None,
    seed: int = 0,
) -> Estimator:
    """K nearest neighbours among the training patterns, by standardised features.

    Probabilities are the classes' shares among the neighbours, so the run folder holds the features
    of all training patterns.

    Args:
        neighbours: How many.
        weights: `distance`: the nearer, the more a neighbour counts; or `uniform`.
        components: Principal components of all features that are kept; by default all features.
        seed: Draws the start of the principal components.
    """
    from sklearn.neighbors import KNeighborsClassifier

    # Trees are no help among hundreds of features.
    classifier: Estimator = standardised(
        KNeighborsClassifier(neighbours, weights=weights, algorithm="brute"), components, seed
    )
    return classifier
