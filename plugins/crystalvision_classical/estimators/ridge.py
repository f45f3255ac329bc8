"""Ridge regression."""

from pydantic import PositiveFloat, PositiveInt

from crystalvision.contracts import Estimator
from crystalvision_classical.estimators._pipeline import standardised


def ridge(
    alpha: PositiveFloat = 1.0, components: PositiveInt | None = None, seed: int = 0
) -> Estimator:
    """Linear regression of a real value on standardised features, with an L2 penalty.

    Args:
        alpha: Strength of the penalty.
        components: Principal components of all features that are kept; by default all features.
        seed: Draws the start of the principal components.
    """
    from sklearn.linear_model import Ridge

    regression: Estimator = standardised(Ridge(alpha), components, seed)
    return regression
