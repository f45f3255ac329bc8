"""Logistic regression."""

from pydantic import PositiveFloat, PositiveInt

from crystalvision.contracts import Estimator
from crystalvision_classical.estimators._pipeline import standardised


def logistic(
    c: PositiveFloat = 0.1,
    components: PositiveInt | None = None,
    max_iterations: PositiveInt = 2000,
    seed: int = 0,
) -> Estimator:
    """Multinomial logistic regression on standardised features, with an L2 penalty.

    Args:
        c: Inverse of the regularisation.
        components: Principal components of all features that are kept; by default all features.
        max_iterations: Steps of the solver at most.
        seed: Draws the start of the principal components.
    """
    from sklearn.linear_model import LogisticRegression

    regression: Estimator = standardised(
        LogisticRegression(C=c, max_iter=max_iterations), components, seed
    )
    return regression
