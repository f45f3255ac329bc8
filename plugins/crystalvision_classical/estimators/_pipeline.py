"""What comes before estimators that compare features with each other."""

from typing import Any


def standardised(estimator: Any, components: int | None, seed: int) -> Any:
    """An estimator after standardisation of each feature and, if asked for, a PCA of all.

    Both are learnt from what the estimator is fitted to.

    Args:
        estimator: A classifier of scikit-learn.
        components: Principal components that are kept, or `None` for all features as they are.
        seed: Draws the start of the randomised decomposition.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    steps: list[Any] = [StandardScaler()]
    if components is not None:
        steps.append(PCA(components, random_state=seed % 2**32))
    return make_pipeline(*steps, estimator)
