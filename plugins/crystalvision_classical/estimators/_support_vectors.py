"""Support vector machines for few classes and for many."""

from typing import Any, Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

# Of many classes a pair has few patterns, and each pattern a score for each pair: of 100 phases
# with 8 patterns each, pairs name 45 % and one against the rest 81 %; of 900 the scores take 26 GB.
_MOST_IN_PAIRS = 20


class SupportVectors(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A machine for each pair of classes; for more than 20 classes, one for each against the rest.

    Args:
        c: Penalty of a pattern on the wrong side.
        kernel: As scikit-learn's.
    """

    def __init__(self, c: float = 1.0, kernel: str = "rbf") -> None:
        self.c, self.kernel = c, kernel

    def fit(self, features: Float[np.ndarray, "n f"], labels: Any) -> Self:
        """Learn labels (n,)."""
        one = SVC(C=self.c, kernel=self.kernel)
        many = len(np.unique(labels)) > _MOST_IN_PAIRS
        self.machine_ = (OneVsRestClassifier(one) if many else one).fit(features, labels)
        self.classes_ = self.machine_.classes_
        return self

    def decision_function(self, features: Float[np.ndarray, "b f"]) -> Float[np.ndarray, "b k"]:
        """Score of each class, (b, k); of two classes that of the second, (b,)."""
        return np.asarray(self.machine_.decision_function(features))

    def predict(self, features: Float[np.ndarray, "b f"]) -> Any:
        """Labels, (b,)."""
        return self.machine_.predict(features)
