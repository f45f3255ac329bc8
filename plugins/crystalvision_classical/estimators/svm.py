"""Support vector machine."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from crystalvision.contracts import Estimator
from crystalvision_classical.estimators._pipeline import standardised


def svm(
    c: PositiveFloat = 1.0,
    kernel: Literal["rbf", "linear"] = "rbf",
    components: PositiveInt | None = None,
    folds: Annotated[int, Field(ge=2)] = 5,
    seed: int = 0,
) -> Estimator:
    """Support vector machine on standardised features, with calibrated probabilities.

    Probabilities come from sigmoids (Platt 1999), one against the rest for each class, fitted to
    scores of patterns that the machine had not seen: those of a cross-validation within the
    training data, which standardises anew for each fold. The machine itself is then fitted to all:
    one for each pair of classes, or, where there are more than 20, one for each against the rest.

    Args:
        c: Penalty of a pattern on the wrong side; the inverse of the regularisation.
        kernel: `rbf`, as wide as the features' number and variance say, or `linear`.
        components: Principal components of all features that are kept; by default all features.
        folds: Parts of the cross-validation; each class needs as many training patterns.
        seed: Draws the folds.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    from crystalvision_classical.estimators._support_vectors import SupportVectors

    calibrated: Estimator = CalibratedClassifierCV(
        standardised(SupportVectors(c, kernel), components, seed),
        ensemble=False,
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32),
    )
    return calibrated
