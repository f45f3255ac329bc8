"""Naive Bayes."""

from pydantic import PositiveInt

from crystalvision.contracts import Estimator
from crystalvision_classical.estimators._pipeline import standardised


def naive_bayes(components: PositiveInt | None = None, seed: int = 0) -> Estimator:
    """Gaussian naive Bayes: within a class, features are taken as normal and independent.

    They are not: its probabilities lie near 0 and 1 more often than they should. Principal
    components are at least uncorrelated.

    Args:
        components: Principal components of all features that are kept; by default all features.
        seed: Draws the start of the principal components.
    """
    from sklearn.naive_bayes import GaussianNB

    bayes: Estimator = standardised(GaussianNB(), components, seed)
    return bayes
